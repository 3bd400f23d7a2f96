"""`detente rollback`: go back."""

import argparse
import contextlib

from detente.api import Outcome
from detente.cli import changes
from detente.cli.options import Invocation, Parser
from detente.errors import ConfigError
from detente.names import key_of
from detente.plan.plan import Switch
from detente.plan.request import Rollback
from detente.scan import release


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
    _say_where(outcome, invocation)
    if outcome.plan.empty:
        invocation.output.tell("everything is so already")
    return changes.status(outcome)


def _say_where(outcome: Outcome, invocation: Invocation) -> None:
    """Say to which generation it went back, and that the package manager's own is no part of it."""
    for step in outcome.plan.steps:
        if isinstance(step, Switch) and step.generation.origin != step.generation.number:
            stay = ""
            with contextlib.suppress(ConfigError):
                root = release.chosen(invocation.environ)
                stay = "; system packages stay as they are" if root is not None and release.is_supported(root) else ""
            invocation.output.tell(f"back to {changes.called(step.generation)}{stay}")
