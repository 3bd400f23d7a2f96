"""One trial: disturb a command at one of its file-changing calls, look what is there, and give the command again.

Whatever happened, the promises are: each application is the old or the new one, whole; entries are what their RECORD
says; the same command then succeeds without any option, and nothing staged is left (by the next change at the latest,
where that command finds that all is as asked); nothing of anybody else's changes; the message is one sentence and true.
"""

import errno
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from proof.cases import Case, furnish
from proof.sights import Sight, below_home, damage, difference, leftovers, look, outside
from support import syscalls, tracer
from support.index import Index
from support.machine import Machine
from support.tracer import Fault, Traced

_ATTEMPTS = 5
_ALLOCATES = (syscalls.OPENS | syscalls.WRITES | syscalls.NEW_NAMES | syscalls.SYNCS) | {"ftruncate", "truncate"}
_PARTLY = 10
_LATE = 1.0  # seconds from an interrupt to the end
_AGAIN = 2

ACTIONS: dict[str, Fault] = {
    "SIGKILL": Fault("kill"),
    "orphaned": Fault("orphan"),
    "SIGINT": Fault("interrupt"),
    "ENOSPC": Fault("fail", error=errno.ENOSPC, sticky=True, names=_ALLOCATES),
    "EDQUOT": Fault("fail", error=errno.EDQUOT, sticky=True, names=_ALLOCATES),
    "EROFS": Fault("fail", error=errno.EROFS, sticky=True, names=syscalls.CHANGES - syscalls.SYNCS),
    "EIO": Fault("fail", error=errno.EIO),
    "EMFILE": Fault("fail", error=errno.EMFILE, names=syscalls.OPENS, reading=True),
    "ENOLCK": Fault("fail", error=errno.ENOLCK, names=syscalls.LOCKS),
    "EINTR": Fault("fail", error=errno.EINTR, names=syscalls.OPENS | syscalls.WRITES | syscalls.SYNCS | syscalls.LOCKS),
}


@dataclass(frozen=True)
class Verdict:
    """What came of one trial; `problems` is empty where every promise held."""

    case: str
    action: str
    point: int
    call: str
    problems: tuple[str, ...]
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.case}, {self.action} at {self.point} ({self.call}): {'; '.join(self.problems) or 'fine'}"


class Bench:
    """A home below `folder` that is brought to the start of a case, again and again. For one trial at a time."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.index = index
        self._calls: dict[tuple[str, frozenset[str], bool], list[tuple[str, str]]] = {}
        self._ready: dict[str, tuple[Sight, Sight, dict[str, str], dict[str, str]]] = {}

    def prepare(self, case: Case) -> None:
        """Make the start of `case` once, and see what its command makes of it undisturbed."""
        if case.name in self._ready:
            return
        _clear(self.home)
        machine = Machine(self.home, self.index)
        furnish(self.home)
        case.ready(machine)
        for words in case.before:
            _do(machine, case, words)
        _clear(self._saved(case))
        subprocess.run(["cp", "-a", str(self.home), str(self._saved(case))], check=True)
        old, theirs = look(machine), outside(machine)
        assert old.state == case.old, f"{case.name} starts from {old.state}"
        _do(machine, case, case.words)
        new = look(machine)
        assert new.state == case.new, f"{case.name} ends in {new.state}"
        self._ready[case.name] = old, new, theirs, outside(machine)

    def fresh(self, case: Case) -> Machine:
        """Return the machine at the start of `case`."""
        self.prepare(case)
        _clear(self.home)
        subprocess.run(["cp", "-a", str(self._saved(case)), str(self.home)], check=True)
        return Machine(self.home, self.index)

    def calls(self, case: Case, action: str) -> list[tuple[str, str]]:
        """Return the calls at which `action` can strike in a whole run of `case`."""
        fault = ACTIONS[action]
        key = case.name, frozenset(fault.names), fault.reading
        if key not in self._calls:
            done = self._run(self.fresh(case), case, replace(fault, action=""))
            assert done.status == 0, done.err
            self._calls[key] = done.calls
        return self._calls[key]

    def trial(self, case: Case, action: str, point: int) -> Verdict:
        """Let `action` strike at call number `point`, or the last one that there is; judge what came of it."""
        for _ in range(_ATTEMPTS):
            machine = self.fresh(case)
            done = self._run(machine, case, replace(ACTIONS[action], point=point))
            if done.reached:
                break
            point = min(point - 1, len(done.calls))  # threads and children vary: this time there were fewer
        problems = [] if done.reached else ["no such call was reached"]
        for _ in range(_AGAIN if action == "SIGINT" and done.reached else 0):
            if done.seconds <= _LATE:
                break
            machine = self.fresh(case)  # the machine may have been busy: three times is no accident
            repeated = self._run(machine, case, replace(ACTIONS[action], point=point))
            done = repeated if repeated.reached else done
        problems += self._judge(machine, case, action, done)
        problems += self._recover(machine, case)
        return Verdict(case.name, action, point, below_home(done.call, self.home), tuple(problems), done.seconds)

    def kills_in_recovery(self, case: Case, points: list[int]) -> Verdict:
        """Kill the command at the first of `points`, what is then done again at the next, and so on; judge the end."""
        machine, problems, struck = self.fresh(case), [], []
        for point in points:
            done = self._run(machine, case, replace(ACTIONS["SIGKILL"], point=point))
            struck.append(f"{point} {below_home(done.call, self.home)}" if done.reached else "not reached")
            problems += self._judge(machine, case, "SIGKILL", done) if done.reached else []
            if not done.reached and done.status != 0:
                problems.append(f"a re-run ended with {done.status}: {done.err.strip()[-300:]}")
        problems += self._recover(machine, case)
        return Verdict(case.name, "SIGKILL, again and again", points[0], ", ".join(struck), tuple(problems))

    def _run(self, machine: Machine, case: Case, fault: Fault) -> Traced:
        return tracer.run(
            case.argv(machine, case.words), root=self.home, env=machine.environ, cwd=self.home, fault=fault
        )

    def _judge(self, machine: Machine, case: Case, action: str, done: Traced) -> list[str]:
        """Return which promises do not hold right after the disturbance."""
        old, new, theirs, finally_theirs = self._ready[case.name]
        seen = look(machine)
        problems = damage(machine) + _neither(seen, old, new)
        left = outside(machine)
        if left not in (theirs, finally_theirs):
            problems.append(f"it changed what is not its own: {difference(theirs, left)}")
        if done.left:
            problems.append(f"it left {', '.join(done.left)} running")
        if action in {"SIGKILL", "orphaned"}:
            return problems
        if action == "SIGINT" and done.seconds > _LATE:
            problems.append(f"it took {done.seconds} s to end")
        if "\nTraceback" in f"\n{done.err}" or done.status == 70 or done.status < 0:  # a backend's own is indented
            problems.append(f"status {done.status}: {done.err.strip()[-600:]}")
        if done.status == 0:
            if seen.state != new.state or seen.links != new.links:
                problems.append(f"it says that it is done, but {_unlike(seen, new)}")
        elif action == "EINTR":
            problems.append(f"status {done.status}, where repeating the call is enough: {done.err.strip()[-300:]}")
        elif done.status == _PARTLY:
            if "the change is made" not in done.err or case.disk:
                problems.append(f"status {_PARTLY}, but: {done.err.strip()[-300:]}")
        else:
            problems += self._false(case, action, done, seen)
        return problems

    def _false(self, case: Case, action: str, done: Traced, seen: Sight) -> list[str]:
        """Return what is wrong with the message of a failure: its form, its status, or what it says of the state."""
        old = self._ready[case.name][0]
        said = done.err.strip()
        problems = []
        if sum(line.startswith("error: ") for line in said.splitlines()) != 1:
            problems.append(f"status {done.status} without one error sentence: {said[-300:]}")
        if action == "SIGINT" and done.status != 130:
            problems.append(f"status {done.status} after an interrupt: {said[-300:]}")
        same = seen.state == old.state and seen.links == old.links and (not case.disk or seen.kept == old.kept)
        made = (
            "change is made" in said
            or "is done all the same" in said
            or "was removed" in said
            or "all is installed" in said
        )
        if made == same and not (made and case.old == case.new):
            problems.append(f"it says {said[-300:]!r}, but {_unlike(seen, old) if not same else 'nothing changed'}")
        return problems

    def _recover(self, machine: Machine, case: Case) -> list[str]:
        """Give the command again, undisturbed; return what is not as if it had never been disturbed."""
        _, new, _, finally_theirs = self._ready[case.name]
        answer = _call(machine, case, case.words)
        if answer.returncode != 0:
            return [f"the same command again ends with {answer.returncode}: {answer.stderr.strip()[-600:]}"]
        seen = look(machine)
        problems = damage(machine)
        if seen.state != new.state or seen.links != new.links:
            problems.append(f"after the same command again {_unlike(seen, new)}")
        if case.disk and len(seen.kept) != len(new.kept):
            problems.append(f"after the same command again there is {sorted(seen.kept)}, not {sorted(new.kept)}")
        if outside(machine) != finally_theirs:
            problems.append(f"the end differs in what is not its own: {difference(finally_theirs, outside(machine))}")
        if leftovers(machine):  # where all is as asked, nothing is done at all: then it is the next change that sweeps
            machine.run("collect", "--keep", "1000")
        left = leftovers(machine)
        if left:
            problems.append(f"after the same command again, and one that sweeps, there is still {', '.join(left)}")
        return problems

    def _saved(self, case: Case) -> Path:
        return self.folder / f"saved-{case.name}"


def _call(machine: Machine, case: Case, words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    argv = case.argv(machine, words)
    return subprocess.run(
        argv,
        env=machine.environ,
        cwd=machine.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _do(machine: Machine, case: Case, words: Sequence[str]) -> None:
    done = _call(machine, case, words)
    assert done.returncode == 0, f"detente {' '.join(words)} ended with {done.returncode}: {done.stderr}"


def _neither(seen: Sight, old: Sight, new: Sight) -> list[str]:
    """Return the commands that are neither as before nor as asked; one that both have must be there."""
    problems = []
    for name in {*seen.state, *old.state, *new.state}:
        allowed = {old.state.get(name), new.state.get(name)}
        if seen.state.get(name) not in allowed and not (name not in seen.state and _replaced(name, old, new)):
            problems.append(f"{name} is neither old nor new: {seen.state.get(name, 'absent')}")
    return problems


def _replaced(name: str, old: Sight, new: Sight) -> bool:
    """Say whether `name` passes from one owner to another: then it may be absent for a moment."""
    return (f".local/bin/{name}" in old.links) != (f".local/bin/{name}" in new.links)


def _unlike(seen: Sight, wanted: Sight) -> str:
    return f"there is {seen.state}, {difference(wanted.links, seen.links)}; generations, entries {sorted(seen.kept)}"


def _clear(folder: Path) -> None:
    if folder.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)
