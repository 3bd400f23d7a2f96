"""The part of an install that the distro's package manager does: simulated, shown, run as root, and looked at again."""

from __future__ import annotations

import contextlib
from shlex import quote
from typing import TYPE_CHECKING

from detente.distro import apt, apt_words
from detente.errors import DetenteError, Interrupted, Refused, ToolError
from detente.host import escalate
from detente.host.processes import holding
from detente.plan import system_packages
from detente.plan.plan import SystemChange, SystemInstall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detente.plan.plan import Plan
    from detente.scan.system import System


def check_privileges(packages: tuple[str, ...], environ: Mapping[str, str]) -> None:
    """Raise Refused where nobody here can become root, so that `packages` cannot be installed."""
    escalate.check(escalate.seat(environ), apt_words.typed_install(packages))


class SystemPart:
    """Have `packages` from the package manager of `system`; simulates it, and raises what that raises.

    `reasons` and `remarks` are the routes'. `cache` is détente's, `output` takes what the package manager says (None:
    ours). `plan` is what would be done; `refusal` is why it cannot be (no privileges), None where it can.
    """

    def __init__(
        self,
        system: System,
        packages: tuple[str, ...],
        environ: Mapping[str, str],
        cache: str,
        *,
        reasons: Sequence[str] = (),
        remarks: Sequence[str] = (),
        output: int | None = None,
    ) -> None:
        simulation = system.simulate(packages)
        changes = tuple(SystemChange(one.package, one.before, one.after) for one in simulation.changes)
        seat = escalate.seat(environ)
        removes = any(not change.after for change in changes)
        command = apt.install(packages, removes=removes, interactive=seat.terminal)
        self.terminal = seat.terminal
        self.refusal: Refused | None = None
        self._environ, self._cache, self._output = environ, cache, output
        self._packages, self.title = packages, system.release.title
        self._typed = apt_words.typed_install(packages)
        self._before = {package: each.version for package, each in system.installed().items()}
        try:
            if system.root:
                raise Refused(
                    f"DETENTE_DISTRO names another root file system, {system.root}: nothing is installed there",
                    hint=f"leave it out, or: sudo chroot {quote(system.root)} {self._typed}",
                )
            command = escalate.raised(command, seat, environ, self._typed)
        except Refused as err:
            self.refusal = err
        self._command = command
        step = SystemInstall(packages, changes, command.argv, simulation.download, simulation.disk)
        self.plan: Plan = system_packages.plan(step, reasons, remarks)

    def run(self) -> tuple[SystemChange, ...]:
        """Do it, and return what is installed now of what was asked for; raise what it failed by.

        After an interrupt, which the package manager may outlive: Interrupted, with the state that it left.
        """
        from detente.apply import system_packages as apply

        if self.refusal is not None:
            raise self.refusal
        error, signal = apply.install(self._command, self._typed, output=self._output)
        now = self._look()
        there = [SystemChange(name, self._before.get(name, ""), now[name]) for name in self._packages if name in now]
        if signal:
            raise self._interrupted(signal, there)
        if error is not None:
            if isinstance(error, Refused) and (holders := holding(apt_words.LOCK)):
                error.context = (*error.context, f"held by {', '.join(holders)}")
            raise error
        if len(there) < len(self._packages):
            lacking = next(name for name in self._packages if name not in now)
            raise ToolError(
                f"the package manager reported success, and {lacking} is not installed",
                hint=f"see what it says of it: apt policy {lacking}",
            )
        return tuple(there)

    def _look(self) -> dict[str, str]:
        """Return the version of each system package that is whole."""
        from detente.scan.system import system

        found = system(self._environ, self._cache)
        installed = found.installed() if found is not None else {}
        return {package: each.version for package, each in installed.items() if each.state == "installed"}

    def _interrupted(self, signal: int, there: Sequence[SystemChange]) -> Interrupted:
        if self._is_torn():
            torn = Interrupted(signal, f"dpkg has work left, of which nothing is lost ({self.title})")
            torn.hint = apt_words.UNFINISHED
            return torn
        if len(there) == len(self._packages):
            names = ", ".join(f"{change.package} {change.after}" for change in there)
            return Interrupted(signal, f"{names} had gone too far, and is installed (system package, {self.title})")
        return Interrupted(signal, f"the package manager left {', '.join(self._packages)} as it was")

    def _is_torn(self) -> bool:
        from detente.host import proc

        with contextlib.suppress(DetenteError):
            return bool(proc.run(apt_words.audit()).stdout.strip())
        return False
