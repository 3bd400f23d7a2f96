"""Where looking, deciding and changing meet: one function per kind of request, under the locks.

The command line calls these; so may other programs. Every function raises the errors of `errors.py`.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from detente.errors import IntegrityError, Refused, StalePlan
from detente.host.paths import Paths, check_owner, user_paths
from detente.inquiry import Inquiry
from detente.model import CONFINED, BuildPolicy
from detente.plan.plan import Link, Plan, Switch
from detente.plan.request import (
    Asked,
    Collect,
    Install,
    Remove,
    Rollback,
    merged,
    requirement_name,
    without_login,
    without_logins,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from detente.model import Application, Wish
    from detente.plan.facts import Resolution, Slot
    from detente.progress import Progress

_ATTEMPTS = 20  # of a plan that other commands keep making stale


class Outcome(NamedTuple):
    """What became of a request: the plan as shown, whether it was run, and what is worth saying afterwards.

    `unexposed` are paths that could not be brought in line, `problems` the reasons of those that are not simply
    someone else's; `freed` is in bytes.
    """

    plan: Plan
    done: bool
    applications: dict[str, Application]
    unexposed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    freed: int = 0


class Detente:
    """One person's profile, and the outside world as this command was told of it.

    `confirm` is asked before a plan with questions runs, and raises where the answer is no. `only_binary` is what the
    configuration says of wheels only (`engine.formats`), `policy` what code that builds sources may do.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        command: Sequence[str],
        progress: Progress,
        confirm: Callable[[Plan], None],
        *,
        dry_run: bool = False,
        offline: bool = False,
        only_binary: Sequence[str] = (),
        policy: BuildPolicy = CONFINED,
    ) -> None:
        self.environ = environ
        self.paths: Paths = user_paths(environ)
        self._command = tuple(map(without_login, command))
        self._progress = progress
        self._confirm = confirm
        self._dry_run = dry_run
        self._built: dict[Slot, str] = {}
        self._inquiry = Inquiry(
            self.environ, self.paths, progress, offline=offline, only_binary=only_binary, policy=policy
        )

    def keys(self, *, past: bool = False) -> frozenset[str]:
        """Return the keys of the applications there are; with `past`, of those that were as well."""
        from detente.store import generations

        found = frozenset(generations.current(self.paths)[0].applications)
        if past:
            found = found.union(*(item.applications for item in generations.history(self.paths)))
        return found

    def owner_of(self, command: str) -> str:
        """Return the key of the application that exposes `command`, or ""."""
        from detente.store import generations

        items = generations.current(self.paths)[0].applications.values()
        return next((item.key for item in items if command in item.commands), "")

    def wish_of(self, key: str) -> Wish | None:
        """Return what was asked for about application `key`, None where there is none."""
        from detente.store import generations

        item = generations.current(self.paths)[0].applications.get(key)
        return item.wish if item else None

    def plan_of(self, asked: Asked) -> Plan:
        """Return what having `asked` takes, for a dry run."""
        return self._plan_once(Install((asked,), force=True), self._inquiry.resolve((asked,), {}))

    def install(self, request: Install) -> Outcome:
        """Have the applications of `request`, in one switch; nothing is done where all is so already."""
        from detente.store import environments, generations

        current = generations.current(self.paths)[0].applications
        if self._as_asked(request, current):
            keys = [requirement_name(asked.requirement) + asked.suffix for asked in request.asked]
            lacking = environments.uncompiled(self.paths, [current[key].environment for key in keys])
            return Outcome(Plan("", lacking), False, {key: current[key] for key in keys})
        check_owner(self.paths)
        resolutions = self._inquiry.resolve(request.asked, current)
        outcome = self._change(request, resolutions)
        keys = [resolution.key for resolution in resolutions]
        return outcome._replace(applications={key: item for key, item in outcome.applications.items() if key in keys})

    def remove(self, request: Remove) -> Outcome:
        """Have the applications of `request` no more, in one switch."""
        check_owner(self.paths)
        return self._change(request, ())

    def rollback(self, request: Rollback) -> Outcome:
        """Go back, by a new generation with the old content; needs no network."""
        check_owner(self.paths)
        return self._change(request, ())

    def collect(self, request: Collect) -> Outcome:
        """Remove what nothing keeps, and what killed commands left behind."""
        from detente.apply import executor
        from detente.plan import planner
        from detente.store import collect, locks

        check_owner(self.paths)
        if not os.path.isdir(self.paths.data):
            return Outcome(Plan(""), False, {})
        with locks.alone(self.paths, self._waiting):
            if not self._dry_run:
                locks.sweep(self.paths)
            plan = planner.collect(request, collect.holdings(self.paths))
            if self._dry_run or plan.empty:
                return Outcome(plan, False, {})
            return Outcome(plan, True, {}, freed=executor.discard(plan, self.paths))

    def ephemeral(self, asked: Asked) -> tuple[str, Application]:
        """Return the path of an environment for `asked`, made where missing, and what an installed one would be.

        It is no part of any generation: `collect` takes it once no process uses it. Until this process ends, or
        the program that it becomes, a descriptor that stays open says that it is in use.
        """
        from detente.apply import executor

        check_owner(self.paths)
        resolutions = self._inquiry.resolve((asked,), {})
        with self._store():
            plan = self._plan_once(Install((asked,), force=True), resolutions)
            application = self._applications(plan)[resolutions[0].key]
            self._confirm(plan)
            executor.complete(plan, self.paths, self._waiting)
            executor.link([step.environment for step in plan.steps if isinstance(step, Link)], self.paths)
            place = os.path.join(self.paths.environments, application.environment)
            os.set_inheritable(os.open(place, os.O_RDONLY | os.O_DIRECTORY), True)
        return place, application

    def complete(self, plan: Plan) -> None:
        """Give entries the bytecode that `plan` wants for them; all of it works before, only slower."""
        from detente.apply import executor

        self._progress.phase("compiling")
        try:
            with self._store():
                executor.complete(plan, self.paths, self._waiting)
        finally:
            self._progress.end()

    def _as_asked(self, request: Install, current: Mapping[str, Application]) -> bool:
        """Say whether every application is there as asked, whole, and shown: then there is nothing to look up.

        A local source is never as asked: it may have changed, so it is looked at each time.
        """
        from detente.store import environments, exposures, generations

        keys = []
        for asked in request.asked:
            item = current.get(requirement_name(asked.requirement) + asked.suffix)
            if item is None or without_logins(merged(asked, item)) != item.wish:
                return False
            if asked.requirement.startswith("/") and not asked.editable:
                return False
            if not environments.is_whole(self.paths, item.environment) or not self._inquiry.suits(item):
                return False
            keys.append(item.key)
        return exposures.in_line(self.paths, generations.current(self.paths)[0], tuple(keys))

    def _change(self, request: Install | Remove | Rollback, resolutions: Sequence[Resolution]) -> Outcome:
        from detente.apply import executor
        from detente.store import reserve

        with self._store():
            for _ in range(_ATTEMPTS):
                problems: list[str] = []
                plan = self._plan_once(request, resolutions)
                if self._dry_run:
                    return Outcome(plan, False, self._applications(plan))
                if plan.empty:
                    unexposed = executor.settle(self.paths, self._waiting, problems)
                    return Outcome(plan, False, self._applications(plan), tuple(unexposed), tuple(problems))
                self._confirm(plan)
                self._progress.phase("switching")
                try:
                    unexposed = executor.execute(plan, self.paths, self._waiting, problems)
                except StalePlan:
                    continue
                reserve.keep(self.paths)
                return Outcome(plan, True, self._applications(plan), tuple(unexposed), tuple(problems))
        raise Refused("other commands keep changing the profile", hint="wait until they are done, and repeat")

    def _plan_once(self, request: Install | Remove | Rollback, resolutions: Sequence[Resolution]) -> Plan:
        """Plan; where the store lacks something, or what it has is damaged, get it and plan again (no dry run does)."""
        from detente.plan import planner
        from detente.scan import state

        damaged: set[str] = set()
        past = not isinstance(request, Install)
        for _ in range(_ATTEMPTS):
            facts = state.look(
                self.paths, self.environ, self._command, resolutions, self._built, past=past, damaged=damaged
            )
            plan = planner.plan(request, facts)
            if plan.pending and not self._dry_run:
                from detente.apply.acquire import acquire

                self._progress.phase("fetching")
                self._built |= acquire(plan, self._inquiry.workshop(), resolutions)
                self._progress.phase("linking")
                damaged.clear()
                continue
            found = self._damaged(plan)
            if found is None:
                return plan
            damaged |= found
        raise IntegrityError("the store is damaged again as soon as it is mended", hint="look at the disk: dmesg")

    def _damaged(self, plan: Plan) -> set[str] | None:
        """Return the entries that `plan` must not link but have anew, None where it may run.

        What needs no wheel is mended on the way (a dry run leaves it).
        """
        from detente.store import witness

        suspects = witness.suspects(self.paths, plan)
        if not suspects:
            return None
        from detente.apply import soundness
        from detente.plan.damage import MODE, needs_wheel

        found = soundness.settled(self.paths, suspects, self._waiting)
        for name, findings in found.items():
            first = min(findings, key=lambda item: item.kind == MODE)
            self._progress.say(f"note: {name} in the store is damaged ({first.path} {first.what}); it is made anew")
        anew = {name for name, findings in found.items() if needs_wheel(findings)}
        if found and not self._dry_run:
            soundness.mend(self.paths, found.keys() - anew, self._waiting)
            return anew
        return anew or None

    def _applications(self, plan: Plan) -> dict[str, Application]:
        from detente.store import generations

        for step in plan.steps:
            if isinstance(step, Switch):
                return dict(step.generation.applications)
        return generations.current(self.paths)[0].applications

    @contextlib.contextmanager
    def _store(self) -> Iterator[None]:
        """Hold the store, shared; a dry run only looks."""
        from detente.store import locks

        if self._dry_run:
            yield
            return
        with locks.shared(self.paths, self._waiting):
            yield

    def _waiting(self) -> None:
        from detente.store import locks

        self._progress.say(f"waiting for another detente command to end{without_login(locks.holders(self.paths))}")
