"""Moments in which an interrupt must wait: the few milliseconds between a switch and its end."""

import contextlib
import signal
import threading
from collections.abc import Iterator

_MEANT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore SIGINT, SIGTERM and SIGHUP, whichever thread would get them, until the end.

    What is done then is complete: there is nothing left to interrupt. Outside the main thread it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(one, signal.signal(one, signal.SIG_IGN)) for one in _MEANT]
    try:
        yield
    finally:
        for one, way in before:
            signal.signal(one, way)


def over() -> None:
    """Ignore interrupts from now on: what was asked for is done, and only the answer is still to be given."""
    if threading.current_thread() is threading.main_thread():
        for one in _MEANT:
            signal.signal(one, signal.SIG_IGN)
