"""What an environment is called: the same content is the same directory."""

import json

from detente.model import Interpreter
from detente.names import fingerprint
from detente.plan.plan import EnvironmentSpec

LAYOUT = 1  # raise it when the layout of an environment changes


def specify(
    label: str, interpreter: Interpreter, entries: tuple[str, ...], lock: str, data: str, again: str = ""
) -> EnvironmentSpec:
    """Return the environment of `entries` (store directories) on `interpreter` below the directory `data`.

    Its key digests everything that it runs from: layout, place, interpreter, entries in their order.
    """
    content = json.dumps([LAYOUT, data, interpreter.path, interpreter.cache_tag, interpreter.platform, list(entries)])
    key = fingerprint(content, 16)
    return EnvironmentSpec(f"{label}-{key}", label, interpreter, entries, lock, again or f"detente install {label}")
