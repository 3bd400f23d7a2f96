"""Wheels that are given as files are checked before the engine sees them: it unpacks to its cache what it is given."""

import os
import re

from detente.engine.sources import file_path

_DIRECT = re.compile(r"[^@/]+ @ (file:[^\s;]+)")


def check(requirement: str, store: str) -> None:
    """Raise HostileWheel, or DiskError, where `requirement` names a wheel on this machine that breaks a rule.

    `store` is where it would be unpacked. Anything else passes, also what has no wheel's name: the engine says so.
    """
    path = _path(requirement)
    if not path.endswith(".whl") or not os.path.isfile(path):
        return
    from detente.store import distinfo, wheels

    try:
        distinfo.parse_filename(os.path.basename(path))
    except ValueError:
        return
    wheels.check(path, store)


def _path(requirement: str) -> str:
    """Return the path that a requirement names: itself, with extras, or behind `NAME @ file:`; "" for any other."""
    match = _DIRECT.match(requirement)
    if match:
        return file_path(match[1])
    return requirement.partition("[")[0] if requirement.startswith("/") else ""
