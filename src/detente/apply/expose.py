"""Links outside our own directory: commands, manual pages, completions, desktop entries.

They all point through `current`, so a switch changes them at once; here only names come and go. Whatever
command runs next brings them in line with the current generation, so a kill here loses nothing.
"""

import os
import time

from detente.host import fs
from detente.host.paths import Paths
from detente.model import Generation
from detente.store.exposures import is_ours, places

_SHARED = (
    "bash-completion/completions",
    "zsh/site-functions",
    "fish/vendor_completions.d",
    "applications",
    *(f"man/man{section}" for section in range(1, 10)),
)


def reconcile(paths: Paths, generation: Generation, before: Generation, over: tuple[str, ...] = ()) -> list[str]:
    """Make the links outside those of `generation`; return the paths that could not be exposed.

    Links of ours that it does not want go. A file or link of someone else stays, unless its command is in
    `over`: then it is moved to quarantine.
    """
    wanted = places(paths, generation)
    changed: set[str] = set()
    for link in _ours(paths, before) - wanted.keys():
        os.unlink(link)
        changed.add(os.path.dirname(link))
    refused = []
    for link, target in wanted.items():
        folder = os.path.dirname(link)
        fs.make_directory(folder)
        text = os.path.relpath(target, os.path.realpath(folder))
        if fs.read_link(link) == text:
            continue
        if os.path.lexists(link) and not is_ours(paths, link):
            if os.path.basename(link) not in over or folder != paths.bin:
                refused.append(link)
                continue
            _quarantine(paths, link)
        fs.switch(link, text)
        changed.add(folder)
    for folder in changed:
        fs.fsync_directory(folder)
    return refused


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
    fs.write_file(os.path.join(folder, "was"), os.fsencode(path) + b"\n")
    saved = os.path.join(folder, os.path.basename(path))
    target = fs.read_link(path)
    if target is None:
        shutil.move(path, saved)
    else:
        os.symlink(target, saved)
        os.unlink(path)
