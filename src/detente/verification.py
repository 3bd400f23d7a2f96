"""Requests about damage: look at everything, and bring back what can be brought back. Like `api`, under the locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detente.api import Detente, Outcome
from detente.errors import NotFound
from detente.host.paths import check_owner
from detente.plan.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from detente.plan.damage import Report


class Verifier(Detente):
    """A profile and what is wrong with it."""

    def verify(self, keys: Iterable[str] = ()) -> Report:
        """Return what is damaged of the applications `keys`, or of everything; raise NotFound for an unknown key."""
        from detente.scan import damage

        chosen = frozenset(keys)
        unknown = sorted(chosen - self.keys()) if chosen else []
        if unknown:
            raise NotFound(f"no application is called {unknown[0]}", hint="detente list shows what is installed")
        return damage.look(self.paths, self.environ, chosen, self._progress, self._waiting, _in_threads)

    def repair(self, keys: Iterable[str] = ()) -> tuple[Report, Outcome]:
        """Bring back what `verify` finds, and return what it found then; a dry run only plans.

        What is left afterwards is in the warnings and problems of the outcome.
        """
        from detente.plan import damage
        from detente.scan import means

        check_owner(self.paths)
        with self._store():
            report = self.verify(keys)
            plan = damage.repair(report, means.look(self.paths, self.environ, report)) if report.findings else Plan("")
            if self._dry_run or not plan.steps:
                return report, Outcome(plan, False, {})
            from detente.apply import repairing

            self._progress.phase("repairing")
            problems = repairing.run(plan, report, self._inquiry.workshop, self.paths, self._waiting)
            return self.verify(keys), Outcome(plan, True, {}, problems=tuple(problems))


def _in_threads(names: list[str], work: Callable[[str], None]) -> None:
    from threading import Event

    from detente.apply.crew import work_off
    from detente.store.bytecode import JOBS

    if names:
        work_off(names, work, min(JOBS, len(names)), Event())
