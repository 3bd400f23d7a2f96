"""The candidates for one distribution side by side: what the index and the distro have, and what is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from detente.cli.output import size
from detente.plan import comparison
from detente.plan.comparison import AVAILABLE, CANDIDATE, DISTRO, GIVEN, INDEX, INSTALLED, Place, Side
from detente.plan.request import is_direct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detente.cli.output import Output
    from detente.distro.base import Candidate, Offer
    from detente.plan.route import Route
    from detente.scan.newest import Answer
    from detente.scan.subject import Subject

_MOST = 5  # versions of one system package


def given(subject: Subject) -> bool:
    """Say whether our application came from a path or URL, so that no index has anything to do with it."""
    if subject.application is None:
        return False
    asked = subject.application.wish.requirement
    return is_direct(asked) or " @ " in asked


def questions(subject: Subject) -> list[str]:
    """Return the requirements to ask the index for: the newest, and for their age the versions that the distro has."""
    if not subject.name or given(subject):
        return []
    versions = []
    if subject.offer is not None and subject.offer.known.identity == "same":
        versions = [subject.offer.upstream_installed, subject.offer.upstream_candidate]
    if subject.application is not None:
        versions.append(subject.application.version)
    known = dict.fromkeys(version for version in versions if version and "+" not in version)
    return [subject.name, *(f"{subject.name}=={version}" for version in known)]


def is_offered(offer: Offer) -> bool:
    """Say whether the package manager would install the offer's system package here."""
    return offer.candidate is not None and bool(offer.candidate.candidate)


def sides(subject: Subject, answers: Mapping[str, Answer], title: str) -> list[Side]:
    """Return the candidates: the index's newest, the version that our application has, then the distro's."""
    found = []
    here = subject.application.version if subject.application is not None else ""
    newest = answers.get(subject.name)
    if newest is not None and newest.version:
        state = INSTALLED if newest.version == here else CANDIDATE
        found.append(_of_index(newest, state))
    if here and not (newest is not None and newest.version == here):
        asked = answers.get(f"{subject.name}=={here}")
        released = asked.uploaded if asked is not None else ""
        side = Side(INDEX, "index", subject.name, here, here, INSTALLED, released, comparison.from_index())
        if given(subject):
            side = side._replace(source=GIVEN, title="path or URL", security="none")
        found.append(side)
    if subject.offer is not None:
        found += _of_distro(subject.offer, answers, subject.name, title)
    elif subject.bare is not None:
        found += _of_package(subject.bare, {}, title)
    return found


def _of_index(answer: Answer, state: str) -> Side:
    security = comparison.from_index()
    return Side(
        INDEX, "index", answer.name, answer.version, answer.version, state, answer.uploaded, security, "", answer.size
    )


def _of_distro(offer: Offer, answers: Mapping[str, Answer], name: str, title: str) -> list[Side]:
    if offer.candidate is None:
        return []
    upstream = {}
    if offer.installed is not None:
        upstream[offer.installed.version] = offer.upstream_installed
    upstream[offer.candidate.candidate] = offer.upstream_candidate
    released = {}
    if offer.known.identity == "same":
        for text, version in upstream.items():
            answer = answers.get(f"{name}=={version}")
            released[text] = (version, answer.uploaded if answer is not None else "")
    else:
        released = {text: (version, "") for text, version in upstream.items()}
    return _of_package(offer.candidate, released, title)


def _of_package(candidate: Candidate, upstream: Mapping[str, tuple[str, str]], title: str) -> list[Side]:
    """Return the versions that matter: what is installed, the candidate, and what somebody else or backports have."""
    merged: dict[str, list[Place]] = {}
    for version in candidate.versions:
        merged.setdefault(version.text, []).extend(Place(*origin) for origin in version.origins)
    found = []
    current = True  # nothing of the distro's own archives yet
    for text, places in merged.items():
        elsewhere = [place for place in places if place.kind in ("backports", "third-party")]
        state = AVAILABLE
        if text == candidate.candidate:
            state = CANDIDATE
        if text == candidate.installed:
            state = INSTALLED
        if state == AVAILABLE and not current and not elsewhere:
            continue  # a newer version of the same distro replaces it
        current = current and bool(elsewhere)
        known, released = upstream.get(text, ("", ""))
        measured = text == candidate.candidate
        found.append(
            Side(
                DISTRO,
                comparison.called(places, title),
                candidate.package,
                text,
                known,
                state,
                released,
                comparison.from_distro(places, title),
                comparison.archive(places),
                candidate.download if measured else 0,
                candidate.size if measured else 0,
            )
        )
    return found[:_MOST]


def show(output: Output, found: list[Side], now: str) -> None:
    """Print `found` as a table; the first column marks what is installed."""
    if not found:
        return
    rows = []
    for side in found:
        mark = "*" if side.state == INSTALLED else ""
        aged = comparison.age(side.released, now)
        rows.append(
            (mark, side.title, side.version, aged, size(float(side.download)) if side.download else "", side.security)
        )
    heads = ["", "FROM", "VERSION", "AGE", "OWN SIZE", "SECURITY FIXES"]
    kept = [n for n in range(len(heads)) if n in (1, 2) or any(row[n] for row in rows)]
    output.table([heads[n] for n in kept], [[row[n] for n in kept] for row in rows])


def as_data(found: list[Side], now: str) -> list[dict[str, Any]]:
    """Return `found` for programs."""
    return [
        {
            "from": side.source,
            "title": side.title,
            "package": side.package,
            "version": side.version,
            "upstream": side.upstream,
            "state": side.state,
            "released": side.released,
            "age": comparison.age(side.released, now),
            "security": side.security,
            "archive": side.archive,
            "download": side.download,
            "size": side.size,
        }
        for side in found
    ]


def chosen(route: Route) -> dict[str, str]:
    """Return a route for programs."""
    return {
        "way": route.way, "rule": route.rule, "reason": route.reason, "alternative": route.alternative,
        "package": route.package,
    }  # fmt: skip
