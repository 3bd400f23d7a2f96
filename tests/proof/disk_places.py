"""Odd file systems and tight limits: the trials of the section `disk` where the place itself is unusual.

Each is a generator for `images.private`, and yields (name, what is wrong or "") for every trial.
"""

import errno
import os
import struct
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

from proof.disk_trials import Home, Trial, at_home, one_sentence, state
from support import images, moments, stock
from support.index import Index
from support.machine import SOURCE, Answer, Machine, engine
from support.wheels import make_wheel

_OLD, _NEW = {"app": "app 1.0"}, {"app": "app 2.0"}

_SEPARATE = {
    "data": ".local/share",
    "commands": ".local/bin",
    "state": ".local/state",
    "cache": ".cache",
    "configuration": ".config",
    "environments": ".local/share/detente/envs",
    "generations": ".local/share/detente/generations",
    "store": ".local/share/detente/store",
    "downloads": ".local/share/detente/downloads",
}


def separate(scratch: Path, names: Sequence[str] = ()) -> Iterator[Trial]:
    """Lay each part of the home, and then all at once, on file systems of their own; of some only where `names`."""
    with at_home(scratch) as home:
        for name, below in {**_SEPARATE, "all": ""}.items():
            if names and name not in names:
                continue
            home.memory()
            for one in [below] if below else _SEPARATE.values():
                home.memory(one)
            wrong = ""
            for words, wanted in (
                (("install", "app==1.0", "linked"), {"app": "app 1.0", "linked": "linked 1.0"}),
                (("install", "app==2.0"), {"app": "app 2.0", "linked": "linked 1.0"}),
                (("rollback",), {"app": "app 1.0", "linked": "linked 1.0"}),
                (("remove", "app"), {"linked": "linked 1.0"}),
                (("collect", "--keep", "1"), {"linked": "linked 1.0"}),
            ):
                answer = home.machine.run(*words)
                seen = stock.answers(home.machine)
                if answer.status != 0 or seen != wanted:
                    wrong = wrong or f"after {' '.join(words)}: {answer.err} {seen}"
            yield f"{name} on a file system of its own", wrong or "; ".join(stock.damage(home.machine.data)[:3])
            home.clear()


def unlinkable(scratch: Path) -> Iterator[Trial]:
    """Refuse hard links as file systems without them do."""
    with at_home(scratch) as home:
        home.memory()
        home.machine.ok("install", "linked")
        library = next((home.machine.data / "store").glob("linked-*/lib/linked/x.so"))
        yield "hard links where they are to be had", "" if library.stat().st_nlink == 2 else "there is no second link"
        home.clear()
        for code in (errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP):
            home.memory()
            done = moments.run(home.machine, 0, "install", "linked", do="refuse os.link", path=str(code))
            wanted = {"linked": "linked 1.0"}
            name = f"no hard links ({errno.errorcode[code]})"
            yield name, done.stderr if done.returncode else state(home, wanted)
            home.clear()


def odd(scratch: Path) -> Iterator[Trial]:
    """Mount without exec; reach the home through a symbolic link, and through a second mount of it."""
    with at_home(scratch) as home:
        place = home.memory(options="noexec")
        answer = home.machine.run("install", "app")
        yield "noexec", one_sentence(answer, "noexec", str(place)) or state(home, {})
        images.remount(place, "exec")
        yield "exec again", _installs(home)
        home.clear()
        for name in ("symbolic link", "second mount"):
            real = home.place.parent / f"real-{name[:6]}"
            home.memory(f"../{real.name}")
            other = Home.__new__(Home)
            other.place = home.place.parent / f"other-{name[:6]}"
            if name == "symbolic link":
                other.place.symlink_to(real)
            else:
                images.bind(real, other.place)
            other.machine = Machine(other.place, home.index)
            wrong = ""
            steps = ((("install", "app==1.0"), _OLD), (("install", "app==2.0"), _NEW), (("rollback",), _OLD))
            for words, wanted in steps:
                answer = other.machine.run(*words)
                wrong = wrong or (answer.err if answer.status else state(other, wanted))
            straight = Machine(real, home.index)
            said = straight.call("app").out.strip()
            yield f"home is a {name}", wrong or ("" if said == "app 1.0" else f"by the real name it says {said}")
            if name == "second mount":
                images.unmount(other.place)
            home.clear()


def _installs(home: Home) -> str:
    answer = home.machine.run("install", "app")
    return answer.err if answer.status else state(home, _NEW)


_LIMITS = (
    ("--nofile", (64, 40, 24, 16, 12, 8)),
    ("--as", (1000, 700, 500, 350, 250, 200, 150, 120, 90, 60, 40)),  # MB
    ("--nproc", (40, 20, 12, 8, 6, 5, 4, 3, 2)),
    ("--fsize", (1000, 300, 100, 30, 10, 1, 0)),  # kB
)
_UNIT = {"--as": 1 << 20, "--fsize": 1000}


def limits(scratch: Path, every: int) -> Iterator[Trial]:
    """Change an application under each limit, as a person without privileges: done, or refused whole, and in time.

    A root user is spared some limits, so everything is shown below /mnt, where another user may read it.
    """
    images.mount_memory(Path("/mnt"), "mode=755")
    top = Path("/mnt/limits")
    top.mkdir()
    images.bind(SOURCE, top / "source")
    images.bind(Path(sysconfig.get_path("purelib")), top / "libraries")
    images.bind(Path(engine()).parent, top / "programs")
    with Index(scratch / "wares") as index:
        for name, values in _LIMITS:
            for value in values[::every]:
                place = top / f"home{name}-{value}"
                place.mkdir()
                os.chown(place, 65533, 65533)
                machine = Machine(place, index)
                machine.environ["DETENTE_UV"] = str(top / "programs" / Path(engine()).name)
                _as_person(machine, [], "install", "app==1.0")
                limit = value * _UNIT.get(name, 1)
                answer = _as_person(machine, ["prlimit", f"{name}={limit}"], "install", "app==2.0")
                yield f"{name} {limit}", _within(machine, answer)


def _within(machine: Machine, answer: Answer) -> str:
    seen = stock.answers(machine)
    if answer.status == 0:
        return "" if seen == _NEW else f"status 0, and {seen}"
    if answer.status == -124:
        return "it did not end within 60 s"
    # so tight that Python or the loader of programs cannot even begin: not ours to word
    early = "error: " not in answer.err and ("detente" not in answer.err or "MemoryError" in answer.err)
    wrong = "" if early else one_sentence(answer)
    wrong = wrong or ("" if seen == _OLD else f"the state is {seen}")
    again = _as_person(machine, [], "install", "app==2.0")
    return wrong or ("" if again.status == 0 and stock.answers(machine) == _NEW else f"without it: {again.err}")


def _as_person(machine: Machine, limit: Sequence[str], *words: str) -> Answer:
    top = machine.home.parent
    argv = [os.path.realpath(sys.executable), *machine.argv(*words)[1:]]
    argv[5:7] = [str(top / "source"), str(top / "libraries")]
    person = ["setpriv", "--reuid=65533", "--regid=65533", "--clear-groups"]
    try:
        done = subprocess.run(
            [*person, *limit, *argv],
            env=machine.environ,
            cwd=machine.home,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
    except subprocess.TimeoutExpired:
        return Answer(-124, "", "")
    return Answer(done.returncode, done.stdout, done.stderr)


def linked_wheel(folder: Path) -> None:
    """Put a wheel into `folder` whose files must be hard-linked: a library of it looks for one beside site-packages."""
    files = {"linked/__init__.py": 'def main():\n    print("linked 1.0")\n', "linked/x.so": _climbing()}
    make_wheel(folder, "linked", "1.0", files=files, commands={"linked": "linked:main"})


def _climbing() -> bytes:
    """Return the smallest ELF library that needs `libfar.so` by the path `$ORIGIN/../faraway`."""
    strings = b"\0libfar.so\0$ORIGIN/../faraway\0"
    at = 64 + 2 * 56
    dynamic = b"".join(
        struct.pack("<qQ", *pair) for pair in ((1, 1), (29, 11), (5, at + 5 * 16), (10, len(strings)), (0, 0))
    )
    whole = at + len(dynamic) + len(strings)
    table = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, whole, whole, 8)
    table += struct.pack("<IIQQQQQQ", 2, 4, at, at, at, len(dynamic), len(dynamic), 8)
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    return head + table + dynamic + strings
