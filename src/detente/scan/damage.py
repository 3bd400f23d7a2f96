"""Look at everything there is, and compare it with its digests and records.

No lock is held for the first look. What it finds is looked at again while no command is changing the profile:
what was just being written, compiled or removed is no damage.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from detente.errors import IntegrityError
from detente.host import fs
from detente.host.paths import Paths
from detente.plan.damage import ENTRY, ENVIRONMENT, GENERATION, LINK, OUTSIDE, Finding, Report
from detente.progress import Progress
from detente.scan import distro_modules
from detente.store import environments, generations, verify, verify_places

if TYPE_CHECKING:
    from detente.model import Generation

Place = tuple[str, str]
InThreads = Callable[[list[str], Callable[[str], None]], None]


def look(
    paths: Paths,
    environ: Mapping[str, str],
    keys: frozenset[str],
    progress: Progress,
    on_wait: Callable[[], None],
    in_threads: InThreads,
) -> Report:
    """Return what is damaged of the applications `keys`, of everything where there are none. Changes nothing.

    `in_threads` calls a function for each name of a list, several at a time.
    """
    report = _look(paths, environ, keys, progress, in_threads, None)
    if not report.findings:
        return report
    with contextlib.suppress(OSError), fs.lock(os.path.join(paths.data, "profile.lock"), on_wait=on_wait):
        again = _look(paths, environ, keys, progress, in_threads, {(item.place, item.name) for item in report.findings})
        return report._replace(findings=again.findings, users=again.users)
    return report


def _look(
    paths: Paths,
    environ: Mapping[str, str],
    keys: frozenset[str],
    progress: Progress,
    in_threads: InThreads,
    only: set[Place] | None,
) -> Report:
    """Look once; at the places in `only`, where that is given."""
    findings: list[Finding] = []
    users: dict[Place, set[str]] = {}

    def wanted(place: str, name: str) -> bool:
        return only is None or (place, name) in only

    current = _current(paths, findings)
    loaded: dict[int, Generation] = {}
    numbers = generations.numbers(paths)
    for number in numbers:
        found, generation = verify_places.check_generation(paths, number)
        if (not keys or number == current) and wanted(GENERATION, str(number)):
            findings += found
        users.setdefault((GENERATION, str(number)), set())
        if generation is not None:
            loaded[number] = generation
    named = {} if keys else dict.fromkeys(_names(paths.environments), frozenset[str]())
    for number, generation in loaded.items():
        for key, item in generation.applications.items():
            if keys and (number != current or key not in keys):
                continue
            known = users.setdefault((ENVIRONMENT, item.environment), set())
            known.add(key if number == current else f"{key} in generation {number}")
            named.setdefault(item.environment, frozenset())
            users[GENERATION, str(number)].add(key)
    for name in named:
        if wanted(ENVIRONMENT, name):
            findings += verify_places.check_environment(paths, name)
            findings += distro_modules.findings(paths, name, environ)
        with contextlib.suppress(IntegrityError, TypeError):
            named[name] = frozenset(environments.entries_of(paths, name))
    entries = set() if keys else set(_names(paths.store))
    for name, linked in named.items():
        entries |= linked
        for entry in linked:
            users.setdefault((ENTRY, entry), set()).update(users.get((ENVIRONMENT, name), ()))
    if current in loaded:
        chosen = {key: item for key, item in loaded[current].applications.items() if not keys or key in keys}
        outside = verify_places.check_outside(paths, loaded[current]._replace(applications=chosen))
        findings += [item for item in outside if wanted(OUTSIDE, item.name)]
    todo = [name for name in sorted(entries) if wanted(ENTRY, name)]
    checked = _entries(paths, todo, progress, in_threads)
    findings = [item for item in findings if item.place != ENTRY or item.name not in todo]
    findings += [item for result in checked for item in result.findings]
    return Report(
        tuple(findings),
        {place: tuple(sorted(keys)) for place, keys in users.items()},
        len(todo),
        len(named),
        1 if keys else len(numbers),
        sum(result.files for result in checked),
        sum(result.size for result in checked),
    )


def _current(paths: Paths, findings: list[Finding]) -> int:
    try:
        number = generations.current_number(paths)
    except IntegrityError:
        number = -1
    if number and not os.path.isdir(os.path.join(paths.generations, str(number))):
        findings.append(Finding(GENERATION, "current", "", LINK, "does not lead to a generation"))
    return number


def _entries(paths: Paths, names: list[str], progress: Progress, in_threads: InThreads) -> list[verify.Checked]:
    results: list[verify.Checked] = []

    def one(name: str) -> None:
        results.append(verify.check(paths, name))
        progress.phase(f"verifying: {len(results)} of {len(names)} store entries")

    progress.phase("verifying")
    in_threads(names, one)
    return results


def _names(path: str) -> Iterable[str]:
    try:
        return [name for name in os.listdir(path) if not name.startswith(".")]
    except FileNotFoundError:
        return ()
