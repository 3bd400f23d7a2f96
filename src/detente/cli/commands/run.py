"""`detente run`: run an application, installed or not."""

import argparse
import contextlib
import os
from collections.abc import Iterator

from detente.cli import asking, changes
from detente.cli.commands.install import sources
from detente.cli.options import Invocation, Parser
from detente.errors import DetenteError, NotFound, UsageError
from detente.host import proc
from detente.host.paths import Paths, user_paths
from detente.model import Application
from detente.plan.request import requirement_name
from detente.store import generations


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument("app", nargs="?", metavar="APP", help="an application, NAME@VERSION, or a command")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="…", help="passed on as they are")
    parser.option(
        "--from", dest="distribution", metavar="REQUIREMENT", help="the distribution that has the command APP"
    )
    sources(parser)
    parser.changing()
    parser.examples(
        ("detente run cowsay -t moo", "without installing it"),
        ("detente run black@24.4.2 --version", "one version of it"),
        ("detente run --from httpie http GET example.org", "a command of another name"),
    )


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Become the application; never returns unless something is wrong or `-n` was given."""
    if not parsed.app:
        raise UsageError("nothing was named", hint="detente run APP [ARGUMENTS]")
    paths = user_paths(invocation.environ)
    found = None if _asks_for_another(parsed) else installed(paths, parsed.app)
    if found is not None and parsed.dry_run:
        invocation.output.text(f"would run {found}")
        invocation.output.data({"program": found})
        return 0
    if found is not None:
        proc.become([found, *parsed.arguments])
    parsed.requirements = [parsed.distribution or parsed.app]
    parsed.editable = parsed.requirement = parsed.suffix = None
    (asked,) = asking.asked(parsed)
    with changes.working(invocation, parsed) as detente, _speaking_of_run():
        if parsed.dry_run:
            changes.show_plan(invocation, detente.plan_of(asked))
            return 0
        place, application = detente.ephemeral(asked)
    command = parsed.app if parsed.distribution else requirement_name(asked.requirement)
    return proc.become([os.path.join(place, _program(application, command)), *parsed.arguments])


@contextlib.contextmanager
def _speaking_of_run() -> Iterator[None]:
    """Let the hints of errors name the verb that was typed."""
    try:
        yield
    except DetenteError as err:
        err.hint = err.hint and err.hint.replace("detente install ", "detente run ")
        raise


def _asks_for_another(parsed: argparse.Namespace) -> bool:
    """Say whether the options ask for something else than what is installed."""
    said = (parsed.added, parsed.with_distro, parsed.python, parsed.pre, parsed.distribution, parsed.commands_from)
    return any(said) or bool(parsed.index_url or parsed.extra_index_url or parsed.find_links)


def installed(paths: Paths, word: str) -> str | None:
    """Return the launcher of what `word` means among what is installed: an application, or a command."""
    applications = generations.current(paths)[0].applications
    item = applications.get(word)
    if item is not None:
        return os.path.join(paths.environments, item.environment, _program(item, word))
    for item in applications.values():
        if word in item.commands:
            return os.path.join(paths.environments, item.environment, item.commands[word])
    return None


def _program(application: Application, command: str) -> str:
    """Return the path in the environment of `command`, or of the application's only command."""
    commands = application.commands
    if command in commands:
        return commands[command]
    if len(commands) == 1:
        return next(iter(commands.values()))
    raise NotFound(
        f"{application.name} has no command called {command}; it has {', '.join(commands)}",
        hint=f"detente run --from {application.name} {next(iter(commands))}",
    )
