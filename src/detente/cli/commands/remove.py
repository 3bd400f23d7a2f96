"""`detente remove`: have applications no more."""

import argparse
from collections.abc import Sequence

from detente.cli import changes
from detente.cli.options import Invocation, Parser
from detente.errors import NotFound, UsageError
from detente.front import Front
from detente.host.paths import Paths
from detente.names import key_of
from detente.plan.request import Remove


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="an application, with its suffix where it has one")
    parser.changing()
    parser.examples(
        ("detente remove httpie", "its commands, pages and environment go"),
        ("detente rollback", "…and come back, without network"),
    )


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Do it and say what came of it."""
    if not parsed.names:
        raise UsageError("nothing was named", hint="detente remove NAME…; detente list shows the names")
    with changes.working_as(Front, invocation, parsed) as detente:
        known = detente.keys(past=True)
        _check_commands(parsed.names, known, detente)
        detente.check_removable(parsed.names)
        keys = tuple(dict.fromkeys(key_of(name, known) for name in parsed.names))
        commands = detente.commands_of(keys)
        outcome = detente.remove(Remove(keys))
    if parsed.dry_run:
        changes.show_plan(invocation, outcome.plan)
    else:
        changes.show_outcome(invocation, outcome._replace(applications={}))
        if outcome.done:
            _say_who_has(commands, invocation, detente.paths)
    return changes.status(outcome)


def _say_who_has(commands: Sequence[str], invocation: Invocation, paths: Paths) -> None:
    """Say of each of `commands`, which were ours, what runs in its place."""
    from detente.scan import foreign

    found = foreign.commands(paths, commands, invocation.environ)
    owners = foreign.owners(found.values(), paths, invocation.environ)
    for command, path in found.items():
        whose = f" ({owners[path]})" if path in owners else ""
        invocation.output.note(f"note: `{command}` is now {path}{whose}")


def _check_commands(names: list[str], known: frozenset[str], detente: Front) -> None:
    """Raise NotFound, with the right name, where a command was named instead of its application."""
    for name in names:
        owner = detente.owner_of(name) if key_of(name, known) not in known else ""
        if owner:
            raise NotFound(f"{name} is a command of {owner}, not an application", hint=f"detente remove {owner}")
