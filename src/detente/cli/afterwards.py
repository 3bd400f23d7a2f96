"""What is left to do once the change is made and told of: bytecode, without which everything works, only slower."""

import signal
import sys
from types import FrameType

from detente.api import Detente
from detente.cli.options import Invocation
from detente.cli.output import flush
from detente.errors import DetenteError, Interrupted
from detente.host import proc, signals
from detente.plan.plan import Compile, Plan

_LATER = "it starts slower until the same command made its bytecode"
_STATE = f"all is installed, and {_LATER}"


def finish(invocation: Invocation, detente: Detente, plan: Plan) -> None:
    """Compile what `plan` wants compiled: behind the prompt where a person waits, else before we end.

    What fails is a note, because nothing is missing. Raise Interrupted, saying so, where a signal ends it.
    """
    if not any(isinstance(step, Compile) for step in plan.steps):
        return
    flush()
    if sys.stderr.isatty() and proc.leave_behind():
        return
    _listen()
    if signals.late():
        raise Interrupted(signals.late(), _STATE)
    try:
        detente.complete(plan)
    except Interrupted:
        raise
    except (DetenteError, OSError) as err:
        said = err.strerror if isinstance(err, OSError) else str(err)
        invocation.output.note(f"note: all is installed, but {_LATER}: {said}")


def _listen() -> None:
    def on_signal(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number, _STATE)

    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(one) is not signal.SIG_IGN:  # nohup(1)
            signal.signal(one, on_signal)
