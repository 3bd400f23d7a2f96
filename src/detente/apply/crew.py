"""A few threads that work off a list, and end at once when one fails or a person presses Ctrl-C."""

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from detente.errors import Interrupted

T = TypeVar("T")
_PATIENCE = 0.4  # seconds that an interrupted crew gets to end by itself
_LOOK = 0.25  # seconds between two looks whether a signal came


def work_off(jobs: Sequence[T], work: Callable[[T], None], hands: int, stop: threading.Event) -> None:
    """Call `work` once for each of `jobs`, `hands` at a time; raise the first error after setting `stop`.

    On KeyboardInterrupt (or any other exception in this thread) `stop` is set and it is raised at once:
    threads are daemons, so a stalled one cannot hold up the end of the program. Raise Interrupted where `stop`
    was set from outside and jobs are left.
    """
    waiting: queue.SimpleQueue[T] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    answers: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def hand() -> None:
        while not stop.is_set():
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                break
            try:
                work(job)
            except BaseException as err:  # noqa: BLE001 - handed to the caller's thread
                stop.set()
                answers.put(err)
                return
        answers.put(None)

    threads: list[threading.Thread] = []
    first: BaseException | None = None
    try:
        for _ in range(max(hands, 1)):
            thread = threading.Thread(target=hand, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads are allowed: fewer hands do the same work
                if not threads:
                    raise
                break
            threads.append(thread)
        for _ in threads:
            err = _next(answers)
            first = first or err
    except BaseException:
        stop.set()
        for thread in threads:
            thread.join(_PATIENCE / len(threads))
        raise
    if first is not None:
        raise first
    if not waiting.empty():
        raise Interrupted


def _next(answers: "queue.SimpleQueue[BaseException | None]") -> BaseException | None:
    """Return the next answer. Waits in pieces: a signal that comes just before a wait begins does not end that wait."""
    while True:
        with contextlib.suppress(queue.Empty):
            return answers.get(timeout=_LOOK)
