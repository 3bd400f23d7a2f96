"""What the distro has of a distribution, in the words that `plan.route` decides by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detente.distro import versions
from detente.distro.base import RELEASE, SECURITY, THIRD_PARTY, UPDATES, Offer
from detente.plan.route import SystemOffer
from detente.scan import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from detente.distro.base import Candidate
    from detente.scan.system import System

_SUPPORTED = (RELEASE, UPDATES, SECURITY)
_TEAMS = ("Debian", "Ubuntu")  # who has a security team; what is made of them mostly passes theirs on, later
_UNSTABLE = ("sid", "unstable", "experimental", "rc-buggy")  # nobody's promise


def asked_for(system: System, names: Iterable[str]) -> dict[str, SystemOffer]:
    """Return the offers for `names` (normalized) with what the package manager says now: it may take its time."""
    return {name: system_offer(offer, system.release.title) for name, offer in system.offers(names).items()}


def at_hand(system: System, names: Iterable[str]) -> dict[str, SystemOffer]:
    """Return what is known of `names` without asking the package manager, for an answer that must not wait.

    What is installed is exact, and read only where one of the applications may be there. The candidate is what the
    release's table recorded.
    """
    wanted = list(names)
    rows = tables.known(system.release, wanted)
    if any(row.application and system.may_have(row.application) for row in rows.values()):
        offers = system.offers(wanted, asking=False)
    else:
        offers = {name: Offer(row, row.application or row.package, None, None) for name, row in rows.items()}
    found = {}
    for name, offer in offers.items():
        recorded, there = offer.known.recorded, offer.installed
        found[name] = system_offer(offer, system.release.title)._replace(
            candidate=recorded or (there.version if there else ""),
            upstream_candidate=versions.upstream_of(offer.known, recorded) if recorded else offer.upstream_installed,
            supported=bool(recorded) and system.release.distro == "debian",
        )
    return found


def system_offer(offer: Offer, title: str) -> SystemOffer:
    """Return `offer` as routing sees it; `title` is the distro's."""
    there = offer.installed if offer.installed is not None and offer.installed.state == "installed" else None
    return SystemOffer(
        title=_whose(offer.candidate, title),
        package=offer.package,
        identity=offer.known.identity,
        application=bool(offer.known.application),
        installed=there.version if there else "",
        candidate=offer.candidate.candidate if offer.candidate else "",
        upstream_installed=offer.upstream_installed if there else "",
        upstream_candidate=offer.upstream_candidate,
        manual=bool(there and there.manual),
        supported=offer.candidate is not None and is_supported(offer.candidate),
        modules=there.modules if there else (),
    )


def _whose(candidate: Candidate | None, title: str) -> str:
    """Return who has the candidate: the distro, called `title`, or somebody whose source its administrator added."""
    origins = [
        origin
        for version in (candidate.versions if candidate else ())
        if candidate and version.text == candidate.candidate
        for origin in version.origins
    ]
    if origins and all(origin.kind == THIRD_PARTY for origin in origins):
        return f"a third-party source of {title}"
    return title


def is_supported(candidate: Candidate) -> bool:
    """Say whether the distro's security team answers for the candidate: for its own archives, and of these `main`."""
    return any(
        origin.kind in _SUPPORTED
        and origin.component == "main"
        and origin.vendor in _TEAMS
        and origin.archive not in _UNSTABLE
        for version in candidate.versions
        if version.text == candidate.candidate
        for origin in version.origins
    )
