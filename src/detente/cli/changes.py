"""What all changing commands share: asking, showing a plan, saying what became of it."""

import argparse
import contextlib
import shlex
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from detente.api import Detente, Outcome
from detente.cli.options import Invocation
from detente.cli.output import PARTLY, size
from detente.errors import DetenteError, Refused
from detente.host import signals
from detente.host.paths import Paths
from detente.model import CONFINED, BuildPolicy, Generation
from detente.plan import system_packages
from detente.plan.plan import Build, Discard, Effect, Fetch, Link, Mend, Plan, Relink, Switch, SystemInstall
from detente.progress import Progress

Worker = TypeVar("Worker", bound=Detente)


def working(invocation: Invocation, parsed: argparse.Namespace) -> contextlib.AbstractContextManager[Detente]:
    """Give the Detente that does the work of this call, and take its progress away at the end."""
    return working_as(Detente, invocation, parsed)


@contextlib.contextmanager
def working_as(kind: type[Worker], invocation: Invocation, parsed: argparse.Namespace) -> Iterator[Worker]:
    """Give one of `kind`, as `working` does."""
    progress = invocation.output.progress()
    try:
        yield kind(
            invocation.environ,
            invocation.command,
            progress,
            _confirmation(invocation, progress, yes=parsed.yes),
            dry_run=parsed.dry_run,
            offline=getattr(parsed, "offline", False),
            only_binary=_only_binary(parsed),
            policy=_policy(parsed),
        )
    finally:
        progress.end()


def _policy(parsed: argparse.Namespace) -> BuildPolicy:
    """Return what code that builds sources may do, for a verb that has the options."""
    if not hasattr(parsed, "build_confinement"):
        return CONFINED
    return BuildPolicy(parsed.build_confinement, parsed.build_network, max(1, parsed.build_timeout))


def _only_binary(parsed: argparse.Namespace) -> tuple[str, ...]:
    """Return what the configuration says of wheels only, for a verb that has the option."""
    if not hasattr(parsed, "only_binary"):
        return ()
    from detente.cli.asking import only_binary

    return only_binary(parsed, configured=True)


def _confirmation(invocation: Invocation, progress: Progress, *, yes: bool) -> Callable[[Plan], None]:
    """Return what asks before a plan with questions runs: on a terminal, else it refuses."""

    def confirm(plan: Plan) -> None:
        if not plan.questions or yes:
            return
        if not sys.stdin.isatty() or not sys.stderr.isatty():
            raise Refused(
                "this needs an answer, and there is no terminal to ask on",
                context=plan.questions,
                hint=f"look at it, and repeat with --yes: detente {shlex.join(invocation.command)} --yes",
            )
        for question in plan.questions:
            progress.say(question)
        progress.end()
        sys.stderr.write("Go on? [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise Refused("not done, as you answered; nothing was changed", hint=None)

    return confirm


def show_plan(invocation: Invocation, plan: Plan) -> None:
    """Print `plan` for `-n`: a line for each effect and step, or the plan itself as JSON."""
    output = invocation.output
    if output.json:
        from detente.plan.codec import encode

        output.data(encode(plan))
        return
    if plan.empty:
        output.text("nothing to do")
    for reason in plan.reasons if not plan.empty else ():
        output.text(reason)
    for line in steps(plan):
        output.text(f"would {line}")
    for question in plan.questions:
        output.text(f"would ask: {question}")
    _warn(invocation, plan)


def steps(plan: Plan) -> Iterator[str]:
    """Yield each step of `plan` and each effect, as words that follow "would"."""
    for step in plan.steps:
        match step:
            case Fetch(artifact):
                yield f"fetch {artifact.filename}" + (f" ({size(artifact.size)})" if artifact.size else "")
            case Build(artifact):
                yield f"build {artifact.name} {artifact.version}".rstrip() + f" from {artifact.kind}"
            case Link(environment):
                number = len(environment.entries)
                yield f"make the environment {environment.directory} of {number} distribution{'s' * (number != 1)}"
            case Switch(generation):
                again = generation.origin != generation.number
                yield f"go back to {called(generation)}" if again else f"switch to generation {generation.number}"
            case Mend(kind, name):
                yield _MENDS[kind].format(name)
            case Relink(environment):
                yield f"make the environment {environment.directory} anew, in its place"
            case SystemInstall():
                yield from system_packages.words(step)
                if step.download:
                    yield f"fetch {size(step.download)} for that"
            case Discard(generations, environments, entries):
                yield "remove " + _counted(len(generations), len(environments), len(entries))
    for effect in plan.effects:
        yield _effect(effect, done=False)
    if plan.pending:
        yield "make the environment and expose its commands (known once all is fetched)"


_MENDS = {
    "entry": "mend modes and bytecode of {}",
    "unused": "take away {}, which nothing uses",
    "generation": "make generation {} anew from its record",
    "links": "bring the links outside in line{}",
}


def called(generation: Generation) -> str:
    """Return how to call the state that `generation` brings back, and its own number."""
    origin = f"generation {generation.origin}" if generation.origin else "the empty beginning"
    return f"{origin} (now {generation.number})"


def _counted(generations: int, environments: int, entries: int) -> str:
    parts = [(generations, "generation"), (environments, "environment"), (entries, "store entr")]
    named = []
    for number, word in parts:
        if number:
            plural = ("ies" if word.endswith("r") else "s") if number > 1 else ("y" if word.endswith("r") else "")
            named.append(f"{number} {word}{plural}")
    return ", ".join(named)


def _effect(effect: Effect, *, done: bool) -> str:
    if effect.kind == "install":
        return f"{'installed' if done else 'install'} {effect.key} {effect.after}"
    if effect.kind == "remove":
        return f"{'removed' if done else 'remove'} {effect.key} {effect.before}"
    what = f"{effect.before} → {effect.after}" if effect.before != effect.after else f"{effect.after}: {effect.detail}"
    return f"{'changed' if done else 'change'} {effect.key} {what}"


def show_outcome(
    invocation: Invocation,
    outcome: Outcome,
    besides: Mapping[str, Any] = types.MappingProxyType({}),
    failures: Sequence[DetenteError] = (),
) -> None:
    """Print what was done: a line for each application, with its commands where they are new.

    `besides` is what JSON has of it besides, `failures` are the parts that failed although this one stands.
    """
    signals.over()
    output = invocation.output
    for effect in outcome.plan.effects:
        line = _effect(effect, done=True)
        item = outcome.applications.get(effect.key)
        if item is not None and effect.kind == "install":
            line += f" (Python {item.python}): {', '.join(item.commands)}"
        output.tell(line)
    _warn(invocation, outcome.plan)
    for step in outcome.plan.steps:
        for name in step.over if isinstance(step, Switch) else ():
            output.note(f"note: the {name} that was there is kept in quarantine, and comes back when ours goes")
    for problem in outcome.problems:
        output.note(f"warning: the change is made, but not shown at {problem}; mend that, and repeat the command")
    for path in outcome.unexposed:
        if not any(problem.startswith(f"{path}: ") for problem in outcome.problems):
            output.note(f"warning: {path} belongs to someone else and stays as it is")
    output.data(
        {
            "changed": outcome.done,
            "effects": [
                {"application": effect.key, "kind": effect.kind, "before": effect.before, "after": effect.after}
                for effect in outcome.plan.effects
            ],
            "applications": {
                key: {"version": item.version, "python": item.python, "commands": list(item.commands)}
                for key, item in sorted(outcome.applications.items())
            },
            "warnings": list(outcome.plan.warnings),
            "unexposed": list(outcome.unexposed),
            **besides,
        },
        errors=failures,
    )


def status(outcome: Outcome) -> int:
    """Return the exit status of a change: 10 where it is made, but something of it could not be shown."""
    return PARTLY if outcome.problems else 0


def _warn(invocation: Invocation, plan: Plan) -> None:
    for warning in plan.warnings:
        invocation.output.note(f"note: {warning}")


def check_path(invocation: Invocation, paths: Paths, outcome: Outcome) -> None:
    """Say so where a new command would not be found, because our directory is not on PATH."""
    installs = any(effect.kind == "install" for effect in outcome.plan.effects)
    if installs and outcome.done and paths.bin not in invocation.environ.get("PATH", "").split(":"):
        invocation.output.note(f"note: {paths.bin} is not on PATH; {path_advice(paths)}")


def path_advice(paths: Paths) -> str:
    """Return how our commands get onto PATH: now, and from the next login on."""
    place = paths.bin.replace(paths.home, "$HOME", 1) if paths.bin.startswith(paths.home + "/") else paths.bin
    line = f'export PATH="{place}:$PATH"'
    try:
        with open(f"{paths.home}/.profile", encoding="utf-8", errors="replace") as stream:
            known = place.removeprefix("$HOME/") in stream.read()
    except OSError:
        known = False
    later = "your ~/.profile adds it at the next login" if known else f"for good: echo '{line}' >> ~/.profile"
    return f"in this shell: {line}; {later}"
