"""`detente rollback`: go back."""

import argparse

from detente.cli import changes
from detente.cli.options import Invocation, Parser
from detente.names import key_of
from detente.plan.request import Rollback


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument(
        "target", nargs="?", metavar="N|NAME", help="a generation, or one application; default: one back"
    )
    parser.changing()
    parser.examples(
        ("detente rollback", "undo the last change; once more, the one before"),
        ("detente rollback 3", "everything as it was in generation 3"),
        ("detente rollback black", "only black, as it was before it last changed"),
    )


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Do it and say what came of it."""
    with changes.working(invocation, parsed) as detente:
        target = parsed.target
        if target is None:
            request = Rollback()
        elif target.isdigit():
            request = Rollback(number=int(target))
        else:
            request = Rollback(key=key_of(target, detente.keys(past=True)))
        outcome = detente.rollback(request)
    if parsed.dry_run:
        changes.show_plan(invocation, outcome.plan)
        return 0
    changes.show_outcome(invocation, outcome)
    if outcome.plan.empty:
        invocation.output.tell("everything is so already")
    return changes.status(outcome)
