"""Versions of system packages: their order, and the upstream version that they name. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detente.distro.base import Known

NOBODY_KNOWS = "?"
"""`Known.exception` where the version of the metadata is not known either."""

_RUNS = re.compile(r"([^0-9]*)([0-9]*)")
# What a distro appends to an upstream version: files taken out, its own rebuilds, and all that follows. Not `+git…`:
# that is some state after (or before) a version, which the version does not name.
_REPACKED = re.compile(r"(?:[+~.](?:dfsg|ds|repack|debian)(?![a-z])|\+~)(?P<more>.*)")
_STATE = re.compile(r"rc|alpha|beta|pre|dev|git|svn|hg|bzr|cvs|snapshot")
_REBUILT = re.compile(r"(?:\+(?:b|nmu)\d+|[+~]deb\d+u\d+|[+~]bpo\d+\+\d+|(?:build|ubuntu)\d+(?:\.\d+)*)+\Z")
_REALLY = re.compile(r".*[+~.]really\.?")
_PEP440 = re.compile(
    r"(?P<release>\d+(?:\.\d+)*)"
    r"(?:[~.+]?(?P<pre>a|b|rc|alpha|beta|c|pre)\.?(?P<pre_number>\d+))?"
    r"(?:[.+]post\.?(?P<post>\d+))?"
    r"(?:[~.]dev\.?(?P<dev>\d+))?\Z",
    re.ASCII,
)
_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc"}
_DATE = re.compile(r"(?<!\d)(?:19|20)\d{6}(?!\d)|\d{9}")


def compare(one: str, other: str) -> int:
    """Return -1, 0 or 1 as Debian version `one` is older than, equal to or newer than `other` (deb-version(7))."""
    epoch, upstream_part, revision = _parts(one)
    epoch_other, upstream_other, revision_other = _parts(other)
    return _order(epoch, epoch_other) or _order(upstream_part, upstream_other) or _order(revision, revision_other)


def upstream(version: str) -> str:
    """Return the upstream version that Debian version `version` names, as PEP 440 text; "" where it does not tell.

    Snapshots (`1.2+git20230101`), dates and letters that PEP 440 does not have tell nothing.
    """
    text = _REALLY.sub("", _parts(version)[1])
    text = _REBUILT.sub("", text)
    repacked = _REPACKED.search(text)
    if repacked is not None:
        if _STATE.search(repacked["more"]):
            return ""  # `4.0+dfsg~rc1` can be either
        text = text[: repacked.start()]
    return "" if _DATE.search(text) else _pep440(text)


def upstream_of(known: Known, version: str) -> str:
    """Return the PEP 440 version of the distribution `known` that system package version `version` has, "" if unknown.

    What was recorded holds for all versions of the same upstream state. Where the version's own words were wrong once,
    they are not believed for another state either.
    """
    if not known.exception:
        return upstream(version)
    if known.exception == NOBODY_KNOWS or _parts(version)[:2] != _parts(known.recorded)[:2]:
        return ""
    return known.exception


def _pep440(text: str) -> str:
    words = _PEP440.match(text)
    if words is None:
        return ""
    found = ".".join(map(_plain, words["release"].split(".")))
    if words["pre"]:
        found += f"{_PRE.get(words['pre'], words['pre'])}{_plain(words['pre_number'])}"
    if words["post"]:
        found += f".post{_plain(words['post'])}"
    if words["dev"]:
        found += f".dev{_plain(words['dev'])}"
    return found


def _plain(number: str) -> str:
    """Return a number without zeros before it. As text: of thousands of digits Python makes no number."""
    return number.lstrip("0") or "0"


def _parts(version: str) -> tuple[str, str, str]:
    """Split into epoch, upstream version and revision; a rebuild of the archive (`+b2`) belongs to the revision."""
    epoch, colon, rest = version.strip().partition(":")
    if not colon or not (epoch.isascii() and epoch.isdecimal()):
        epoch, rest = "0", version.strip()
    text, hyphen, revision = rest.rpartition("-")
    return (_plain(epoch), text, revision) if hyphen else (_plain(epoch), rest, "")


def _order(one: str, other: str) -> int:
    """Compare like dpkg: runs of other signs and runs of digits in turn; `~` before the end, letters before signs."""
    if one == other:
        return 0
    runs, runs_other = _RUNS.findall(one), _RUNS.findall(other)
    length = max(len(runs), len(runs_other))
    pairs = zip(_filled(runs, length), _filled(runs_other, length), strict=True)
    for (signs, digits), (signs_other, digits_other) in pairs:
        weights, weights_other = _weights(signs), _weights(signs_other)
        if weights != weights_other:
            return 1 if weights > weights_other else -1
        number, number_other = _plain(digits), _plain(digits_other)
        if number != number_other:
            return 1 if (len(number), number) > (len(number_other), number_other) else -1
    return 0


def _filled(runs: list[tuple[str, str]], length: int) -> list[tuple[str, str]]:
    return runs + [("", "")] * (length - len(runs))


def _weights(signs: str) -> list[int]:
    """Weigh signs; the end weighs more than `~` and less than all else."""
    return [-1 if sign == "~" else ord(sign) if sign.isalpha() else ord(sign) + 256 for sign in signs] + [0]
