"""`detente setup`: install detente itself, like any application."""

import argparse
import os
import shlex

from detente.api import Detente
from detente.cli import afterwards, changes
from detente.cli.options import Invocation, Parser
from detente.errors import Collision, Refused
from detente.host import runtime
from detente.names import SELF
from detente.plan.request import Asked, Install, Remove


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.option("--undo", action="store_true", help="take it back; applications stay and go on working")
    parser.option("--python", metavar="WISH", help="the Python it runs on; another one takes over where it goes")
    parser.option("--offline", action="store_true", help="use what is here already, ask nobody")
    parser.option("--force", action="store_true", help="put the command where another one called detente is")
    parser.changing()
    parser.examples(("./detente setup", "from a checkout: from then on it is `detente`"))


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Do it and say what came of it."""
    with changes.working(invocation, parsed) as detente:
        if parsed.undo:
            outcome = detente.remove(Remove((SELF,)))
        else:
            source = _source(detente)
            try:
                outcome = detente.install(Install((Asked(source, python=parsed.python),), parsed.force))
            except Collision as err:
                err.hint = f"put ours before it: {_called()} setup --force"
                raise
    if parsed.dry_run:
        changes.show_plan(invocation, outcome.plan)
        return 0
    changes.show_outcome(invocation, outcome)
    if outcome.plan.empty and not parsed.undo:
        invocation.output.tell(f"detente is set up already: {os.path.join(detente.paths.bin, SELF)}")
    changes.check_path(invocation, detente.paths, outcome)
    afterwards.finish(invocation, detente, outcome.plan)
    return changes.status(outcome)


def _called() -> str:
    """Return what to type for this very detente."""
    checkout = runtime.checkout()
    return shlex.quote(os.path.join(checkout, SELF)) if checkout else SELF


def _source(detente: Detente) -> str:
    """Return what detente is installed from: the checkout we run from, or what it was installed from before."""
    checkout = runtime.checkout()
    if checkout:
        return checkout
    wish = detente.wish_of(SELF)
    if wish is None:
        raise Refused(
            "this detente runs neither from a checkout nor from its own store",
            hint="run ./detente setup in a checkout of the project",
        )
    return wish.requirement
