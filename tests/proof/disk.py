"""Full disks and odd file systems: the old state or the new one, and one sentence that names the place."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

from proof.disk_places import linked_wheel
from proof.disk_trials import CASES, Trial
from proof.figure import Figure
from proof.lab import Lab
from support import images, stock
from support.index import Index
from support.machine import Machine


def measure(lab: Lab) -> Iterable[Figure]:
    """Run every kind of trial; a sample of each where `lab.quick`."""
    reason = images.missing()
    if reason:
        lab.say(f"disk: {reason}")
        return
    stock.fill(lab.scratch / "wares")
    linked_wheel(lab.scratch / "wares")
    names = ["change", "remove", "rollback"] if lab.quick else list(CASES)
    yield _figure(
        lab,
        "a full disk leaves the old state running, says where and how much is free, and leaves nothing but whole "
        "entries and cache",
        f"a tmpfs with from nothing to more than enough left, the cache on it or elsewhere, for {', '.join(names)}; "
        "then the same command with room",
        _trials(lab, "disk_trials:full", names, 3 if lab.quick else 25, False),
        dict(_peers(lab)),
    )
    yield _figure(
        lab,
        "so does one without inodes, and says so",
        "the same with few inodes left",
        _trials(lab, "disk_trials:full", names, 2 if lab.quick else 14, True),
    )
    yield _figure(
        lab,
        "going back, removing and collecting work on a disk without a free block",
        "ext4, filled to the last block by another file",
        _trials(lab, "disk_trials:brimful"),
    )
    yield _figure(
        lab,
        "a read-only disk is read, and never half-changed",
        "ext4 mounted read-only, and ext4 that goes read-only on its own at points spread over all file-changing calls",
        _trials(lab, "disk_trials:read_only", 1 if lab.quick else 16),
    )
    yield _figure(
        lab,
        "data, commands, state, cache and configuration may lie on different file systems, without hard links too",
        "each directory on a file system of its own, then all; links refused with EPERM, EMLINK, EXDEV, EOPNOTSUPP",
        [*_trials(lab, "disk_places:separate"), *_trials(lab, "disk_places:unlinkable")],
    )
    yield _figure(
        lab,
        "a mount without exec is named before anything is changed; a home behind a link or a second mount works",
        "noexec tmpfs, the same mounted anew; HOME is a symbolic link, a bind mount",
        _trials(lab, "disk_places:odd"),
    )
    yield _figure(
        lab,
        "tight limits end in the old state or the new one, and never hang",
        "ulimit -n, -u, -v and -f from ample to hopeless, as a person without privileges; then without the limit",
        _trials(lab, "disk_places:limits", 5 if lab.quick else 1),
    )


def _trials(lab: Lab, name: str, *arguments: Any) -> list[Trial]:
    return list(images.private(f"proof.{name}", lab.scratch, *arguments))


def _figure(lab: Lab, promise: str, how: str, found: list[Trial], peers: dict[str, str] | None = None) -> Figure:
    bad = [(name, words) for name, words in found if words]
    for name, words in bad[:10]:
        lab.say(f"{name}: {words}")
    return Figure(promise, how, len(found), len(bad), peers=peers or {})


def _peers(lab: Lab) -> Iterator[tuple[str, str]]:
    for name in ("uv", "pipx", "pip"):
        program = lab.peer(name)
        if program:
            found = list(images.private("proof.disk:peer", lab.scratch, name, program, 2 if lab.quick else 16))
            bad, after = sum(bool(words) for words, _ in found), sum(bool(words) for _, words in found)
            words = f"{bad} of {len(found)} broken by a change, {after} still with room and the same command again"
            shown = next((one for one, _ in found if one), "")
            yield name, words + (f" (such as: {shown})" if shown else "")


def peer(scratch: Any, name: str, program: str, steps: int) -> Iterator[tuple[str, str]]:
    """Yield what is wrong after the peer's change to app 2.0 on a full disk, and after the same again with room."""
    folder = scratch / f"peer-{name}"
    folder.mkdir()
    place = folder / "home"
    with Index(scratch / "wares") as index:
        machine = Machine(place, index)
        environ = {**machine.environ, "UV_DEFAULT_INDEX": index.url, "UV_PYTHON": "/usr/bin/python3"}
        environ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        python = place / "env/bin/python"
        if name == "pip":
            environ["PATH"] = f"{place / 'env/bin'}:/usr/bin:/bin"
            subprocess.run(["/usr/bin/python3", "-m", "venv", place / "env"], check=True, env=environ)
            machine.bin = place / "env/bin"
            machine.environ["PATH"] = environ["PATH"]
        begin = {
            "uv": [program, "tool", "install"],
            "pipx": [program, "install", "--force"],
            "pip": [program, "--python", python, "install"],
        }[name]
        subprocess.run([*begin, "app==1.0"], env=environ, check=True, capture_output=True)
        place.rename(folder / "saved")

        def lay(left: int | None) -> None:
            images.mount_memory(place, "size=1g")
            subprocess.run(["cp", "-a", f"{folder / 'saved'}/.", place], check=True)
            if left is not None:
                images.remount(place, f"size={shutil.disk_usage(place).used + left}")

        lay(None)
        before = shutil.disk_usage(place).used
        subprocess.run([*begin, "app==2.0"], env=environ, check=True, capture_output=True)
        need = max(shutil.disk_usage(place).used - before, 600_000)
        images.unmount(place)
        for step in range(steps):
            lay(need * step // (steps - 1))
            environ["XDG_CACHE_HOME"] = str(folder / "cache" if step % 2 else place / ".cache")
            done = subprocess.run([*begin, "app==2.0"], env=environ, capture_output=True)
            said = stock.answers(machine).get("app", "absent")
            first = "" if said == ("app 1.0" if done.returncode else "app 2.0") else said.splitlines()[-1]
            images.remount(place, "size=1g")
            done = subprocess.run([*begin, "app==2.0"], env=environ, capture_output=True)
            said = stock.answers(machine).get("app", "absent")
            yield first, "" if done.returncode == 0 and said == "app 2.0" else said
            images.unmount(place)
