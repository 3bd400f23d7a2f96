"""The distro's modules in an environment: a farm of links beside its own, which one `.pth` puts behind it.

    <environment>/distro/gi -> /usr/lib/python3/dist-packages/gi

Never inside site-packages: an installer that follows a link there writes into the distro's own files, as pip does
for root.
"""

import os
from collections.abc import Mapping
from typing import Any

from detente.host import fs
from detente.model import DistroModules

FOLDER = "distro"
PTH = "zz-distro.pth"  # they are read in the order of their names: what a distribution or an editable adds comes first
_CACHE = "__pycache__/"


def plant(root: str, site: str, distro: DistroModules) -> None:
    """Make the links of `distro` below the environment at `root`, and the `.pth` in `site`, its site-packages."""
    top = os.path.join(root, FOLDER)
    fs.make_directory(top)
    for path, target in sorted(distro.links.items()):
        place = os.path.join(top, path)
        fs.make_directory(os.path.dirname(place))
        os.symlink(target, place)
    line = os.path.relpath(FOLDER, site)  # from site-packages, as site.py takes it
    fs.write_file(os.path.join(root, site, PTH), f"{line}\n".encode(), 0o444)


def encode(distro: DistroModules) -> dict[str, Any]:
    """Return what the record of an environment says of `distro`."""
    return {**distro._asdict(), "names": list(distro.names)}


def decode(record: Mapping[str, Any]) -> DistroModules | None:
    """Return what the environment's `record` says of the distro's modules, None where it has none.

    Raise LookupError or TypeError where it is damaged.
    """
    value = record.get("distro")
    if value is None:
        return None
    packages, links = value["packages"], value["links"]
    if not isinstance(packages, dict) or not isinstance(links, dict) or not isinstance(value["names"], list):
        raise TypeError("what it says of the distro's modules is damaged")
    return DistroModules(
        tuple(map(str, value["names"])),
        {str(name): str(version) for name, version in packages.items()},
        str(value["python"]),
        {str(path): str(target) for path, target in links.items()},
    )


def same_links(one: DistroModules, other: DistroModules) -> bool:
    """Say whether two have the same modules; bytecode beside them does not count, everything works without."""
    return modules(one) == modules(other)


def modules(distro: DistroModules) -> dict[str, str]:
    """Return the links that something would be missing without."""
    return {path: target for path, target in distro.links.items() if _CACHE not in f"/{path}"}


def dangling(distro: DistroModules) -> list[str]:
    """Return the paths in the farm that lead nowhere: the system package has gone, or its files have other names."""
    return [path for path, target in sorted(modules(distro).items()) if not os.path.exists(target)]
