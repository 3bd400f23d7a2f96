"""Passwords: wherever one is written for the index, it must not be found again but in requests to that index."""

import base64
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from proof.network_scene import FILE, PAGE
from support import backend
from support.answers import Fault
from support.index import Index
from support.machine import Machine
from support.wheels import make_sdist, make_wheel

USER, TOKEN = "keeper", "kn0ck-kn0ck-wh0s-there"
_FORMS = (TOKEN.encode(), base64.b64encode(f"{USER}:{TOKEN}".encode()))
# What a build sees of the variables ends up in its wheel, and so below the home, where it is looked for.
_NOSY = """
import os as _os
with open("src/fromsource/seen.txt", "w") as _file:
    for _key, _value in _os.environ.items():
        print(_key, _value, file=_file)
    for _pid in ("self", str(_os.getppid())):
        try:
            print(open(f"/proc/{_pid}/environ").read(), open(f"/proc/{_pid}/cmdline").read(), file=_file)
        except OSError:
            pass
"""


class Hidden(NamedTuple):
    """`places` is how many outputs, files, processes and requests were searched; `found` where the password was."""

    name: str
    places: int
    found: tuple[str, ...]


class _Desk:
    """A machine, an index behind a password, another host, and what was typed."""

    def __init__(self, folder: Path, wares: Path, stack: ExitStack) -> None:
        self.index = stack.enter_context(Index(wares))
        self.other = stack.enter_context(Index(wares))
        self.index.fault("/", Fault(auth=(USER, TOKEN)))
        self.machine = Machine(folder / "home", self.index)
        self.home = self.machine.home
        self.bare = self.index.url
        self.url = self.bare.replace("://", f"://{USER}:{TOKEN}@")
        self.words: tuple[str, ...] = ("demo", "fromsource")
        self.variables: dict[str, str] = {}
        self.given: set[Path] = set()
        self.status = 0

    def write(self, path: str, text: str, mode: int = 0o600) -> None:
        """Write a file of the person's own, where the password may stand."""
        target = self.home / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)
        self.given.add(target)


def stock(folder: Path) -> Path:
    """Make an application, and one that must be built and tells what its build saw."""
    make_wheel(folder, "demo", "1.0", commands=["demo"], requires=["dep>=1"])
    make_wheel(folder, "dep", "1.0")
    text = Path(backend.__file__).read_text("utf-8")
    make_sdist(folder, "fromsource", "1.0", commands=["fromsource"], dynamic=True, backend_text=text + _NOSY)
    return folder


def _typed(desk: _Desk) -> None:
    desk.words += ("--index-url", desk.url)


def _pip_variable(desk: _Desk) -> None:
    desk.variables["PIP_INDEX_URL"] = desk.url


def _uv_variable(desk: _Desk) -> None:
    desk.variables.update(PIP_INDEX_URL="", UV_DEFAULT_INDEX=desk.url)


def _extra(desk: _Desk) -> None:
    desk.variables.update(PIP_INDEX_URL=desk.other.url, PIP_EXTRA_INDEX_URL=desk.url)


def _pip_file(desk: _Desk) -> None:
    desk.write(".config/pip/pip.conf", f"[global]\nindex-url = {desk.url}\n")
    desk.variables.update(PIP_INDEX_URL="", PIP_CONFIG_FILE="")


def _uv_file(desk: _Desk) -> None:
    desk.write(".config/uv/uv.toml", f'[[index]]\nname = "own"\nurl = "{desk.bare}"\ndefault = true\n')
    desk.variables.update(PIP_INDEX_URL="", UV_INDEX_OWN_USERNAME=USER, UV_INDEX_OWN_PASSWORD=TOKEN)


def _own_file(desk: _Desk) -> None:
    desk.write(".config/detente/config.toml", f'index-url = "{desk.url}"\n')
    desk.variables.update(PIP_INDEX_URL="")


def _netrc(desk: _Desk) -> None:
    desk.write(".netrc", f"machine 127.0.0.1 login {USER} password {TOKEN}\n")


def _keyring(desk: _Desk) -> None:
    desk.write("bin/keyring", f"#!/bin/sh\necho {TOKEN}\n", 0o700)
    desk.variables.update(
        PATH=f"{desk.home}/bin:{desk.machine.environ['PATH']}",
        UV_KEYRING_PROVIDER="subprocess",
        PIP_INDEX_URL=desk.bare.replace("://", f"://{USER}@"),
    )


def _direct(desk: _Desk) -> None:
    desk.variables["PIP_INDEX_URL"] = desk.other.url
    desk.words = (f"demo @ {desk.url.removesuffix('/simple/')}{FILE}",)


def _redirected(desk: _Desk) -> None:
    """The host of files is named, with the password, only in a redirect of the index."""
    desk.index.mend()
    desk.other.fault("/files/demo", Fault(auth=(USER, TOKEN)))
    target = desk.other.root.replace("://", f"://{USER}:{TOKEN}@") + FILE
    desk.index.fault(FILE, Fault(redirect=target), whole=True)
    desk.words = ("demo",)


def _redirected_badly(desk: _Desk) -> None:
    _redirected(desk)
    desk.other.fault("/files/demo", Fault(status=404))
    desk.status = 1


def _listed(desk: _Desk) -> None:
    """The page itself writes a password into a file's address."""
    target = desk.other.root.replace("://", f"://{USER}:{TOKEN}@") + FILE
    desk.index.mend()
    desk.index.fault(PAGE, Fault(edit=lambda body: body.replace(f"../..{FILE}".encode(), target.encode())))
    desk.words = ("demo",)


def _proxy(desk: _Desk) -> None:
    desk.index.mend()
    proxy = desk.other.root.replace("://", f"://{USER}:{TOKEN}@")
    desk.variables.update(http_proxy=proxy, HTTP_PROXY=proxy)
    desk.status = 1  # the proxy is an index too, and has no such path
    desk.other.fault("/", Fault(status=502))
    desk.words = ("demo",)


def _away(desk: _Desk) -> None:
    """The index sends us to another host for its files: the password stays at home."""
    _pip_variable(desk)
    desk.index.mend()
    desk.index.fault("/simple/", Fault(auth=(USER, TOKEN)))
    desk.index.fault("/files/", Fault(redirect=desk.other.file_url("demo-1.0-py3-none-any.whl")))
    desk.words = ("demo",)
    desk.status = 1


def _failing(fault: Fault, prefix: str = "/") -> Callable[[_Desk], None]:
    def arrange(desk: _Desk) -> None:
        _typed(desk)
        desk.index.fault(prefix, fault)
        desk.status = 1
        desk.words = ("demo", "--index-url", desk.url)

    return arrange


WAYS: dict[str, Callable[[_Desk], None]] = {
    "typed with --index-url": _typed,
    "in PIP_INDEX_URL": _pip_variable,
    "in PIP_EXTRA_INDEX_URL": _extra,
    "in UV_DEFAULT_INDEX": _uv_variable,
    "in pip.conf": _pip_file,
    "in uv.toml and UV_INDEX_OWN_PASSWORD": _uv_file,
    "in config.toml": _own_file,
    "in .netrc": _netrc,
    "in a keyring": _keyring,
    "in a requirement's URL": _direct,
    "in a redirect": _redirected,
    "in a redirect that leads nowhere": _redirected_badly,
    "in a file's address on a page": _listed,
    "in a proxy's URL": _proxy,
    "typed, and the index sends us elsewhere for files": _away,
    "typed, and pages fail": _failing(Fault(status=500), "/simple/"),
    "typed, and pages are refused": _failing(Fault(status=403), "/simple/"),
    "typed, and pages break off": _failing(Fault(reset=True), "/simple/"),
    "typed, and files fail": _failing(Fault(status=404), FILE),
    "typed, and files are others": _failing(Fault(flip=200), FILE),
}


def trial(name: str, folder: Path, wares: Path) -> Hidden:
    """Install with a password written in this place; return where it was found."""
    with ExitStack() as stack:
        desk = _Desk(folder, wares, stack)
        WAYS[name](desk)
        found: list[str] = []
        places = 0
        answers = []
        with _Onlooker(found) as onlooker:
            for words in (("install", "-n", "--json"), ("install", "-v"), ("run",) if not desk.status else ()):
                if words:
                    target = (*desk.words[:1], *(word for word in desk.words if word.startswith(("--", "http")))) \
                        if words == ("run",) else desk.words  # fmt: skip
                    if words == ("run",) and len(target) > 1:
                        target = (*target[1:], target[0])
                    answers.append((words, desk.machine.run(*words, *target, **desk.variables)))
            answers += [
                (words, desk.machine.run(*words))
                for words in (("list", "-v"), ("show", "demo", "--json"), ("history",))
            ]
        places += onlooker.seen
        for words, answer in answers:
            places += 2
            if any(form in (answer.out + answer.err).encode("utf-8", "surrogateescape") for form in _FORMS):
                found.append(f"{' '.join(words)} says it")
        status = answers[1][1].status
        if status != desk.status:
            found.append(f"install ended with {status} instead of {desk.status}: {answers[1][1].err.strip()[-300:]}")
        for path, data in _files(desk.home):
            places += 1
            own = "a page" in name and "/uv/simple-" in str(path)  # what the index told everybody, kept as its page
            if path not in desk.given and not own and any(form in data for form in _FORMS):
                found.append(f"{os.path.relpath(path, desk.home)} holds it")
        for request in desk.other.seen:
            places += 1
            told = f"{request.path} {request.headers}".encode()
            if name in ("typed, and the index sends us elsewhere for files", "in PIP_EXTRA_INDEX_URL") and any(
                form in told for form in _FORMS
            ):
                found.append(f"the other host was told it with {urlsplit(request.path).path}")
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=False)
    return Hidden(name, places, tuple(dict.fromkeys(found)))


def _files(root: Path) -> Iterator[tuple[Path, bytes]]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            if path.is_symlink():
                yield path, os.fsencode(os.readlink(path))
            elif path.is_file():
                yield path, path.read_bytes()


class _Onlooker:
    """Another user of the machine: reads the arguments of every process, again and again."""

    def __init__(self, found: list[str]) -> None:
        self._found = found
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._known: set[str] = set()
        self.seen = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.01):
            for name in os.listdir("/proc"):
                if name.isdigit() and name not in self._known:
                    self._read(name)

    def _read(self, pid: str) -> None:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read()
        except OSError:
            return
        self.seen += 1
        ours = b"detente.cli.main" in words  # what the person typed is theirs to hide
        if not ours and re.search(rb"|".join(map(re.escape, _FORMS)), words):
            self._known.add(pid)
            self._found.append(f"the arguments of a child show it: {os.path.basename(words.split(bytes(1))[0])!r}")
