"""`detente run`: run an application, installed or not."""

import argparse
import contextlib
import os
from collections.abc import Iterator, Sequence

from detente.cli import asking, changes
from detente.cli.commands.install import sources
from detente.cli.options import Invocation, Parser
from detente.distro.base import SAME
from detente.errors import BuildError, ConfigError, DetenteError, NotFound, Refused, UsageError
from detente.host import proc
from detente.host.paths import Paths, user_paths
from detente.model import Application
from detente.plan.request import Asked, is_bare, requirement_name
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
    if not parsed.distribution:
        _check_whose(asked, parsed.app, parsed.arguments, invocation)
    with changes.working(invocation, parsed) as detente, _speaking_of_run(asked, invocation):
        if parsed.dry_run:
            changes.show_plan(invocation, detente.plan_of(asked))
            return 0
        place, application = detente.ephemeral(asked)
    command = parsed.app if parsed.distribution else requirement_name(asked.requirement)
    return proc.become([os.path.join(place, _program(application, command)), *parsed.arguments])


@contextlib.contextmanager
def _speaking_of_run(asked: Asked, invocation: Invocation) -> Iterator[None]:
    """Let the hints of errors name the verb that was typed, and the distro's own where a build failed."""
    try:
        yield
    except DetenteError as err:
        err.hint = err.hint and err.hint.replace("detente install ", "detente run ")
        if isinstance(err, BuildError):
            from detente.scan import built

            built.name_the_distros(err, [asked], invocation.environ, user_paths(invocation.environ).cache)
        raise


def _check_whose(asked: Asked, word: str, arguments: Sequence[str], invocation: Invocation) -> None:
    """Raise Refused where `word` alone is known for a command of another distribution than the one of that name.

    Whoever takes such a name on the index has it run by all who type the command. A version says that it is meant.
    """
    name = asked.requirement
    if not is_bare(name):
        return
    from detente.scan import tables
    from detente.scan.system import system

    try:
        known = system(invocation.environ, user_paths(invocation.environ).cache)
        if known is None or tables.known(known.release, [name]):
            return
        rows = tables.of_command(known.release, word) or tables.of_command(known.release, name)
    except DetenteError as err:
        if err.exit_status == ConfigError.exit_status:
            raise
        return  # the distro's records are broken: no matter of this command
    whose = sorted(row.name for row in rows if row.identity == SAME)
    if whose:
        from shlex import join

        command = word if word in rows[0].commands else name
        raise Refused(
            f"`{word}` is a command of {' and of '.join(whose)}; nothing is known here of a project of that name",
            hint=f"{join(['detente', 'run', '--from', whose[0], command, *arguments])}; "
            f"if you do mean the index's {name}: detente run '{name}>=0'",
        )


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
