"""Full and read-only disks: the trials of the section `disk` that change one under a command's hands.

Each is a generator for `images.private`, and yields (name, what is wrong or "") for every trial.
"""

import errno
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from support import images, moments, stock
from support.index import Index
from support.machine import Answer, Machine

Trial = tuple[str, str]
_OLD, _NEW, _BOTH = {"app": "app 1.0"}, {"app": "app 2.0"}, {"app": "app 2.0", "other": "other 1.0"}


class Case(NamedTuple):
    """A command, what comes before it, what is there before and after it, and whether a full disk may stop it."""

    before: tuple[tuple[str, ...], ...]
    words: tuple[str, ...]
    old: dict[str, str]
    new: dict[str, str]
    needs_room: bool


CASES = {
    "install": Case((("install", "app==1.0"),), ("install", "other"), _OLD, {**_OLD, "other": "other 1.0"}, True),
    "change": Case((("install", "app==1.0"),), ("install", "app==2.0"), _OLD, _NEW, True),
    "remove": Case((("install", "app", "other"),), ("remove", "app"), _BOTH, {"other": "other 1.0"}, False),
    "rollback": Case((("install", "app==1.0"), ("install", "app==2.0")), ("rollback",), _NEW, _OLD, False),
    "collect": Case((("install", "app==1.0"), ("install", "app==2.0")), ("collect", "--keep", "1"), _NEW, _NEW, False),
}


class Home:
    """A person's home that can be laid on file systems of our choice, again and again from the same beginning."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.place, self.saved, self.index = folder / "home", folder / "saved", index
        self.place.mkdir()
        self.machine = Machine(self.place, index)
        self._mounts: list[Path] = []

    def keep(self, case: Case) -> None:
        """Do what comes before `case`, and keep the home as it is then."""
        self.clear()
        for words in case.before:
            self.machine.ok(*words)
        subprocess.run(["rm", "-rf", "--one-file-system", str(self.saved)], check=True)
        subprocess.run(["cp", "-a", str(self.place), str(self.saved)], check=True)
        subprocess.run(["rm", "-rf", "--one-file-system", str(self.place)], check=True)
        self.place.mkdir()

    def fill(self, below: str = "") -> None:
        """Put what was kept onto what is mounted."""
        subprocess.run(["cp", "-a", f"{self.saved / below}/.", str(self.place / below)], check=True)

    def memory(self, below: str = "", options: str = "") -> Path:
        """Mount an empty tmpfs at the home, or at `below` in it."""
        place = self.place / below if below else self.place
        images.mount_memory(place, options)
        self._mounts.append(place)
        return place

    def image(self, image: Path, options: str = "") -> None:
        """Mount the file `image` as the home."""
        images.mount(image, self.place, options)
        self._mounts.append(self.place)

    def bound(self, below: str) -> None:
        """Make the directory `below` a mount of its own, as a bind mount of itself."""
        images.bind(self.place / below, self.place / below)
        self._mounts.append(self.place / below)

    def clear(self) -> None:
        """Unmount all of it."""
        while self._mounts:
            images.unmount(self._mounts.pop())


@contextmanager
def at_home(scratch: Path) -> Iterator[Home]:
    """Give a home below a directory of this process's own, with the wares on an index."""
    folder = scratch / f"home-{os.getpid()}"
    folder.mkdir()
    with Index(scratch / "wares") as index:
        home = Home(folder, index)
        try:
            yield home
        finally:
            home.clear()
            subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=False)


def one_sentence(answer: Answer, *words: str) -> str:
    """Return what is wrong with how `answer` reports a failure: one error that says `words`, no traceback."""
    lines = [line for line in answer.err.splitlines() if line.startswith("error: ")]
    if answer.status != 1 or len(lines) != 1 or "Traceback" in answer.err or "bug" in lines[0]:
        return f"status {answer.status}, and said: {answer.err.strip()[-600:]}"
    absent = [word for word in words if word not in answer.err]
    return f"it does not say {absent}: {answer.err.strip()[-600:]}" if absent else ""


def state(home: Home, wanted: dict[str, str]) -> str:
    """Return what is wrong with the state where it should be `wanted`."""
    seen = stock.answers(home.machine)
    return f"the state is {seen}" if seen != wanted else "; ".join(stock.damage(home.machine.data)[:3])


def full(scratch: Path, names: Sequence[str], steps: int, inodes: bool) -> Iterator[Trial]:
    """Fill the disk, or use up its inodes, so that from nothing to more than enough is left."""
    with at_home(scratch) as home:
        for name in names:
            case = CASES[name]
            environ = home.machine.environ
            home.keep(case)
            need = _need(home, case, inodes)
            for step in range(steps):
                left = need * step * 5 // (4 * max(1, steps - 1))
                place = home.memory(options="size=1g,nr_inodes=1000000")
                home.fill()
                used = _used(place, inodes)
                # every other time the cache lies elsewhere: then it is the data that meets the end of the disk
                cache = {"XDG_CACHE_HOME": str(home.saved.parent / "cache")} if step % 2 else {}
                home.machine.environ = {**environ, **cache}
                images.remount(place, f"nr_inodes={used + left}" if inodes else f"size={used + left}")
                unit = "inodes" if inodes else "bytes"
                yield f"{name} with {left} {unit} left", _in_full(home, case, place, inodes, left)
                home.clear()
            home.machine.environ = environ


def _used(place: Path, inodes: bool) -> int:
    info = os.statvfs(place)
    return info.f_files - info.f_ffree if inodes else (info.f_blocks - info.f_bfree) * info.f_frsize


def _need(home: Home, case: Case, inodes: bool) -> int:
    place = home.memory(options="size=1g,nr_inodes=1000000")
    home.fill()
    before = _used(place, inodes)
    home.machine.ok(*case.words)
    need = _used(place, inodes) - before
    home.clear()
    return max(need, 64 if inodes else 1 << 16)


def _kept(home: Home) -> int:
    """Return the bytes that lie below ~/.local: the cache, which is the engine's, goes on being of use."""
    found = 0
    for folder, _, names in os.walk(home.machine.home / ".local"):
        found += sum(os.lstat(os.path.join(folder, name)).st_blocks * 512 for name in names)
    return found


def _in_full(home: Home, case: Case, place: Path, inodes: bool, left: int) -> str:
    before = _kept(home)
    answer = home.machine.run(*case.words)
    if answer.status == 0:
        return state(home, case.new)
    if not case.needs_room:
        return f"it needs no room, and failed: {answer.err}"
    wrong = one_sentence(answer, "no inodes" if inodes else "disk is full", f"free on {home.place}")
    wrong = wrong or state(home, case.old)
    if stock.staged(home.machine):
        wrong = wrong or f"left behind: {stock.staged(home.machine)}"
    if not inodes and _kept(home) > before + 40_000:  # entries that are whole: the same command would find them
        home.machine.run("collect")
    if not inodes and _kept(home) > before + 40_000:
        wrong = (
            wrong
            or f"{_kept(home) - before} bytes more are taken afterwards, apart from the cache and what collect frees"
        )
    images.remount(place, "size=1g,nr_inodes=1000000")
    return wrong or _again(home, case)


def _free(place: Path, inodes: bool) -> int:
    info = os.statvfs(place)
    return info.f_ffree if inodes else info.f_bfree * info.f_frsize


def _again(home: Home, case: Case) -> str:
    answer = home.machine.run(*case.words)
    return f"with room it fails too: {answer.err}" if answer.status else state(home, case.new)


def brimful(scratch: Path) -> Iterator[Trial]:
    """Remove, roll back and collect on an ext4 without one free block, where no tmpfs rounds in our favour."""
    with at_home(scratch) as home:
        for name in ("remove", "rollback", "collect"):
            case = CASES[name]
            home.keep(case)
            image = home.saved.parent / "image"
            images.make(image, "ext4", "-m", "0")
            home.image(image)
            home.fill()
            with (home.place / "ballast").open("wb", buffering=0) as stream:
                for size in (1 << 20, 4096, 4096):
                    try:
                        while True:
                            stream.write(bytes(size))
                    except OSError as err:
                        if err.errno != errno.ENOSPC:
                            raise
                    os.fsync(stream.fileno())  # what was only promised is known now
            answer = home.machine.run(*case.words)
            yield f"{name} on a full ext4", state(home, case.new) if answer.status == 0 else answer.err
            home.clear()


def read_only(scratch: Path, points: int) -> Iterator[Trial]:
    """Mount the home read-only before; and let ext4 go read-only in the middle, as it does after an I/O error."""
    with at_home(scratch) as home:
        for name, case in CASES.items():
            home.keep(case)
            image, disk = home.saved.parent / "image", home.saved.parent / "disk"
            images.make(image, "ext4")
            home.image(image)
            home.fill()
            home.clear()
            images.copy(image, disk)
            home.image(disk, "ro")
            wrong = one_sentence(home.machine.run(*case.words), "read-only", str(home.place))
            for words in (("list",), ("history",), ("show", "app")):
                answer = home.machine.run(*words)
                wrong = wrong or (f"{words[0]} fails: {answer.err}" if answer.status else "")
            yield f"{name}, read-only before", wrong or state(home, case.old)
            home.clear()
            total = _count(home, image, disk, case)
            for point in sorted({1 + total * n // points for n in range(points)}):
                yield f"{name}, read-only from call {point} of {total} on", _midway(home, image, disk, case, point)
                home.clear()


def _count(home: Home, image: Path, disk: Path, case: Case) -> int:
    images.copy(image, disk)
    home.image(disk)
    done = moments.run(home.machine, 0, *case.words)
    home.clear()
    return moments.calls(done)


def _midway(home: Home, image: Path, disk: Path, case: Case, point: int) -> str:
    images.copy(image, disk)
    home.image(disk, "errors=remount-ro")
    trigger = f"/sys/fs/ext4/{images.device(home.place)}/trigger_fs_error"
    done = moments.run(home.machine, point, *case.words, do="write", path=trigger)
    answer = Answer(done.returncode, done.stdout, done.stderr)
    seen = stock.answers(home.machine)
    wrong = ""
    if answer.status not in (0, 10):
        wrong = one_sentence(answer)
        # the change may be made, and not shown or not confirmed: then the message says so, and each command works
        if not wrong and "the change is made" not in answer.err and seen != case.old:
            wrong = f"not the old state: {seen}"
    if any(seen.get(name) not in (case.old.get(name), case.new.get(name)) for name in case.old | case.new | seen):
        wrong = f"neither old nor new: {seen}"
    home.clear()
    subprocess.run(["e2fsck", "-p", "-f", disk], capture_output=True, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"})
    home.image(disk)
    return wrong or _again(home, case)
