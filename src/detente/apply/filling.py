"""Make the environment that a source is built in, and let the engine fill it.

It gets wheels, and what has none is built first, confined like the source itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from detente.apply.backend import TAIL_LINES
from detente.engine import uv as engine
from detente.engine.formats import ALL, with_only_binary
from detente.engine.sources import Sources
from detente.errors import BuildError
from detente.host import proc, stand_in
from detente.model import BuildPolicy, Interpreter


class Filling(NamedTuple):
    """`title` is what will be built in the environment at `path`, `cache` the directory of our caches."""

    title: str
    path: str
    interpreter: Interpreter
    uv: str
    cache: str
    sources: Sources
    environ: Mapping[str, str]
    policy: BuildPolicy
    offline: bool
    log: Callable[[str], None]

    def create(self) -> None:
        """Make the empty environment; raise BuildError with the engine's words."""
        made = engine.create_environment(
            self.uv, self.path, self.interpreter.path, cache=self.cache + "/uv", environ=self.environ
        )
        answer = proc.run(made)
        if answer.returncode != 0:
            raise _failed(f"no environment to build {self.title} could be made", answer.stderr)

    def install(self, requirements: Sequence[str], why: str) -> None:
        """Install `requirements`, which foreign code named; raise BuildError where that fails."""
        if not requirements:
            return
        self._check(requirements)
        self.log(f"installing {why} of {self.title}: {', '.join(requirements)}")
        real = self.interpreter
        substitute = stand_in.stand_in(self.cache, real.path, real.version)
        asked = engine.install_into(
            self.uv,
            self.path + "/bin/python",
            requirements,
            cache=self.cache + "/uv",
            sources=self.sources if substitute else with_only_binary(self.sources, (ALL,)),
            offline=self.offline,
            environ=self.environ,
        )
        with stand_in.lent(self.path, substitute):
            outcome = stand_in.run(asked, self.cache, self.policy, self._building)
        if outcome.answer.returncode != 0:
            message = f"the requirements to build {self.title} could not be installed"
            if outcome.failed:
                message += f": {outcome.failed} has no wheel, and building it failed"
            raise _failed(f"{message}: {outcome.why}" if outcome.why else message, outcome.answer.stderr, outcome.hint)

    def _check(self, requirements: Sequence[str]) -> None:
        """Raise BuildError where one is no requirement: as a path or an option uv would read files of the person's."""
        from packaging.requirements import InvalidRequirement, Requirement

        for text in requirements:
            try:
                Requirement(text)
            except InvalidRequirement as err:
                raise BuildError(
                    f"{self.title} says that its build requires {text!r}, which is no requirement",
                    hint="tell its authors",
                ) from err

    def _building(self, title: str, how: str) -> None:
        self.log(f"building {title}, which building {self.title} takes, {how}")


def _failed(message: str, said: str, hint: str = "") -> BuildError:
    lines = [line for line in said.splitlines() if line.strip()]
    return BuildError(message, hint=hint or "see what is wrong below", context=tuple(lines[-TAIL_LINES:]))
