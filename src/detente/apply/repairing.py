"""Run the steps of a plan that repairs: each replaces one directory in one step, so a kill leaves it damaged or whole.

The caller holds the store's lock, shared.
"""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from detente.apply import expose, soundness
from detente.apply.acquire import acquire
from detente.apply.workshop import Workshop
from detente.errors import DetenteError, Interrupted
from detente.host import fs
from detente.host.paths import Paths
from detente.plan.damage import ENTRY, ENVIRONMENT, GENERATION, Finding, Report
from detente.plan.plan import Build, EnvironmentSpec, Fetch, Mend, Plan, Relink, Step
from detente.store import environments, generations, replacement, witness
from detente.store.bytecode import JOBS, compile_entries

if TYPE_CHECKING:
    from detente.model import Interpreter


def run(
    plan: Plan, report: Report, workshop: Callable[[], Workshop], paths: Paths, on_wait: Callable[[], None]
) -> list[str]:
    """Run all steps of `plan`, made for what `report` found; return in words what could not be done.

    One thing that cannot be brought back (no network, a source that builds to something else) stops no other.
    """
    problems: list[str] = []
    named = {
        (item.place, item.name): [one for one in report.findings if one[:2] == item[:2]] for item in report.findings
    }
    soundness.mend(
        paths, [step.name for step in plan.steps if isinstance(step, Mend) and step.kind == "entry"], on_wait
    )
    fetches: tuple[Step, ...] = tuple(step for step in plan.steps if isinstance(step, Fetch))
    builds: list[tuple[Step, ...]] = [(step,) for step in plan.steps if isinstance(step, Build)]
    for steps in (fetches, *builds):
        if steps:
            _acquire(plan._replace(steps=steps), workshop, problems)
    _compile(paths, [name for place, name in named if place == ENTRY], on_wait)
    with fs.lock(os.path.join(paths.data, "profile.lock"), on_wait=on_wait):
        for step in plan.steps:
            match step:
                case Relink(spec):
                    _relink(paths, spec, named.get((ENVIRONMENT, spec.directory), []), problems)
                case Mend("generation", name):
                    _generation(paths, int(name), named[GENERATION, name])
                case Mend("unused", name):
                    _take_away(paths, name, named[ENTRY, name])
                case Mend("links", _):
                    current = generations.current(paths)[0]
                    expose.reconcile(paths, current, current, problems=problems)
    return problems


def _acquire(plan: Plan, workshop: Callable[[], Workshop], problems: list[str]) -> None:
    try:
        acquire(plan, workshop())
    except Interrupted:
        raise
    except DetenteError as err:
        problems.append(err.message)


def _compile(paths: Paths, names: list[str], on_wait: Callable[[], None]) -> None:
    """Give what was fetched or built the bytecode that the environments which link it expect."""
    wanted: dict[Interpreter, list[str]] = {}
    for name in names:
        for interpreter in environments.interpreters_of(paths, name):
            wanted.setdefault(interpreter, []).append(name)
    for interpreter, entries in wanted.items():
        compile_entries(paths, interpreter, entries, jobs=JOBS, on_wait=on_wait)


def _relink(paths: Paths, spec: EnvironmentSpec, findings: Iterable[Finding], problems: list[str]) -> None:
    missing = [name for name in spec.entries if not os.path.isdir(os.path.join(paths.store, name))]
    if missing:
        problems.append(f"the environment {spec.directory} needs {missing[0]}, which is missing")
        return
    try:
        staged = environments.stage(paths, spec)
    except DetenteError as err:
        problems.append(f"the environment {spec.directory} cannot be made anew: {err.message}")
        return
    _put(paths, staged, os.path.join(paths.environments, spec.directory), findings, environments.RECORDS)


def _generation(paths: Paths, number: int, findings: Iterable[Finding]) -> None:
    generation = generations.recorded(paths, number)
    if generation is not None:
        final = os.path.join(paths.generations, str(number))
        _put(paths, generations.stage(paths, generation), final, findings, generations.RECORDS)


def _put(paths: Paths, staged: fs.Staged, final: str, findings: Iterable[Finding], records: tuple[str, ...]) -> None:
    try:
        fs.sync_filesystem(staged.path)
        replacement.put_in_place(paths, staged, final, findings)
    except BaseException:
        staged.discard()
        raise
    witness.attest(paths, final, *records)
    fs.fsync_directory(os.path.dirname(final))


def _take_away(paths: Paths, name: str, findings: Iterable[Finding]) -> None:
    """Remove an entry that nothing links and that cannot be had again; what is not ours in it goes to quarantine."""
    place = os.path.join(paths.store, name)
    replacement.keep(paths, place, findings)
    witness.forget(paths, witness.STORE, [name])
    if os.path.lexists(place):
        grave = os.path.join(paths.store, f"{fs.STAGING}dead-{os.urandom(8).hex()}")
        os.rename(place, grave)
        fs.remove_tree(grave)
