"""Whether a wheel requires what its index said.

The engine resolves by the metadata that lies beside a wheel. An index that leaves a requirement out there would have
us install half of what is needed: the wheel itself is the truth.
"""

import glob
import os
from collections.abc import Sequence

from detente.model import Artifact, Interpreter
from detente.names import normalized


def unmet(staged: str, together: Sequence[Artifact], interpreter: Interpreter) -> str:
    """Return the first requirement of the wheel unpacked at `staged` that `together` does not meet, or "".

    `together` is what a resolution put into one environment of `interpreter`. What an extra would require is not
    looked at, nor what cannot be read.
    """
    present = {artifact.name: artifact.version for artifact in together}
    return next((text for text in _requirements(staged) if not _met(text, present, interpreter)), "")


def _requirements(staged: str) -> list[str]:
    from detente.store.distinfo import parse_headers

    found: list[str] = []
    for path in glob.glob(os.path.join(glob.escape(staged), "lib/*.dist-info/METADATA")):
        with open(path, "rb") as file:
            found += parse_headers(file.read()).get("requires-dist", [])
    return found


def _met(text: str, present: dict[str, str], interpreter: Interpreter) -> bool:
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate(_environment(interpreter)):
            return True
        version = present.get(normalized(requirement.name))
        return version is not None and (not version or requirement.specifier.contains(version, prereleases=True))
    except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName, ValueError):
        return True


def _environment(interpreter: Interpreter) -> dict[str, str]:
    """Return what markers ask about, save what is the machine's and so our own."""
    return {
        "extra": "",
        "implementation_name": interpreter.implementation,
        "platform_python_implementation": {"cpython": "CPython", "pypy": "PyPy"}.get(interpreter.implementation, ""),
        "python_full_version": interpreter.version,
        "python_version": ".".join(interpreter.version.split(".")[:2]),
    }
