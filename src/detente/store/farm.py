"""The farm: links from an environment into the store.

One symbolic link per top-level name. A directory becomes real only where two trees meet in it; two owners of
one file are an error unless the bytes are the same, or it is an old-style namespace's `__init__.py`.
An entry marked *real* is hard-linked file by file instead (store/wheels.py says when).
"""

import errno
import os
from collections.abc import Iterable
from typing import NamedTuple

from detente.errors import Collision
from detente.host import fs

_UNLINKABLE = (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # link(2), and FUSE
_NAMESPACE_MARKS = (b"declare_namespace", b"extend_path")  # of pkg_resources and pkgutil


class Tree(NamedTuple):
    """A directory of the store to be seen below a place of the environment. `owner` is named in errors."""

    owner: str
    path: str
    real: bool = False


def plant(place: str, trees: Iterable[Tree]) -> int:
    """Show `trees` together at directory `place` (made where missing); return how many links were made.

    Raise Collision, naming both owners, where two of them have different bytes at one path.
    """
    return _merge(place, list(trees), place)


def _merge(place: str, trees: list[Tree], top: str) -> int:
    fs.make_directory(place)
    claims: dict[str, list[tuple[Tree, bool]]] = {}
    for tree in trees:
        with os.scandir(tree.path) as items:
            for item in items:
                claims.setdefault(item.name, []).append(
                    (Tree(tree.owner, item.path, tree.real), item.is_dir(follow_symlinks=False))
                )
    made = 0
    for name in sorted(claims):
        found = claims[name]
        target = os.path.join(place, name)
        folders = [tree for tree, is_folder in found if is_folder]
        if folders and len(folders) < len(found):
            owners = sorted({tree.owner for tree, _ in found})
            raise _collision(os.path.relpath(target, top), owners)
        exists = os.path.lexists(target)
        if folders:
            if len(folders) == 1 and not folders[0].real and not exists:
                os.symlink(folders[0].path, target)
                made += 1
            elif exists and (os.path.islink(target) or not os.path.isdir(target)):
                raise _collision(os.path.relpath(target, top), [folders[0].owner, "the environment itself"])
            else:
                made += _merge(target, folders, top)
        elif exists:
            raise _collision(os.path.relpath(target, top), [found[0][0].owner, "the environment itself"])
        else:
            files = [tree for tree, _ in found]
            _check_same(os.path.relpath(target, top), files)
            show_file(files[0], target)
            made += 1
    return made


def show_file(tree: Tree, target: str) -> None:
    """Show the one file `tree` at `target`: a link, or for a real entry the file itself under a second name."""
    if not tree.real:
        os.symlink(tree.path, target)
        return
    try:
        os.link(tree.path, target)
    except OSError as err:
        if err.errno not in _UNLINKABLE:
            raise
        import shutil

        shutil.copy2(tree.path, target)


def _check_same(where: str, files: list[Tree]) -> None:
    first = files[0]
    import filecmp

    for other in files[1:]:
        if "__pycache__" in where or filecmp.cmp(first.path, other.path, shallow=False):
            continue
        if os.path.basename(where) == "__init__.py" and all(map(_is_namespace, (first.path, other.path))):
            continue
        raise _collision(where, [first.owner, other.owner])


def _is_namespace(path: str) -> bool:
    """Say whether an `__init__.py` only declares an old-style namespace (pkgutil or pkg_resources)."""
    with open(path, "rb") as stream:
        text = stream.read(4096)
    return any(mark in text for mark in _NAMESPACE_MARKS)


def _collision(where: str, owners: list[str]) -> Collision:
    return Collision(
        f"two distributions own {where}: {' and '.join(owners)}",
        hint="ask for other versions, or install them as two applications",
    )
