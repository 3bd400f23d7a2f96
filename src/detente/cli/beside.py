"""The distro beside our own applications, for commands that look: what is broken there becomes a note."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from detente.errors import ConfigError, DetenteError, Interrupted, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from detente.cli.options import Invocation
    from detente.distro.base import Candidate, Installed, Offer, Release
    from detente.host.paths import Paths
    from detente.scan.system import System

Value = TypeVar("Value")


class Distro:
    """What the distro answers. Its package manager may be broken: that is said once, and it counts as silent then.

    `system` is None where there is none, or it is broken; `trouble` is what to say of that.
    """

    def __init__(self, invocation: Invocation, paths: Paths) -> None:
        self._output = invocation.output
        self.system: System | None = None
        self.release: Release | None = None
        self.trouble = ""

        def start() -> None:
            from detente.scan.system import system

            self.system = system(invocation.environ, paths.cache)
            self.release = self.system.release if self.system is not None else None

        self.ask(start, None)

    @property
    def title(self) -> str:
        """What the distro is called, "Debian 12"; "" where none is known."""
        return self.release.title if self.release is not None else ""

    @property
    def root(self) -> str:
        """Where the distro's root is, "" for this machine's own."""
        return self.system.root if self.system is not None else ""

    def ask(self, question: Callable[[], Value], otherwise: Value) -> Value:
        """Return the answer to `question`, `otherwise` where the package manager is broken."""
        try:
            return question()
        except (ConfigError, Interrupted, NotFound):
            raise
        except DetenteError as err:
            self.system = None
            if not self.trouble:
                self.trouble = err.message
                self._output.note(f"note: the distro is left out: {err.message}")
                for line in err.context:
                    self._output.note(f"  {line}")
                if err.hint:
                    self._output.note(f"hint: {err.hint}")
            return otherwise

    def installed(self) -> dict[str, Installed]:
        """Return the installed system packages that are Python."""
        system = self.system
        return self.ask(system.installed, {}) if system is not None else {}

    def offers(self, names: Iterable[str]) -> dict[str, Offer]:
        """Return what the distro has of the distributions `names` (normalized)."""
        system, asked = self.system, list(names)
        return self.ask(lambda: system.offers(asked), {}) if system is not None else {}

    def candidates(self, packages: Iterable[str]) -> dict[str, Candidate]:
        """Return what the package manager knows of `packages`."""
        system, asked = self.system, list(packages)
        return self.ask(lambda: system.candidates(asked), {}) if system is not None and asked else {}
