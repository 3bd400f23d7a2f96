"""Links outside our own directory: commands, manual pages, completions, desktop entries.

They all point through `current`, so a switch changes them at once; here only names come and go. Whatever
command runs next brings them in line with the current generation, so a kill here loses nothing.
"""

import errno
import os
import time

from detente.errors import DiskError
from detente.host import fs
from detente.host.paths import Paths
from detente.model import Generation
from detente.store.exposures import is_ours, places

WAS = "was"  # the file of a quarantined one that says where it was
_SHARED = (
    "bash-completion/completions",
    "zsh/site-functions",
    "fish/vendor_completions.d",
    "applications",
    *(f"man/man{section}" for section in range(1, 10)),
)


def check(paths: Paths, generation: Generation) -> None:
    """Raise DiskError where a command of `generation` is not shown yet and our directory of commands takes none."""
    missing = [link for link in places(paths, generation) if os.path.dirname(link) == paths.bin]
    if all(is_ours(paths, link) for link in missing):
        return
    try:
        fs.make_directory(paths.bin)
    except OSError as err:
        raise fs.disk_error(err, f"making {paths.bin}") from err
    if not os.path.isdir(paths.bin) or not os.access(paths.bin, os.W_OK | os.X_OK):
        raise DiskError(
            f"no command can be put into {paths.bin}; nothing was changed",
            hint=f"it must be a directory of yours: ls -ld {paths.bin}",
        )


def reconcile(paths: Paths, generation: Generation, before: Generation, over: tuple[str, ...] = ()) -> list[str]:
    """Make the links outside those of `generation`; return the paths that could not be brought in line.

    Links of ours that it does not want go. A file or link of someone else stays, unless its command is in
    `over`: then it is moved to quarantine. A directory in which nothing can be changed stops nothing else.
    """
    wanted = places(paths, generation)
    changed: set[str] = set()
    refused = []
    for link in sorted(_ours(paths, before) - wanted.keys()):
        try:
            os.unlink(link)
            _give_back(paths, link)
        except OSError as err:
            _check(err)
            refused.append(link)
        else:
            changed.add(os.path.dirname(link))
    for link, target in wanted.items():
        try:
            if not _show(paths, link, target, over, changed):
                refused.append(link)
        except OSError as err:
            _check(err)
            refused.append(link)
    for folder in changed:
        fs.fsync_directory(folder)
    return refused


def _show(paths: Paths, link: str, target: str, over: tuple[str, ...], changed: set[str]) -> bool:
    """Make `link` lead to `target`; add its directory to `changed` where it did not. False where it is not ours."""
    folder = os.path.dirname(link)
    fs.make_directory(folder)
    real = os.path.join(os.path.realpath(paths.data), os.path.relpath(target, paths.data))
    text = os.path.relpath(real, os.path.realpath(folder))
    if fs.read_link(link) == text:
        return True
    if os.path.lexists(link) and not is_ours(paths, link):
        if os.path.basename(link) not in over or folder != paths.bin:
            return False
        _quarantine(paths, link)
    fs.switch(link, text)
    changed.add(folder)
    return True


def _check(err: OSError) -> None:
    """Raise `err` again unless it is about this one place: another person's, read-only, or no directory."""
    here = (
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOTDIR,
        errno.EEXIST,
        errno.ENOENT,
        errno.ELOOP,
        errno.EISDIR,
    )
    if err.errno not in here:
        raise err


def _ours(paths: Paths, before: Generation) -> set[str]:
    """Return our links outside, by looking in the usual places and where `before` had any."""
    folders = {paths.bin, *(os.path.join(paths.share, name) for name in _SHARED)}
    folders |= {os.path.dirname(link) for link in places(paths, before)}
    found = set()
    for folder in folders:
        try:
            with os.scandir(folder) as items:
                found |= {item.path for item in items if item.is_symlink() and is_ours(paths, item.path)}
        except (FileNotFoundError, NotADirectoryError):
            continue
    return found


def _quarantine(paths: Paths, path: str) -> None:
    """Move what was not ours to quarantine, with a record of where it was."""
    import shutil

    folder = os.path.join(paths.state, "quarantine", str(time.time_ns()))
    fs.make_directory(folder)
    fs.write_file(os.path.join(folder, WAS), os.fsencode(path) + b"\n")
    saved = os.path.join(folder, os.path.basename(path))
    target = fs.read_link(path)
    if target is None:
        shutil.move(path, saved)
    else:
        os.symlink(target, saved)
        os.unlink(path)


def _give_back(paths: Paths, path: str) -> None:
    """Put what was moved away from `path`, last of all, back to where it was; it is free now."""
    import shutil

    top = os.path.join(paths.state, "quarantine")
    for name in sorted(os.listdir(top) if os.path.isdir(top) else (), reverse=True):
        folder = os.path.join(top, name)
        try:
            with open(os.path.join(folder, WAS), "rb") as stream:
                was = os.fsdecode(stream.read().removesuffix(b"\n"))
        except OSError:
            continue
        saved = os.path.join(folder, os.path.basename(path))
        if was == path and os.path.lexists(saved):
            shutil.move(saved, path)
            fs.remove_tree(folder)
            return
