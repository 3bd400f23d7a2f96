"""Applications whose commands or start-up code would reach further than their own environment."""

import base64
import hashlib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.machine import Machine
from support.wheels import make_wheel

REFUSED, ASKED, LEFT_OUT = "refused", "asked about", "left out"
SCRIPT = "#!/bin/sh\necho evil\n"
CODE = "import os; os.environ.get('EVIL')\n"
DISTRO = ("ls", "cat", "sh", "env", "test", "[", "login", "passwd", "su", "mount", "tar", "grep", "dpkg", "apt", "perl")
ABSENT = ("sudo", "doas", "pkexec", "ssh", "ssh-add", "gpg", "dnf", "pacman", "snap", "systemctl")
INSTALLER = (
    "python",
    "python3",
    "python3.11",
    "python3.11-config",
    "pythonw",
    "pip",
    "pip3",
    "pip3.11",
    "pypy3",
    "PIP",
)
SITE = "lib/python3.11/site-packages"


@dataclass(frozen=True)
class Case:
    """`make` writes the wheel; it is `expected` to be refused, asked about, or to install with `hidden` left out.

    `says` is what the answer must name; `prepare` puts onto the machine what is there before.
    """

    group: str
    name: str
    make: Callable[[Path], Path]
    expected: str
    says: str
    hidden: str = ""
    prepare: Callable[[Machine], None] = lambda machine: None

    @property
    def title(self) -> str:
        """What a report calls it."""
        return f"{self.group}: {self.name}"


def cases() -> Iterator[Case]:
    """Yield every case."""
    for name in DISTRO:
        if Path("/usr/bin", name).exists() and name != "[":
            yield Case("the distribution's command", name, _command(name), REFUSED, f"/usr/bin/{name}", name)
    for name in ABSENT:
        yield Case("a command of the system", name, _command(name), REFUSED, f"the command {name} ", name)
    for name in INSTALLER:
        yield Case("the interpreter or its installer", name, _command(name), LEFT_OUT, f"{name} of app is not", name)
    for name, prepare in _OTHERS.items():
        yield Case("somebody's command", name, _command("tool"), REFUSED, "the command tool ", "", prepare)
    for name, script in _SCRIPTS.items():
        yield Case("a script's name", name, _script(script), LEFT_OUT, "is not exposed", script)
    for name, (data, expected, says) in _DATA.items():
        yield Case("data that are commands", name, _data(data), expected, says, data.rpartition("/")[2])
    for name, (files, says) in _STARTUP.items():
        yield Case("start-up code", name, _files(files), ASKED, says)


def _command(name: str) -> Callable[[Path], Path]:
    return lambda folder: make_wheel(folder, "app", "1.0", commands={name: "app:main", "app": "app:main"})


def _script(name: str) -> Callable[[Path], Path]:
    return lambda folder: make_wheel(folder, "app", "1.0", commands=["app"], scripts={name: SCRIPT})


def _data(name: str) -> Callable[[Path], Path]:
    return lambda folder: make_wheel(folder, "app", "1.0", commands=["app"], data={name: SCRIPT})


def _files(files: Mapping[str, str | bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        wheel = make_wheel(folder, "app", "1.0", commands=["app"])
        _add(wheel, files)
        return wheel

    return make


def _add(wheel: Path, files: Mapping[str, str | bytes]) -> None:
    """Put members into a wheel, and into its RECORD."""
    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    record = next(name for name in members if name.endswith("/RECORD"))
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        members[name] = data
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        members[record] = f"{name},sha256={digest},{len(data)}\n".encode() + members[record]
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def _plain(machine: Machine) -> None:
    machine.bin.mkdir(parents=True)
    (machine.bin / "tool").write_text(SCRIPT)
    (machine.bin / "tool").chmod(0o755)


def _not_executable(machine: Machine) -> None:
    machine.bin.mkdir(parents=True)
    (machine.bin / "tool").write_text("notes\n")


def _directory(machine: Machine) -> None:
    (machine.bin / "tool").mkdir(parents=True)


def _link_to_nowhere(machine: Machine) -> None:
    machine.bin.mkdir(parents=True)
    (machine.bin / "tool").symlink_to("/nonexistent/tool")


def _pipx(machine: Machine) -> None:
    place = machine.home / ".local/share/pipx/venvs/tool/bin/tool"
    place.parent.mkdir(parents=True)
    place.write_text(SCRIPT)
    place.chmod(0o755)
    machine.bin.mkdir(parents=True)
    (machine.bin / "tool").symlink_to(place)


def _on_path(machine: Machine) -> None:
    place = machine.home / "tools/tool"
    place.parent.mkdir()
    place.write_text(SCRIPT)
    place.chmod(0o755)
    machine.environ["PATH"] += f":{place.parent}"


def _another_application(machine: Machine) -> None:
    other = make_wheel(machine.home / "before", "other", "1.0", commands={"tool": "other:main"})
    machine.ok("install", str(other))


_OTHERS = {
    "a file of the person's": _plain,
    "a file that cannot run": _not_executable,
    "a directory": _directory,
    "a link to nowhere": _link_to_nowhere,
    "a tool of pipx": _pipx,
    "a tool elsewhere on PATH": _on_path,
    "another application's": _another_application,
}

_SCRIPTS = {
    "two words": "two words",
    "a semicolon": "a;reboot",
    "a substitution": "$(reboot)",
    "a backquote": "`reboot`",
    "hidden": ".profile",
    "a letter that looks like another": "l\u0455",
    "an emoji": "\N{SNAKE}",
    "a bracket": "[",
    "a quote": "it's",
    "an asterisk": "*",
    "an equals sign": "PATH=x",
}

_DATA = {
    "a command of the distribution": ("bin/ls", LEFT_OUT, ""),
    "a command that asks for a password": ("bin/sudo", LEFT_OUT, ""),
    "the environment's Python": ("bin/python", REFUSED, "bin/python"),
    "the environment's other Python": ("bin/python3", REFUSED, "bin/python3"),
    "its own command": ("bin/app", REFUSED, "bin/app"),
    "its own launcher": ("launch/app", REFUSED, "launch"),
    "the environment's configuration": ("pyvenv.cfg", REFUSED, "pyvenv.cfg"),
    "the environment's record": ("environment.json", REFUSED, "environment.json"),
    "a system program": ("sbin/mount", LEFT_OUT, ""),
}

_STARTUP: dict[str, tuple[dict[str, str | bytes], str]] = {
    "code": ({"x.pth": CODE}, "x.pth"),
    "code on the last line, without its end": ({"x.pth": "nowhere\nimport os"}, "x.pth"),
    "code after a tab": ({"x.pth": "import\tos\n"}, "x.pth"),
    "code after a byte order mark": ({"x.pth": b"\xef\xbb\xbfimport os\n"}, "x.pth"),
    "code after a carriage return": ({"x.pth": "# x\rimport os\r"}, "x.pth"),
    "code with Windows' line ends": ({"x.pth": "# x\r\nimport os\r\n"}, "x.pth"),
    "code after a Latin-1 line end": ({"x.pth": b"# x\x85import os"}, "x.pth"),
    "code in a file that is not UTF-8": ({"x.pth": b"# \xe9\nimport os\n"}, "x.pth"),
    "code in UTF-16": ({"x.pth": CODE.encode("utf-16")}, "x.pth"),
    "code after a megabyte of comment": ({"x.pth": "# x\n" * (300 << 10) + CODE}, "x.pth"),
    "code in a hidden file": ({".x.pth": CODE}, ".x.pth"),
    "code in a file without a name": ({".pth": CODE}, ".pth"),
    "code in purelib": ({"app-1.0.data/purelib/x.pth": CODE}, "x.pth"),
    "code in platlib": ({"app-1.0.data/platlib/x.pth": CODE}, "x.pth"),
    "code by way of data": ({f"app-1.0.data/data/{SITE}/x.pth": CODE}, "x.pth"),
    "code by way of data for any Python": ({"app-1.0.data/data/lib/python3/site-packages/x.pth": CODE}, "x.pth"),
    "code under the name of a known one": ({"distutils-precedence.pth": CODE}, "distutils-precedence.pth"),
    "code under the name of another known one": ({"a1_coverage.pth": CODE}, "a1_coverage.pth"),
    "a start-up entry point": ({"x.start": "app:main\n"}, "x.start"),
    "a directory for the search path": ({"x.pth": "app_hidden\n"}, "x.pth"),
    "a directory with a sitecustomize": ({"x.pth": "hidden\n", "hidden/sitecustomize.py": CODE}, "x.pth"),
    "a directory elsewhere": ({"x.pth": "/tmp/evil\n"}, "x.pth"),
    "a directory above": ({"x.pth": "../../../evil\n"}, "x.pth"),
    "sitecustomize": ({"sitecustomize.py": CODE}, "sitecustomize.py"),
    "usercustomize": ({"usercustomize.py": CODE}, "usercustomize.py"),
    "sitecustomize as a package": ({"sitecustomize/__init__.py": CODE}, "sitecustomize/__init__.py"),
    "usercustomize as a package": ({"usercustomize/__init__.py": CODE}, "usercustomize/__init__.py"),
    "sitecustomize, compiled": ({"sitecustomize.pyc": b"x"}, "sitecustomize.pyc"),
    "sitecustomize as an extension": (
        {"sitecustomize.cpython-311-x86_64-linux-gnu.so": b"x"},
        "sitecustomize.cpython-311",
    ),
    "sitecustomize by way of purelib": ({"app-1.0.data/purelib/sitecustomize.py": CODE}, "sitecustomize.py"),
    "sitecustomize by way of data": ({f"app-1.0.data/data/{SITE}/sitecustomize.py": CODE}, "sitecustomize.py"),
}
