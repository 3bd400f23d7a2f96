"""Killed, interrupted, refused by the kernel: at each file-changing system call of each changing command.

A trial takes about a second; which points are tried is said in each figure.
"""

import contextlib
import queue
import random
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from proof import kill_peers
from proof.cases import Case, cases, wares
from proof.figure import Figure
from proof.lab import Lab
from proof.trials import ACTIONS, Bench, Verdict
from support import syscalls, tracer
from support.index import Index

CHAIN = 5  # kills in a row
_SEED = 20261121

GROUPS = {
    "install, change, build": ("install", "change", "build", "editable", "force"),
    "remove, rollback": ("remove", "return", "rollback"),
    "collect": ("collect",),
    "setup, setup --undo": ("setup", "undo"),
}
EVERY = {  # of the calls of a case, one in so many
    "SIGKILL": 4,
    "SIGINT": 16,
    "orphaned": 48,
    "ENOSPC": 32,
    "EDQUOT": 64,
    "EROFS": 48,
    "EIO": 32,
    "EMFILE": 32,
    "ENOLCK": 1,
    "EINTR": 64,
}
_LARGE = {"setup": 150, "build": 4, "editable": 4}  # and of those of these, one in so many
_QUICK = 15  # and in a sample, one in so many again
_CHAINS = 6  # of kills in a row, for each case


@dataclass(frozen=True)
class Task:
    """One trial to be made: of `case`, `action` at call number `point`; more `points` are kills in a row."""

    case: Case
    action: str
    points: tuple[int, ...]


def measure(lab: Lab) -> Iterator[Figure]:
    """Sweep; a figure for each kind of fault, and the same kill on the peers."""
    reason = tracer.unsupported()
    if reason:
        lab.say(f"left out: {reason}")
        return
    with Index(wares(lab.scratch / "wares")) as index:
        benches = [Bench(lab.scratch / f"bench{n}", index) for n in range(max(1, lab.jobs))]
        peers = kill_peers.measure(lab, index) if lab.wants("SIGKILL") else {}
        for group, names in GROUPS.items() if lab.wants("SIGKILL") else ():
            some = [case for case in cases() if case.name in names]
            if some:
                figure = _struck(
                    lab, benches, "SIGKILL", some, f"A kill during {group} leaves the old state or the new"
                )
                yield replace(figure, peers=peers if "change" in names else {})
        if lab.wants("again"):
            yield _again(lab, benches)
        chosen = cases(setup=not lab.quick)
        for action, promise in (
            ("SIGINT", "Ctrl-C ends within a second, and says truly what was changed"),
            ("orphaned", "Children of a killed command end with it, and tear nothing"),
            ("EINTR", "An interrupted system call is made again"),
        ):
            if lab.wants(action):
                yield _struck(lab, benches, action, chosen, promise)
        for action, what in (
            ("ENOSPC", "A disk that is full from some call on"),
            ("EDQUOT", "A quota that is used up from some call on"),
            ("EROFS", "A file system that turns read-only"),
            ("EIO", "An input/output error"),
            ("EMFILE", "Too many open files"),
            ("ENOLCK", "A lock that is refused"),
        ):
            if lab.wants(action):
                yield _struck(lab, benches, action, chosen, f"{what}: one true sentence, and nothing is torn")


def _struck(lab: Lab, benches: Sequence[Bench], action: str, chosen: Sequence[Case], promise: str) -> Figure:
    tasks = [
        Task(case, action, (point,))
        for case in chosen
        for point in points(benches[0].calls(case, action), _every(lab, case, action))
    ]
    verdicts = try_all(lab, benches, tasks)
    how = f"{action}: {_how(action)}" + "".join(
        f"; of {case.name} {_one_in(EVERY[action] * _LARGE[case.name])}" for case in chosen if case.name in _LARGE
    )
    return Figure(promise, how, len(verdicts), _bad(verdicts), detail=_detail(action, verdicts))


def _every(lab: Lab, case: Case, action: str) -> int:
    return EVERY[action] * _LARGE.get(case.name, 1) * (_QUICK if lab.quick else 1)


def points(calls: Sequence[tuple[str, str]], every: int, *, renames: bool = False) -> list[int]:
    """Return each `every`-th number of `calls`, from a place that varies with their count; with `renames` all of those.

    At least one where there is any call.
    """
    start = 1 + len(calls) % min(every, max(1, len(calls)))
    chosen = set(range(start, len(calls) + 1, every))
    if renames:
        chosen |= {n for n, (name, _) in enumerate(calls, 1) if name in syscalls.RENAMES}
    return sorted(chosen)


def _how(action: str) -> str:
    fault, every = ACTIONS[action], EVERY[action]
    kind = "that takes a lock" if action == "ENOLCK" else "that changes files"
    what = {
        "kill": "all processes are killed",
        "orphan": "the command is killed, its children are not",
        "interrupt": "the process group is interrupted",
    }.get(fault.action, f"the call fails{', and all after it' if fault.sticky else ''}")
    return f"{what} at {_one_in(every)} {kind}"


def _one_in(every: int) -> str:
    return "each call" if every == 1 else f"one call in {every}"


def _detail(action: str, verdicts: Sequence[Verdict]) -> str:
    counts = ", ".join(f"{name} {count}" for name, count in Counter(one.case for one in verdicts).items())
    slowest = max((one.seconds for one in verdicts), default=0.0)
    return counts + (f"; slowest end {slowest:.2f} s" if action == "SIGINT" else "")


def _again(lab: Lab, benches: Sequence[Bench]) -> Figure:
    chance = random.Random(_SEED)
    tasks = []
    for case in cases(setup=not lab.quick)[:: 3 if lab.quick else 1]:
        count = len(benches[0].calls(case, "SIGKILL"))
        for _ in range(1 if lab.quick else _CHAINS):
            tasks.append(Task(case, "SIGKILL", tuple(chance.randint(1, count) for _ in range(CHAIN))))
    verdicts = try_all(lab, benches, tasks)
    return Figure(
        "Kills during the recovery from kills do not add up",
        f"SIGKILL at a random call, {CHAIN} times in a row, then the command is left to end",
        len(verdicts),
        _bad(verdicts),
        detail=_detail("SIGKILL", verdicts),
    )


def try_all(lab: Lab, benches: Sequence[Bench], tasks: Sequence[Task]) -> list[Verdict]:
    """Try all `tasks`, one on each of `benches` at a time; tell of each that broke a promise."""
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    verdicts: list[Verdict] = []

    def work(bench: Bench) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                verdict = one(bench, waiting.get_nowait())
                verdicts.append(verdict)
                if verdict.problems:
                    lab.say(str(verdict))

    threads = [threading.Thread(target=work, args=(bench,)) for bench in benches[: max(1, lab.jobs)]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return verdicts


def one(bench: Bench, task: Task) -> Verdict:
    """Make one trial; that it could not be judged is a problem like any other."""
    try:
        if len(task.points) > 1:
            return bench.kills_in_recovery(task.case, list(task.points))
        return bench.trial(task.case, task.action, task.points[0])
    except Exception as err:  # noqa: BLE001 - a trial that ends so has proved nothing
        return Verdict(task.case.name, task.action, task.points[0], "", (f"{type(err).__name__}: {err}",))


def _bad(verdicts: Iterable[Verdict]) -> int:
    return sum(bool(verdict.problems) for verdict in verdicts)
