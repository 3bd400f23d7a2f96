"""Section `network`: indexes, servers, names, proxies that misbehave; passwords; and no network at all."""

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from proof import network_files, network_offline, network_pages, network_peers, network_secrets, network_ways
from proof.figure import Figure
from proof.lab import Lab
from proof.network_scene import LIMIT, Behaviour, Outcome, stock, trial

BEHAVIOURS: tuple[Behaviour, ...] = (*network_pages.BEHAVIOURS, *network_files.BEHAVIOURS, *network_ways.BEHAVIOURS)
_SLEEPERS = 10  # trials at once of those that mostly sleep
# What ./check tries each time: the ways to fail that are told apart by different code, the short ones first.
SAMPLE = (
    "a page never begins",
    "a page does not begin the first time",
    "a page comes a byte a second",
    "a page leads to file:///etc/passwd",
    "a page is answered 503 twice, then well",
    "a page is a log-in page (200)",
    "a page begins with 102 Processing for ever",
    "the metadata lies about what is required",
    "a file stops in the middle",
    "a file stops in the middle once",
    "a file breaks off once: resumed there",
    "one bit of a file is flipped",
    "resuming: another range comes, and is called right",
    "pages lead from https to http",
    "the proxy is down",
    "a name is on two indexes",
)


def chosen(lab: Lab) -> list[Behaviour]:
    """Return what to try."""
    return [one for one in BEHAVIOURS if not lab.quick or one.name in SAMPLE]


def tried(behaviours: Sequence[Behaviour], folder: Path, jobs: int) -> list[Outcome]:
    """Try all: what takes memory one by one, what computes `jobs` at once, what sleeps with many more."""
    wares = stock(folder / "wares")
    heavy = [one for one in behaviours if one.heavy]
    sleeping = [one for one in behaviours if one.waits and not one.heavy]
    busy = [one for one in behaviours if not one.waits and not one.heavy]
    found: list[Outcome] = []
    for group, threads in ((sleeping, max(jobs, _SLEEPERS)), (busy, jobs), (heavy, 1)):
        with ThreadPoolExecutor(threads) as pool:
            found += pool.map(lambda one: trial(one, folder / _slug(one.name), wares), group)
    return found


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name)


def measure(lab: Lab) -> Iterable[Figure]:
    """Measure what is promised about networks."""
    behaviours = chosen(lab)
    outcomes = tried(behaviours, lab.scratch / "behaviours", lab.jobs)
    for one in outcomes:
        if one.breaches:
            lab.say(f"{one.name}: {'; '.join(one.breaches)}")
    slow = {one.name for one in behaviours if one.heavy}  # a large page and a slow one may move for longer
    longest = max((one for one in outcomes if one.name not in slow), key=lambda one: one.seconds)
    yield Figure(
        f"a hostile index or network: the right sentence within {LIMIT:.0f} s idle, nothing half-installed",
        "`install` on a cold machine against one misbehaviour; then the same on a healthy index, and nothing left over",
        len(outcomes),
        sum(bool(one.breaches) for one in outcomes),
        f"longest {longest.seconds:.0f} s",
        network_peers.tried(lab, behaviours, lab.scratch / "peers"),
    )
    yield _passwords(lab)
    found = list(network_offline.trials(lab.scratch / "offline"))
    for what, wrong in found:
        if wrong:
            lab.say(f"offline, {what}: {wrong}")
    yield Figure(
        "what is here works without any network",
        "each command in a network name space without interfaces",
        len(found),
        sum(bool(wrong) for _, wrong in found),
    )


def _passwords(lab: Lab) -> Figure:
    wares = network_secrets.stock(lab.scratch / "secrets" / "wares")
    names = list(network_secrets.WAYS)[:: 4 if lab.quick else 1]
    with ThreadPoolExecutor(lab.jobs) as pool:
        found = list(
            pool.map(lambda name: network_secrets.trial(name, lab.scratch / "secrets" / _slug(name), wares), names)
        )
    for one in found:
        if one.found:
            lab.say(f"a password {one.name}: {'; '.join(one.found)}")
    return Figure(
        "a password stays where the person wrote it",
        "plan, install (a build, too), run, list; then search output, the home, arguments of all processes, requests",
        len(found),
        sum(bool(one.found) for one in found),
        f"{sum(one.places for one in found):,} places searched",
    )
