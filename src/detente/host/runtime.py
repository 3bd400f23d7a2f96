"""What this detente itself stands on: its engine, and the checkout that it runs from. File look-ups only."""

import os
import sys

import detente
from detente.errors import ToolError

_ENGINE = "uv"
_LEVELS = 3  # <environment>/lib/python3.N/site-packages; a run-time environment has its modules in lib itself


def uv_path() -> str:
    """Return the absolute path of the engine: DETENTE_UV, else the one installed with us, else the one on PATH.

    Raises ToolError where there is none, or DETENTE_UV names none.
    """
    told = os.environ.get("DETENTE_UV", "")
    if told:
        path = os.path.abspath(told)
        if not _is_program(path):
            raise ToolError(
                f"DETENTE_UV names no program: {told}", hint="unset DETENTE_UV, or let it name a uv executable"
            )
        return path
    for folder in (*_homes(), *os.get_exec_path()):
        path = os.path.join(folder, _ENGINE)
        if os.path.isabs(path) and _is_program(path):
            return path
    raise ToolError(
        "the engine uv, which came with detente, is gone",
        hint="set detente up again from its checkout (./detente setup), or let DETENTE_UV name a uv executable",
    )


def checkout() -> str:
    """Return the directory of the checkout that this detente runs from, or "" where it is an installed one."""
    top = os.path.dirname(os.path.dirname(_package()))
    whole = all(os.path.exists(os.path.join(top, name)) for name in ("pyproject.toml", "bootstrap", "src/detente"))
    return top if whole else ""


def library() -> str:
    """Return the directory that our package is imported from."""
    return os.path.dirname(_package())


def _package() -> str:
    """Return our own directory as it was imported, links kept: in an environment it is a link into the store."""
    return os.path.dirname(os.path.abspath(detente.__file__))


def _homes() -> list[str]:
    """Return the `bin` directories of the environments that hold our dependencies and ourselves, in this order."""
    beside = [entry for entry in sys.path if os.path.isdir(os.path.join(entry, "packaging"))]
    folders: list[str] = []
    for entry in (*beside[:1], os.path.dirname(_package())):
        place = os.path.abspath(entry)
        installed = os.path.basename(place) in ("site-packages", "dist-packages")
        for _ in range(_LEVELS if installed else 1):
            place = os.path.dirname(place)
        folders.append(os.path.join(place, "bin"))
    return folders


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
