"""`detente collect`: remove what nothing needs."""

import argparse

from detente.cli import changes
from detente.cli.options import Invocation, Parser
from detente.cli.output import size
from detente.errors import UsageError
from detente.plan.request import Collect

KEEP = 10  # generations that stay for rollback unless told otherwise


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.option("--keep", type=int, default=KEEP, metavar="N", help=f"generations to keep; default: {KEEP}")
    parser.changing()
    parser.examples(
        ("detente collect", f"keep the last {KEEP} generations, and all that they need"),
        ("detente collect --keep 1", "only what is installed now: nothing to roll back to"),
    )


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Do it and say how much it freed."""
    if parsed.keep < 1:
        raise UsageError("at least the current generation stays", hint="detente collect --keep 1")
    with changes.working(invocation, parsed) as detente:
        outcome = detente.collect(Collect(parsed.keep))
    if parsed.dry_run:
        changes.show_plan(invocation, outcome.plan)
        return 0
    if outcome.done:
        invocation.output.tell(f"freed {size(outcome.freed)}")
    else:
        invocation.output.tell("nothing to collect")
    invocation.output.data({"changed": outcome.done, "freed": outcome.freed})
    return 0
