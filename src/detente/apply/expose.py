"""Links outside our own directory: commands, manual pages, completions, desktop entries.

They all point through `current`, so a switch changes them at once; here only names come and go. Whatever
command runs next brings them in line with the current generation, so a kill here loses nothing.
"""

import os
import time
from collections.abc import Callable, Container

from detente.errors import DiskError, IntegrityError
from detente.host import fs
from detente.host.paths import Paths
from detente.model import Generation
from detente.store import generations
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


def reconcile(
    paths: Paths,
    generation: Generation,
    before: Generation,
    over: tuple[str, ...] = (),
    problems: list[str] | None = None,
) -> list[str]:
    """Make the links outside those of `generation`; return the paths that could not be brought in line.

    Links of ours that it does not want go. A file or link of someone else stays, unless its command is in
    `over`: then it is moved to quarantine, and comes back once its place is free. One place that fails stops no
    other: `problems` gets a sentence for each.
    """
    wanted = places(paths, generation)
    changed: set[str] = set()
    refused = []

    def failed(link: str, err: OSError) -> None:
        refused.append(link)
        if problems is not None:
            problems.append(f"{link}: {err.strerror}")

    for link in sorted(_ours(paths, before, failed) - wanted.keys()):
        try:
            os.unlink(link)
        except OSError as err:
            failed(link, err)
        else:
            changed.add(os.path.dirname(link))
    for link, target in wanted.items():
        try:
            if not _show(paths, link, target, over, changed):
                refused.append(link)
        except OSError as err:
            failed(link, err)
    _give_back(paths, wanted, failed)
    for folder in changed:
        try:
            fs.fsync_directory(folder)
        except OSError as err:
            failed(folder, err)
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


def _ours(paths: Paths, before: Generation, failed: Callable[[str, OSError], None]) -> set[str]:
    """Return our links outside, by looking in the usual places and where `before` and its parent had any.

    The parent, because a kill may have come between that switch and its last link. `failed` hears of directories
    that cannot be read.
    """
    folders = {paths.bin, *(os.path.join(paths.share, name) for name in _SHARED)}
    folders |= {os.path.dirname(link) for link in places(paths, before)}
    try:
        if before.parent:
            folders |= {os.path.dirname(link) for link in places(paths, generations.load(paths, before.parent))}
    except IntegrityError:
        pass  # damaged, or collected
    except OSError as err:
        failed(paths.generations, err)
    found = set()
    for folder in sorted(folders):
        try:
            with os.scandir(folder) as items:
                found |= {item.path for item in items if item.is_symlink() and is_ours(paths, item.path)}
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as err:
            failed(folder, err)
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


def _give_back(paths: Paths, wanted: Container[str], failed: Callable[[str, OSError], None]) -> None:
    """Put what lies in quarantine back to where it was, where nothing is now and we want nothing."""
    import shutil

    top = os.path.join(paths.state, "quarantine")
    try:
        names = sorted(os.listdir(top), reverse=True)
    except FileNotFoundError:
        return
    except OSError as err:
        failed(top, err)
        return
    for name in names:
        folder = os.path.join(top, name)
        try:
            with open(os.path.join(folder, WAS), "rb") as stream:
                was = os.fsdecode(stream.read().removesuffix(b"\n"))
            if was not in wanted and not os.path.lexists(was):
                shutil.move(os.path.join(folder, os.path.basename(was)), was)
                fs.remove_tree(folder)
        except FileNotFoundError:
            continue  # a kill came before it was moved here
        except OSError as err:
            failed(folder, err)
