"""Run a plan: link, then one switch, then expose.

The order that a kill or a power cut cannot tear: stage environments and generation, one sync of the file system,
rename them to their names, make the directories durable, replace `current`, make that durable, and only then touch
the links outside.
"""

import contextlib
import errno
import os
from collections.abc import Callable

from detente.apply import expose
from detente.errors import DiskError, StalePlan, ToolError
from detente.host import fs
from detente.host.paths import Paths
from detente.host.signals import undisturbed
from detente.model import Generation
from detente.plan.plan import Compile, Discard, EnvironmentSpec, Link, Plan, Switch
from detente.store import collect, environments, generations, reserve, witness


def execute(plan: Plan, paths: Paths, on_wait: Callable[[], None], problems: list[str] | None = None) -> list[str]:
    """Run all steps of `plan` but fetching, building and compiling; return the paths that could not be exposed.

    `problems` hears of each that failed for another reason than being someone else's.
    Holds the profile's lock (after `on_wait` where another command holds it). Raise StalePlan, with nothing
    changed, where the current generation is not the one the plan was made for.
    """
    for folder in (paths.environments, paths.generations):
        fs.make_directory(folder)
    with contextlib.suppress(DiskError, ToolError):  # it is tried again at the end, and told of then
        _complete(plan, paths, on_wait, _has_top_modules)
    with fs.lock(os.path.join(paths.data, "profile.lock"), on_wait=on_wait):
        before, basis = generations.current(paths)
        if basis != plan.basis:
            raise StalePlan("another command changed the profile meanwhile", hint="repeat the command")
        switch = next((step for step in plan.steps if isinstance(step, Switch)), None)
        generation = switch.generation if switch else None
        if generation:
            expose.check(paths, generation)
        specs = [step.environment for step in plan.steps if isinstance(step, Link)]
        try:
            _publish(specs, generation, paths)
        except OSError as err:
            if specs or err.errno not in (errno.ENOSPC, errno.EDQUOT) or not reserve.give_up(paths):
                raise
            _publish(specs, generation, paths)
        if generations.current_number(paths) != before.number:  # the lock's file was deleted under our hands
            raise StalePlan("another command changed the profile meanwhile", hint="repeat the command")
        with undisturbed():
            if switch is None:
                return expose.reconcile(paths, before, before, problems=problems)
            generations.switch(paths, switch.generation.number)
            return expose.reconcile(paths, switch.generation, before, switch.over, problems)


def complete(plan: Plan, paths: Paths, on_wait: Callable[[], None]) -> None:
    """Run the Compile steps of `plan`: everything works without them, only slower.

    The caller holds the store's lock, shared.
    """
    _complete(plan, paths, on_wait, lambda _: True)


def _complete(plan: Plan, paths: Paths, on_wait: Callable[[], None], chosen: Callable[[str], bool]) -> None:
    for step in plan.steps:
        names = (
            [name for name in step.entries if chosen(os.path.join(paths.store, name))]
            if isinstance(step, Compile)
            else []
        )
        if names and isinstance(step, Compile):
            from detente.store.bytecode import JOBS, compile_entries

            compile_entries(paths, step.interpreter, names, jobs=JOBS, on_wait=on_wait)


def _has_top_modules(entry: str) -> bool:
    """Say whether the entry's `__pycache__` is one that environments link: it must be there before they are made."""
    try:
        return any(name.endswith(".py") for name in os.listdir(os.path.join(entry, "lib")))
    except OSError:
        return False


def settle(paths: Paths, on_wait: Callable[[], None], problems: list[str] | None = None) -> list[str]:
    """Bring the links outside in line with the current generation, as a kill after a switch may leave them."""
    if not os.path.isdir(paths.data):
        return []
    with fs.lock(os.path.join(paths.data, "profile.lock"), on_wait=on_wait):
        current, _ = generations.current(paths)
        with undisturbed():
            return expose.reconcile(paths, current, current, problems=problems)


def link(specs: list[EnvironmentSpec], paths: Paths) -> None:
    """Make the environments `specs` and nothing else: for a run without installing."""
    fs.make_directory(paths.environments)
    _publish(specs, None, paths)


def _publish(specs: list[EnvironmentSpec], generation: Generation | None, paths: Paths) -> None:
    """Stage `specs` and `generation`, sync once, and give all of them their names; durable on return."""
    staged: list[tuple[fs.Staged, str]] = []
    try:
        for spec in specs:
            staged.append((environments.stage(paths, spec), os.path.join(paths.environments, spec.directory)))
        if generation is not None:
            final = os.path.join(paths.generations, str(generation.number))
            staged.append((generations.stage(paths, generation), final))
        if staged:
            fs.sync_filesystem(paths.data)
        for spec in specs:
            _make_room(paths, spec)
        for made, final in staged:
            if made.publish(final):
                is_generation = os.path.dirname(final) == paths.generations
                witness.attest(paths, final, *(generations.RECORDS if is_generation else environments.RECORDS))
            elif os.path.dirname(final) == paths.generations:
                raise StalePlan("another command made the same generation meanwhile", hint="repeat the command")
    except BaseException:
        for made, _ in staged:
            with contextlib.suppress(OSError):
                made.discard()
        raise
    for folder in {os.path.dirname(final) for _, final in staged}:
        fs.fsync_directory(folder)


def _make_room(paths: Paths, spec: EnvironmentSpec) -> None:
    """Take the name from an environment that is there but not as it is to be: the one just made takes its place."""
    final = os.path.join(paths.environments, spec.directory)
    if os.path.isdir(final) and not environments.is_whole(paths, spec.directory, spec.distro):
        os.rename(final, os.path.join(paths.environments, f"{fs.STAGING}broken-{os.urandom(4).hex()}"))


def discard(plan: Plan, paths: Paths) -> int:
    """Run the Discard steps of `plan` under the profile's lock; return the bytes freed.

    The caller holds the store's lock alone. Raise StalePlan where the profile has changed.
    """
    with fs.lock(os.path.join(paths.data, "profile.lock")):
        if generations.current(paths)[1] != plan.basis:
            raise StalePlan("another command changed the profile meanwhile", hint="repeat the command")
        return sum(collect.discard(paths, step) for step in plan.steps if isinstance(step, Discard))
