"""How what is installed is described to programs, whoever installed it: the values that JSON shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detente.distro.base import Installed, Offer
    from detente.model import Application
    from detente.scan.others import Other
    from detente.scan.reach import File

APPLICATION, SYSTEM = "application", "system package"


def application(item: Application) -> dict[str, Any]:
    """Return what `list` says of one of our applications."""
    return {
        "kind": APPLICATION,
        "name": item.key,
        "distribution": item.name,
        "version": item.version,
        "python": item.python,
        "requirement": item.wish.requirement,
        "with": list(item.wish.added),
        "with_distro": list(item.wish.with_distro),
        "editable": item.wish.editable,
        "commands": list(item.commands),
    }


def system_package(item: Installed) -> dict[str, Any]:
    """Return what is said of an installed system package."""
    return {
        "kind": SYSTEM,
        "name": item.package,
        "version": item.version,
        "architecture": item.architecture,
        "state": item.state,
        "manual": item.manual,
        "held": item.held,
        "distributions": dict(item.distributions),
        "commands": sorted({path.rpartition("/")[2] for path in item.commands}),
        "modules": list(item.modules),
        "size": item.size,
    }


def other(item: Other) -> dict[str, Any]:
    """Return what is said of a distribution that another tool installed: its `kind` is the tool's name."""
    return {
        "kind": item.tool,
        "name": item.name,
        "version": item.version,
        "python": item.python,
        "place": item.place,
        "asked": item.asked,
        "commands": list(item.commands),
    }


def offer(item: Offer) -> dict[str, Any]:
    """Return what the distro has of a distribution."""
    return {
        "package": item.package,
        "metadata_package": item.known.package,
        "command_package": item.known.application,
        "commands": list(item.known.commands),
        "identity": item.known.identity,
        "installed": item.installed.version if item.installed is not None else "",
        "candidate": item.candidate.candidate if item.candidate is not None else "",
        "upstream_installed": item.upstream_installed,
        "upstream_candidate": item.upstream_candidate,
        "held": bool(item.candidate is not None and item.candidate.held),
    }


def files(found: list[File]) -> list[dict[str, str]]:
    """Return files with their owners, the one that counts first."""
    return [
        {
            "path": item.path,
            "kind": item.owner.kind,
            "owner": item.owner.name,
            "version": item.owner.version,
            "place": item.owner.place,
        }
        for item in found
    ]
