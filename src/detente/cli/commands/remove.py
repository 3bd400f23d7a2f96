"""`detente remove`: have applications no more."""

import argparse

from detente.cli import changes
from detente.cli.options import Invocation, Parser
from detente.errors import UsageError
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
    with changes.working(invocation, parsed) as detente:
        known = detente.keys(past=True)
        keys = dict.fromkeys(key_of(name, known) for name in parsed.names)
        outcome = detente.remove(Remove(tuple(keys)))
    if parsed.dry_run:
        changes.show_plan(invocation, outcome.plan)
    else:
        changes.show_outcome(invocation, outcome._replace(applications={}))
    return 0
