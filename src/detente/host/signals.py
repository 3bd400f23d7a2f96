"""Moments in which an interrupt must wait: the few milliseconds between a switch and its end."""

import contextlib
import signal
from collections.abc import Iterator

_WAITING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keep SIGINT, SIGTERM and SIGHUP from this thread until the end, and forget those that came meanwhile.

    What is done then is complete: there is nothing left to interrupt.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITING)
    try:
        yield
        while signal.sigtimedwait(_WAITING - before, 0) is not None:
            pass
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
