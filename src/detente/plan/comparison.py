"""Candidates side by side: of what age they are, whose security support they have. Pure.

Each sentence here is one that is true of its source; what is not known stays empty.
"""

from collections.abc import Sequence
from typing import NamedTuple

INDEX, DISTRO, GIVEN = "index", "distro", "given"
INSTALLED, CANDIDATE, AVAILABLE = "installed", "candidate", "available"
_DAYS_OF_MONTHS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_UNSUPPORTED = {"contrib", "non-free", "non-free-firmware"}
_COMMUNITY = {"universe", "multiverse"}


class Place(NamedTuple):
    """Where a distro offers a version: the fields of `distro.base.Origin`, which this layer does not know."""

    kind: str
    archive: str
    component: str
    vendor: str


class Side(NamedTuple):
    """One candidate.

    `source` is `index`, `distro`, or `given` (a path or URL), `title` what to call it. `version` is in the source's
    spelling, `upstream` as PEP 440, `released` when that version came to the index (ISO 8601, UTC); all "" where not
    known. `download` and `size`, once installed, are in bytes, 0 where not known. `state` is one of the words above.
    """

    source: str
    title: str
    package: str
    version: str
    upstream: str = ""
    state: str = AVAILABLE
    released: str = ""
    security: str = ""
    archive: str = ""
    download: int = 0
    size: int = 0


def from_index() -> str:
    """Return who mends security faults of what comes from the index."""
    return "by new releases only"


def from_distro(places: Sequence[Place], title: str) -> str:
    """Return who mends security faults of a version that the distro `title` offers at `places`."""
    kinds = {place.kind for place in places}
    own = [place for place in places if place.kind in ("security", "updates", "release")]
    if own:
        vendor = next((place.vendor for place in own if place.vendor), title)
        components = {place.component for place in own}
        if components <= _UNSUPPORTED:
            return f"none promised ({min(components)})"
        if components <= _COMMUNITY:
            return f"by the community ({min(components)})"
        return f"by {vendor}, while supported"
    if "backports" in kinds:
        return "as its backporter can"
    if "third-party" in kinds:
        name = next((place.vendor for place in places if place.vendor), "")
        return f"not by {title.partition(' ')[0]}" + (f", but by {name}" if name else "")
    return "none: no source offers it"


def called(places: Sequence[Place], title: str) -> str:
    """Return what to call where a version comes from: the distro's `title`, a part of it, or whoever else has it."""
    kinds = {place.kind for place in places}
    for kind in ("security", "updates"):
        if kind in kinds:
            return f"{title} {kind}"
    if "release" in kinds or not kinds:
        return title
    for kind in ("backports", "third-party"):
        for place in places:
            if place.kind == kind:
                return (place.archive if kind == "backports" else place.vendor or place.archive) or kind
    return "only here"


def archive(places: Sequence[Place]) -> str:
    """Return the most telling place of a version: `bookworm-security/main`."""
    for kind in ("security", "updates", "release", "backports", "third-party", "local"):
        for place in places:
            if place.kind == kind:
                return "/".join(part for part in (place.archive, place.component) if part)
    return ""


def age(since: str, now: str) -> str:
    """Return how long before `now` `since` was (both ISO 8601, UTC), in words; "" where that is not known."""
    days = _day(now) - _day(since) if _day(since) and _day(now) else -1
    if days < 0:
        return ""
    if days == 0:
        return "today"
    for length, word in ((365.2425, "year"), (30.44, "month"), (1, "day")):
        count = int(days / length)
        if count >= (2 if word == "month" else 1):
            return f"{count} {word}{'s' if count > 1 else ''}"
    return ""


def _day(moment: str) -> int:
    """Return the number of the day of an ISO 8601 date, 0 for what is none."""
    parts = moment[:10].split("-")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return 0
    year, month, day = map(int, parts)
    if not (1 <= month <= 12 and year):
        return 0
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    before = year - 1
    return (
        365 * before
        + before // 4
        - before // 100
        + before // 400
        + _DAYS_OF_MONTHS[month - 1]
        + day
        + (1 if leap and month > 2 else 0)
    )
