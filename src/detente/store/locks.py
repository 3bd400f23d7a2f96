"""The store's lock: whoever adds to the store or links into it holds it shared, `collect` holds it alone.

So nothing that a command is about to use goes away under its hands, and many commands fetch at once.
"""

import contextlib
import os
from collections.abc import Callable, Iterator

from detente.host import fs
from detente.host.paths import Paths

DOWNLOADS = "downloads"  # below the data, not the cache: two profiles may share a cache, and not this lock


@contextlib.contextmanager
def shared(paths: Paths, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the store together with others; what dead commands left behind is swept away first, where we are alone."""
    fs.make_directory(paths.data)
    with contextlib.suppress(fs.Busy), fs.lock(_path(paths), wait=False):
        sweep(paths)
    with fs.lock(_path(paths), shared=True, on_wait=on_wait):
        yield


@contextlib.contextmanager
def alone(paths: Paths, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the store alone, after `on_wait` where others are at work in it."""
    with fs.lock(_path(paths), on_wait=on_wait):
        yield


def sweep(paths: Paths) -> None:
    """Remove what killed commands staged or were fetching. The caller holds the store alone."""
    for parent in (paths.store, paths.environments, paths.generations):
        fs.sweep(parent)
    for parent in (paths.data, paths.builds, paths.cache, os.path.join(paths.cache, "locks")):
        fs.sweep(parent, fs.TEMPORARY)
    with contextlib.suppress(OSError):
        fs.remove_tree(os.path.join(paths.data, DOWNLOADS))


def _path(paths: Paths) -> str:
    return os.path.join(paths.data, "store.lock")
