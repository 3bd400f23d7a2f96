"""Power cuts: after exit 0 the new state is on the disk; at any moment before, the old one or the new one is.

The home is a file system of its own, in a file. Cutting the power is copying that file as it is now: what the kernel
had not written yet is lost with it. Of each cut there are two ways: at once, and after another program's fsync has
made the journal commit (then names may be on the disk whose data is not: the worst case of delayed allocation).
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from proof import power_peers
from proof.figure import Figure
from proof.lab import Lab
from support import images, moments, stock
from support.index import Index
from support.machine import Machine

AFTER = 0  # the point "after exit 0"
_OLD, _NEW = {"app": "app 1.0"}, {"app": "app 2.0"}
_BOTH = {"app": "app 2.0", "other": "other 1.0"}


class Case(NamedTuple):
    """A command, what comes before it, and what the commands on PATH say before and after it."""

    before: tuple[tuple[str, ...], ...]
    words: tuple[str, ...]
    old: dict[str, str]
    new: dict[str, str]


CASES = {
    "install": Case((), ("install", "app", "other"), {}, _BOTH),
    "change": Case((("install", "app==1.0"),), ("install", "app==2.0"), _OLD, _NEW),
    "remove": Case((("install", "app", "other"),), ("remove", "app", "other"), _BOTH, {}),
    "rollback": Case((("install", "app==1.0"), ("install", "app==2.0")), ("rollback", "1"), _NEW, _OLD),
    "collect": Case((("install", "app==1.0"), ("install", "app==2.0")), ("collect", "--keep", "1"), _NEW, _NEW),
    "setup": Case((("install", "app==1.0"),), ("setup",), _OLD, _OLD),
}
# file system, mount options, whether its journal is committed first
WAYS = (
    ("ext4", "", True),
    ("ext4", "", False),
    ("ext4", "noauto_da_alloc", True),
    ("xfs", "", True),
    ("xfs", "", False),
    ("btrfs", "", True),
    ("btrfs", "", False),
)


@dataclass(frozen=True)
class Cut:
    """One cut: after which call (AFTER: after exit 0) of which case, how, and what was wrong then ("" for nothing)."""

    case: str
    kind: str
    options: str
    committed: bool
    point: int
    wrong: str


def measure(lab: Lab) -> Iterable[Figure]:
    """Cut at points spread over all calls of six commands, and after exit 0, on each file system there is."""
    reason = images.missing()
    if reason:
        lab.say(f"power: {reason}")
        return
    stock.fill(lab.scratch / "wares")
    for path in Path(os.environ["DETENTE_TEST_WHEELS"]).iterdir() if "DETENTE_TEST_WHEELS" in os.environ else ():
        shutil.copy(path, lab.scratch / "wares")
    kinds = images.kinds()
    ways = [way for way in WAYS if way[0] in kinds]
    done = cuts(lab, ways, points=3 if lab.quick else 8, ends=1 if lab.quick else 4)
    for kind in kinds:
        for after in (True, False):
            chosen = [cut for cut in done if cut.kind == kind and (cut.point == AFTER) == after]
            bad = [cut for cut in chosen if cut.wrong]
            for cut in bad[:10]:
                lab.say(f"{cut}")
            yield Figure(
                f"after exit 0 the new state is on the disk ({kind})"
                if after
                else f"at any moment before, the old state or the new one is, and the command succeeds again ({kind})",
                "the disk's file is copied as it is right after exit 0, at once or after another program's fsync; "
                "the copy is mounted, every application run, every file of the store compared with RECORD"
                if after
                else f"the same at points spread over all file-changing calls of {', '.join(CASES)}; "
                "then the same command runs again on the copy",
                len(chosen),
                len(bad),
                peers=dict(power_peers.compared(lab)) if after and kind == "ext4" else {},
            )
    yield _failing(lab)


def cuts(lab: Lab, ways: list[tuple[str, str, bool]], *, points: int, ends: int) -> list[Cut]:
    """Make `points` cuts inside each case on each of `ways`, and `ends` after exit 0; return all of them."""
    hands = max(1, lab.jobs)

    def share(number: int) -> list[Cut]:
        found = []
        for cut in images.private("proof.power:work", lab.scratch, number, hands, ways, points, ends):
            found.append(cut)
            if len(found) % 100 == 0:
                lab.say(f"{len(found)} cuts by hand {number}, {sum(bool(cut.wrong) for cut in found)} broken")
        return found

    with ThreadPoolExecutor(hands) as pool:
        return [cut for found in pool.map(share, range(hands)) for cut in found]


def work(
    scratch: Path, number: int, hands: int, ways: list[tuple[str, str, bool]], points: int, ends: int
) -> Iterator[Cut]:
    """Make share `number` of `hands` of the cuts; runs in a mount namespace of its own."""
    with at_bench(scratch) as bench:
        turn = 0
        for place, (kind, options, committed) in enumerate(ways):
            for name, case in CASES.items():
                if name == "setup" and (options or "DETENTE_TEST_WHEELS" not in os.environ):
                    continue
                many = max(1, points // 4) if name == "setup" else points
                total = bench.prepare(kind, options, case)
                chosen = {1 + (total * n + total * place // len(ways)) // many % total for n in range(many)}
                for point in sorted({*chosen, *(-n for n in range(ends))}):
                    turn += 1
                    if turn % hands == number:
                        at = max(point, AFTER)
                        yield Cut(name, kind, options, committed, at, bench.cut(at, committed=committed))


@contextmanager
def at_bench(scratch: Path) -> Iterator["Bench"]:
    """Give a bench whose disks are files in memory, with the wares on an index."""
    folder = scratch / f"bench-{os.getpid()}"
    images.mount_memory(folder / "disks")
    with Index(scratch / "wares") as index:
        bench = Bench(folder, index)
        try:
            yield bench
        finally:
            bench.clear()


class Bench:
    """One home on a disk whose power can be cut."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.home, disks = folder / "home", folder / "disks"
        self.prepared, self.disk, self.after = disks / "prepared", disks / "disk", disks / "after"
        self.home.mkdir()
        self.index = index
        self.machine = Machine(self.home, index)
        self._mounted = False

    def on(self, image: Path) -> None:
        """Mount `image` as the home, and nothing else."""
        self.clear()
        options = ",".join(filter(None, [self.options, "nouuid" if self.kind == "xfs" else ""]))
        images.mount(image, self.home, options)
        self._mounted = True

    def clear(self) -> None:
        """Unmount the home."""
        if self._mounted:
            images.unmount(self.home)
            self._mounted = False

    def prepare(self, kind: str, options: str, case: Case) -> int:
        """Make a disk on which `case` can begin; return how many file-changing calls its command makes."""
        self.clear()
        self.kind, self.options, self.case = kind, options, case
        images.make(self.prepared, kind)
        self.on(self.prepared)
        for words in case.before:
            self.machine.ok(*words)
        self.fresh()
        done = moments.run(self.machine, 0, *case.words)
        assert done.returncode == 0, done.stderr
        return moments.calls(done)

    def fresh(self) -> None:
        """Begin with the prepared disk."""
        self.clear()
        images.copy(self.prepared, self.disk)
        self.on(self.disk)

    def lose(self, *, committed: bool) -> None:
        """Cut the power: go on with what is on the disk now."""
        if committed:
            images.commit(self.home)
        images.copy(self.disk, self.after)
        self.on(self.after)

    def cut(self, point: int, *, committed: bool) -> str:
        """Cut the power at call `point` (AFTER: after exit 0) of the case; return what is wrong then, or ""."""
        done = None
        for _ in range(5):  # threads may make fewer calls this time: then a little earlier
            self.fresh()
            done = moments.run(self.machine, point, *self.case.words)
            if done.returncode != 0 or point == AFTER:
                break
            point = min(point - 1, moments.calls(done))
        if done is None or done.returncode != (0 if point == AFTER else -9):
            return f"the command could not be brought to that point: {done and done.stderr[-300:]}"
        try:
            self.lose(committed=committed)
        except OSError as err:
            return f"the disk cannot be mounted: {err}"
        return self.wrong(after=point == AFTER)

    def wrong(self, *, after: bool) -> str:
        """Return what is wrong with the state, and with the same command again; "" where nothing is."""
        old, new = self.case.old, self.case.new
        seen = stock.answers(self.machine)
        if after and seen != new:
            return f"not the new state after exit 0: {seen}"
        if any(seen.get(name) not in (old.get(name), new.get(name)) for name in old | new | seen):
            return f"neither old nor new: {seen}"
        if after and self.case.words[0] == "setup" and self.machine.call("detente", "list").status != 0:
            return "detente itself does not run"
        damage = stock.damage(self.machine.data)
        if damage:
            return f"damaged: {damage[:3]}"
        again = self.machine.run(*self.case.words)
        if again.status != 0:
            return f"the command fails afterwards: {again.err[-400:]}"
        seen, damage = stock.answers(self.machine), stock.damage(self.machine.data)
        return "" if seen == new and not damage else f"after the command again: {seen} {damage[:3]}"


def _failing(lab: Lab) -> Figure:
    """Return how it goes where the disk takes no more writes, and fsync and syncfs say so."""
    sizes = (2, 5) if lab.quick else (0, 1, 2, 3, 4, 5, 6, 8, 10, 14)
    cases = ("install", "change", "rollback") if lab.quick else ("install", "change", "remove", "rollback")
    found = list(images.private("proof.power:fail", lab.scratch, cases, sizes))
    for name, size, words, _ in found:
        if words:
            lab.say(f"{name} with {size} blocks left: {words}")
    refused = sum(status != 0 for *_, status in found)
    return Figure(
        "where fsync or syncfs reports a lost write, the command fails in one sentence, and the old state runs",
        "the disk's file lies on a full file system, so that the kernel gets an I/O error when it writes back; "
        "the disk is then mounted anew, with room",
        len(found),
        sum(bool(words) for _, _, words, _ in found),
        detail=f"{refused} of them met the error",
    )


def fail(scratch: Path, cases: Iterable[str], sizes: Iterable[int]) -> Iterator[tuple[str, int, str, int]]:
    """Yield (case, hundreds of kB that the disk still takes, what is wrong, status); in a namespace of its own."""
    with at_bench(scratch) as bench:
        for name in cases:
            bench.prepare("ext4", "errors=remount-ro", CASES[name])
            for size in sizes:
                bench.clear()
                pool = bench.home.parent / "pool"
                images.mount_memory(pool)
                images.copy(bench.prepared, pool / "disk")
                used = shutil.disk_usage(pool).used
                images.remount(pool, f"size={used + size * 100_000}")
                bench.on(pool / "disk")
                answer = bench.machine.run(*CASES[name].words)
                bench.clear()
                images.remount(pool, "size=1g")
                wrong = ""
                if answer.status != 0 and (answer.err.count("error: ") != 1 or "Traceback" in answer.err):
                    wrong = f"not one sentence: {answer.err}"
                subprocess.run(["e2fsck", "-p", "-f", pool / "disk"], capture_output=True)
                bench.on(pool / "disk")
                yield name, size, wrong or bench.wrong(after=answer.status == 0), answer.status
                bench.clear()
                images.unmount(pool)
