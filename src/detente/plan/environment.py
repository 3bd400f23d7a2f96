"""What an environment is called: the same content is the same directory."""

import json

from detente.model import DistroModules, Interpreter
from detente.names import fingerprint
from detente.plan.plan import EnvironmentSpec

LAYOUT = 1  # raise it when the layout of an environment changes


def specify(
    label: str,
    interpreter: Interpreter,
    entries: tuple[str, ...],
    lock: str,
    data: str,
    again: str = "",
    distro: DistroModules | None = None,
) -> EnvironmentSpec:
    """Return the environment of `entries` (store directories) on `interpreter` below the directory `data`.

    Its key digests everything that it runs from: layout, place, interpreter, entries in their order, and the system
    packages whose modules it has. Not their versions: the distro's upgrades change what is behind the links, and
    where they change the links themselves, the environment is made anew in its place.
    """
    content = [LAYOUT, data, interpreter.path, interpreter.cache_tag, interpreter.platform, list(entries)]
    if distro is not None:
        content.append([distro.python, *sorted(distro.packages), *_trees(distro)])
    key = fingerprint(json.dumps(content), 16)
    return EnvironmentSpec(
        f"{label}-{key}", label, interpreter, entries, lock, again or f"detente install {label}", distro
    )


def _trees(distro: DistroModules) -> list[str]:
    """Return the directories of the distro that the links lead into."""
    return sorted({target.removesuffix(f"/{path}") for path, target in distro.links.items()})
