"""File systems of our own on loop devices, in a mount namespace that ends with the process.

Whatever happens in `private`, nothing of it is seen outside, and nothing stays mounted: the namespace, its mounts and
their loop devices go with the last process in it (mount_namespaces(7)).
"""

import ctypes
import importlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PATH = f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin"
_ENTER = "import sys; sys.path[:0] = sys.argv[2:]; from support.images import _inside; _inside(int(sys.argv[1]))"
SIZES = {"ext4": 96, "xfs": 320, "btrfs": 320}  # MB; the least that mkfs takes, and room for what we install


def missing() -> str:
    """Return why no image can be mounted here, "" where it can."""
    if os.geteuid() != 0:
        return "needs root: it mounts file systems of its own"
    if not shutil.which("mkfs.ext4", path=_PATH) or not shutil.which("unshare", path=_PATH):
        return "needs mkfs.ext4 and unshare: apt install e2fsprogs util-linux"
    return "" if "ext4" in kinds() else "no loop device can be mounted here"


def kinds() -> tuple[str, ...]:
    """Return those of ext4, xfs and btrfs that can be made and mounted here, by trying."""
    if not _known:
        _known.extend(private("support.images:try_kinds"))
    return tuple(_known)


_known: list[str] = []


def try_kinds() -> Iterator[str]:
    """Yield each kind of file system that can be mounted; called inside a namespace of its own."""
    with tempfile.TemporaryDirectory(prefix="detente-images-") as folder:
        for kind in SIZES:
            image, place = Path(folder, kind), Path(folder, "place")
            try:
                make(image, kind)
                mount(image, place)
            except (OSError, subprocess.CalledProcessError):
                continue
            unmount(place)
            yield kind


def private(name: str, *arguments: Any) -> Iterator[Any]:
    """Yield what the generator function `name` ("module:function") yields in a mount namespace of its own.

    Arguments and answers are pickled. An exception there is a RuntimeError here, with its traceback as words.
    """
    answers, theirs = os.pipe()
    argv = ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", _ENTER, str(theirs), *sys.path]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, pass_fds=[theirs], env={**os.environ, "PATH": _PATH})
    os.close(theirs)
    try:
        assert child.stdin is not None
        with child.stdin:
            pickle.dump((name, arguments), child.stdin)
        with os.fdopen(answers, "rb") as stream:
            while True:
                try:
                    word, value = pickle.load(stream)
                except EOFError:
                    break
                if word == "failed":
                    raise RuntimeError(value)
                yield value
        if child.wait() != 0:
            raise RuntimeError(f"{name} ended with {child.returncode}")
    finally:
        child.kill()
        child.wait()


def _inside(answers: int) -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: we end with whoever asked
    os.set_inheritable(answers, False)
    name, arguments = pickle.load(sys.stdin.buffer)
    module, _, function = name.partition(":")
    with os.fdopen(answers, "wb", buffering=0) as stream:
        try:
            for one in getattr(importlib.import_module(module), function)(*arguments):
                stream.write(pickle.dumps(("one", one)))
        except BaseException:
            stream.write(pickle.dumps(("failed", traceback.format_exc())))
            raise


def make(image: Path, kind: str, *options: str, megabytes: int = 0) -> None:
    """Make an empty file system of `kind` in the new file `image`."""
    with image.open("wb") as stream:
        stream.truncate((megabytes or SIZES[kind]) << 20)
    more = ["-E", "lazy_itable_init=0,lazy_journal_init=0"] if kind == "ext4" else []
    _run(f"mkfs.{kind}", "-q", *more, *options, str(image))


def mount(image: Path, place: Path, options: str = "") -> None:
    """Mount `image` at `place`, which is made where missing."""
    place.mkdir(parents=True, exist_ok=True)
    _run("mount", "-o", ",".join(filter(None, ("loop", options))), str(image), str(place))


def mount_memory(place: Path, options: str = "") -> None:
    """Mount an empty tmpfs at `place`, which is made where missing."""
    place.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", *(["-o", options] if options else []), "tmpfs", str(place))


def remount(place: Path, options: str) -> None:
    """Change the options of the mount at `place`."""
    _run("mount", "-o", f"remount,{options}", str(place))


def bind(source: Path, place: Path) -> None:
    """Show the directory `source` at `place` too, which is made where missing."""
    place.mkdir(parents=True, exist_ok=True)
    _run("mount", "--bind", str(source), str(place))


def unmount(place: Path) -> None:
    """Take the mount at `place` away; children of a killed process get a moment to end first."""
    for _ in range(100):
        if subprocess.run(["umount", str(place)], capture_output=True, env={"PATH": _PATH}).returncode == 0:
            break
        time.sleep(0.02)
    else:
        raise OSError(f"{place} is still busy")
    if shutil.which("btrfs", path=_PATH):  # it remembers disks that are gone, and takes a copy of one for the other
        subprocess.run(["btrfs", "device", "scan", "--forget"], capture_output=True, env={"PATH": _PATH})


def device(place: Path) -> str:
    """Return the name of the loop device mounted at `place`, as in /sys/block."""
    return Path(f"/sys/dev/block/{os.major(place.stat().st_dev)}:{os.minor(place.stat().st_dev)}").resolve().name


def copy(image: Path, to: Path) -> None:
    """Copy the file `image` as it is now, holes and all."""
    _run("cp", "--sparse=always", str(image), str(to))


def commit(place: Path) -> None:
    """Make the file system at `place` commit its journal: fsync(2) of a file that has nothing to do with detente."""
    fd = os.open(place / "unrelated", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(fd, b"x")
        os.fsync(fd)
    finally:
        os.close(fd)


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, env={"PATH": _PATH, "LANG": "C"})
    if done.returncode != 0:
        raise OSError(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")
