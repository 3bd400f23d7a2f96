"""Whether a specifier or marker of a lock holds for an interpreter, the common forms without a library. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from detente.errors import ConfigError

_MINIMUM = re.compile(r">=\s*(\d+(?:\.\d+)*)\Z")
_NUMBERS = re.compile(r"\d+(?:\.\d+)*\Z")


def malformed(why: str) -> ConfigError:
    """Return the error for a lock that breaks the specification; `why` says where."""
    return ConfigError(
        "the lock is not a pylock.toml that we can read", hint="ask for it again: detente install NAME", context=(why,)
    )


def suggested_python(specifier: str) -> str:
    """Return the minor version (`3.12`) to propose to who needs Python `specifier`, or an empty string."""
    low = re.findall(r"(?:>=|==|~=|>)\s*3\.(\d+)", specifier)
    high = [int(minor) - (not patch) for minor, patch in re.findall(r"<\s*3\.(\d+)(?:\.([1-9]\d*))?", specifier)]
    high += [int(minor) for minor in re.findall(r"<=\s*3\.(\d+)", specifier)]
    if high:
        return f"3.{min(high)}"
    return f"3.{max(map(int, low))}" if low else ""


def contains(specifier: str, markers: Mapping[str, str]) -> bool:
    """Say whether the interpreter's version satisfies `specifier`; `>=X.Y.Z`, which uv writes, needs no library."""
    full = markers.get("python_full_version", "")
    minimum = _MINIMUM.match(specifier)
    if minimum and _NUMBERS.match(full):
        return _numbers(full) >= _numbers(minimum[1])
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(specifier).contains(full, prereleases=True)
    except InvalidSpecifier as err:
        raise malformed(f"{specifier!r} is not a version specifier") from err


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def applies(marker: str, markers: Mapping[str, str]) -> bool:
    """Say whether `marker` is true for the environment `markers`; `sys_platform == 'linux'` needs no library."""
    simple = re.match(r"(\w+) == '([^'\\]*)'\Z", marker)
    if simple and simple[1] in ("sys_platform", "platform_system", "os_name", "platform_machine"):
        return markers.get(simple[1]) == simple[2]
    from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

    context: dict[str, Any] = {**markers, "extras": frozenset(), "dependency_groups": frozenset()}
    try:
        return Marker(marker).evaluate(context, context="lock_file")
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName) as err:
        raise malformed(f"{marker!r} is not a marker") from err
