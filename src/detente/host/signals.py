"""Moments in which an interrupt must wait: the few milliseconds between a switch and its end."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_MEANT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_done = False
_late = 0


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Only remember SIGINT, SIGTERM and SIGHUP, whichever thread would get them, until the end.

    What is done then is complete: there is nothing left to interrupt, and `done` says so. Outside the main thread
    nothing is held back.
    """
    global _done
    if threading.current_thread() is not threading.main_thread():
        yield
        _done = True
        return
    before = [(one, signal.getsignal(one)) for one in _MEANT]
    _hold_back()
    try:
        yield
        _done = True
    finally:
        for one, way in before:
            signal.signal(one, way)


def done() -> bool:
    """Say whether a change was made that an interrupt would come too late for: only the answer is still to be given."""
    return _done


def remember(number: int, _frame: FrameType | None = None) -> None:
    """Take note of a signal that comes too late to take anything back."""
    global _late
    _late = number


def late() -> int:
    """Return the signal that came too late, 0 where none did: what is left to do need not be done."""
    return _late


def over() -> None:
    """Only remember interrupts from now on: what was asked for is done, and only the answer is still to be given."""
    if threading.current_thread() is threading.main_thread():
        _hold_back()


def _hold_back() -> None:
    for one in _MEANT:
        if signal.getsignal(one) is not signal.SIG_IGN:  # nohup(1)
            signal.signal(one, remember)


@contextlib.contextmanager
def withheld() -> Iterator[list[int]]:
    """Only remember SIGINT, SIGTERM and SIGHUP, and give the list that they are put into.

    For work that someone else does and that must come to its own end: whoever waits for it asks afterwards.
    """
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return
    before = [(one, signal.getsignal(one)) for one in _MEANT]
    for one, way in before:
        if way is not signal.SIG_IGN:  # nohup(1)
            signal.signal(one, lambda number, _: seen.append(number))
    try:
        yield seen
    finally:
        for one, way in before:
            signal.signal(one, way)
