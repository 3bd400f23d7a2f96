"""Which links show the modules of some system packages, and nothing else of the distro's Python.

A directory that they have for themselves is one link, so that what an upgrade changes in it is there at once. One that
others have files in, too, is made anew with a link for each file. Bytecode is linked where the directory is ours: so
the distro's is used, and nobody compiles again.
"""

import os
import re
from collections.abc import Iterable, Mapping

_TREE = re.compile(r"(.*?/usr/lib/python3(\.\d+)?/dist-packages)/(.+)\Z", re.DOTALL)
_CACHE = "__pycache__"
# A .pth file says what each start of the distro's Python does; what it compiled is not in its records.
_LEFT_OUT = (".pth", ".pyc")


def owned(paths: Iterable[str], python: str) -> dict[str, str]:
    """Return those of `paths` that the distro's Python of the minor version `python` (`3.11`) finds modules at.

    Each by its path below its tree, directories as well. What is missing on the disk is left out, and so is what is
    hidden: a top-level name in the tree of one version (`python3.11/dist-packages`) that the common tree has, too.
    """
    found: dict[str, str] = {}
    version: dict[str, str] = {}
    for path in paths:
        match = _TREE.match(path)
        if match is None or match[2] not in (None, "." + python.partition(".")[2]):
            continue
        inner = match[3].rstrip("/")
        if not inner.endswith(_LEFT_OUT) and _CACHE not in inner.split("/") and os.path.lexists(path):
            (version if match[2] else found)[inner] = f"{match[1]}/{inner}"
    tops = {path.partition("/")[0] for path in found}
    return found | {path: target for path, target in version.items() if path.partition("/")[0] not in tops}


def links(found: Mapping[str, str], cache_tag: str) -> dict[str, str]:
    """Return the farm of what `owned` found: each link's path below it, and where it leads."""
    made: dict[str, str] = {}
    for path in sorted(found):
        if "/" not in path:
            _link(path, found, cache_tag, made)
    return made


def _link(path: str, found: Mapping[str, str], cache_tag: str, made: dict[str, str]) -> None:
    place = found[path]
    if not os.path.isdir(place) or os.path.islink(place):
        made[path] = place
        folder, name = os.path.split(path)
        compiled = os.path.join(_CACHE, f"{name[:-3]}.{cache_tag}.pyc")
        if name.endswith(".py") and os.path.isfile(os.path.join(os.path.dirname(place), compiled)):
            made[os.path.join(folder, compiled)] = os.path.join(os.path.dirname(place), compiled)
    elif _all_owned(path, place, found):
        made[path] = place
    else:
        for name in sorted(os.listdir(place)):
            if f"{path}/{name}" in found:
                _link(f"{path}/{name}", found, cache_tag, made)


def _all_owned(path: str, place: str, found: Mapping[str, str]) -> bool:
    """Say whether everything in the directory `place`, but for bytecode, is in `found`."""
    for folder, below, names in os.walk(place):
        inner = path + folder[len(place) :]
        below[:] = [name for name in below if name != _CACHE]
        linked = [name for name in below if os.path.islink(os.path.join(folder, name))]
        for name in (*names, *linked):
            if f"{inner}/{name}" not in found and not name.endswith(".pyc"):
                return False
    return True


def uncovered(made: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Return the files in `found` that the links `made` do not show at their place."""
    lacking = []
    for path, target in found.items():
        if os.path.isdir(target) and not os.path.islink(target):
            continue
        above = path
        while above and above not in made:
            above = above.rpartition("/")[0]
        if not above or made[above] + path[len(above) :] != target:
            lacking.append(path)
    return lacking


def owns(found: Mapping[str, str], module: str) -> bool | None:
    """Say whether `owned` found `module` (dotted): True its code, False part of a namespace, None nothing."""
    path = module.replace(".", "/")
    if f"{path}/__init__.py" in found or f"{path}.py" in found:
        return True
    folder, _, name = path.rpartition("/")
    inside = f"{folder}/{name}." if folder else f"{name}."
    if any(item.startswith(inside) and item.endswith(".so") for item in found):
        return True
    return False if any(item.startswith(f"{path}/") and item.endswith((".py", ".so")) for item in found) else None
