"""Put what was made anew in the place of what was damaged, keeping in quarantine what nobody of ours wrote.

A kill leaves the damaged or the whole one under the name, and at most a staged directory that is swept away.
"""

import os
import stat
import time
from collections.abc import Iterable

from detente.host import exchange, fs
from detente.host.paths import Paths
from detente.plan.damage import BYTECODE, MISSING, MODE, NEEDS, Finding
from detente.store import verify, witness
from detente.store.layout import CACHES

OF = "of"  # the file of a quarantined one that says what it was part of
_KEPT_AT_MOST = 1 << 30  # bytes of one file


def publish_entry(paths: Paths, staged: fs.Staged, name: str) -> None:
    """Give `staged`, an entry just made, its name: a damaged one under that name makes room, a whole one stays."""
    final = os.path.join(paths.store, name)
    if os.path.lexists(final):
        findings = () if witness.unchanged(paths, name) else verify.check(paths, name).findings
        if all(item.kind in (BYTECODE, MODE) for item in findings):  # maybe just being compiled; that needs no wheel
            staged.discard()
            return
        put_in_place(paths, staged, final, findings)
    elif not staged.publish(final):
        return
    witness.attest_entry(paths, name)


def put_in_place(paths: Paths, staged: fs.Staged, final: str, findings: Iterable[Finding]) -> None:
    """Let `staged` take the name `final`; of what was there, all that `findings` name goes to quarantine."""
    keep(paths, final, findings)
    kind, name = os.path.basename(os.path.dirname(final)), os.path.basename(final)
    witness.forget(paths, kind, [name])
    if os.path.isdir(final) and not os.path.islink(final):
        exchange.exchange(staged.path, final)
        staged.discard()
        return
    if os.path.lexists(final):
        os.unlink(final)
    staged.publish(final)


def keep(paths: Paths, top: str, findings: Iterable[Finding]) -> str:
    """Copy what `findings` name below `top` to quarantine, without a right to run; return the directory or ""."""
    folder = ""
    for path in sorted({item.path for item in findings if item.kind not in (MISSING, MODE, NEEDS)}):
        place = os.path.join(top, path) if path else top
        if not os.path.lexists(place):
            continue
        if not folder:
            folder = os.path.join(paths.state, "quarantine", str(time.time_ns()))
            fs.make_directory(folder, 0o700)
            fs.write_file(os.path.join(folder, OF), os.fsencode(top) + b"\n")
        _copy(place, os.path.join(folder, "files", path))
    return folder


def _copy(place: str, into: str) -> None:
    import shutil

    info = os.lstat(place)
    os.makedirs(os.path.dirname(into), exist_ok=True)
    if not stat.S_ISLNK(info.st_mode) and not info.st_mode & stat.S_IRUSR:
        os.chmod(place, stat.S_IMODE(info.st_mode) | 0o500)  # it goes away as soon as it is copied
    if stat.S_ISLNK(info.st_mode):
        os.symlink(os.readlink(place), into)
    elif stat.S_ISDIR(info.st_mode):
        os.makedirs(into, exist_ok=True)
        for name in os.listdir(place):
            _copy(os.path.join(place, name), os.path.join(into, name))
    elif stat.S_ISREG(info.st_mode) and info.st_size <= _KEPT_AT_MOST:
        shutil.copyfile(place, into)


def stage_without_bytecode(paths: Paths, name: str) -> fs.Staged:
    """Copy entry `name`, whose files were found whole, beside itself, without what was compiled; not sealed."""
    import shutil

    top = os.path.join(paths.store, name)
    staged = fs.Staged(paths.store)
    try:
        for folder, below, names in os.walk(top):
            inner = os.path.relpath(folder, top)
            if inner.split("/")[0] == witness.MARKS or CACHES in f"/{inner}/":
                below.clear()
                continue
            if inner != ".":
                os.mkdir(os.path.join(staged.path, inner), 0o755)
            for item in names:
                shutil.copy2(os.path.join(folder, item), os.path.join(staged.path, inner, item), follow_symlinks=False)
    except BaseException:
        staged.discard()
        raise
    return staged


def set_modes(paths: Paths, name: str, findings: Iterable[Finding]) -> None:
    """Give the files and directories of entry `name` that `findings` name the modes they were made with."""
    top = os.path.join(paths.store, name)
    runs = verify.executables(top)
    for item in findings:
        place = os.path.join(top, item.path) if item.path else top
        info = os.lstat(place)
        if stat.S_ISDIR(info.st_mode):
            os.chmod(place, 0o555)
        elif stat.S_ISREG(info.st_mode):
            may_run = item.path in runs if runs is not None else bool(info.st_mode & 0o111)
            os.chmod(place, 0o555 if may_run else 0o444)
