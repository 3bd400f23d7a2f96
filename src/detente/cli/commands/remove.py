"""`detente remove`: have applications no more."""

import argparse

from detente.cli import changes
from detente.cli.options import Invocation, Parser
from detente.errors import NotFound, UsageError
from detente.front import Front
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
        keys = dict.fromkeys(key_of(name, known) for name in parsed.names)
        outcome = detente.remove(Remove(tuple(keys)))
    if parsed.dry_run:
        changes.show_plan(invocation, outcome.plan)
    else:
        changes.show_outcome(invocation, outcome._replace(applications={}))
    return changes.status(outcome)


def _check_commands(names: list[str], known: frozenset[str], detente: Front) -> None:
    """Raise NotFound, with the right name, where a command was named instead of its application."""
    for name in names:
        owner = detente.owner_of(name) if key_of(name, known) not in known else ""
        if owner:
            raise NotFound(f"{name} is a command of {owner}, not an application", hint=f"detente remove {owner}")
