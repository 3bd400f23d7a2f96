"""Many at once: commands that contradict each other, some of them killed; locks that are lost; programs that run on."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from proof.figure import Figure
from proof.lab import Lab
from support import stock
from support.index import Index
from support.machine import Machine, kill_group
from support.wheels import make_wheel

REQUESTS = (
    ("install", "app==1.0"),
    ("install", "app==2.0"),
    ("install", "app", "other"),
    ("install", "other"),
    ("remove", "app"),
    ("remove", "other"),
    ("rollback",),
    ("rollback", "app"),
    ("collect", "--keep", "2"),
    ("list",),
)
# what a survivor may answer: done; nothing has that name (any more); refused (such as: other commands keep changing it)
CLEAN = (0, 3, 5)


def measure(lab: Lab) -> Iterable[Figure]:
    """Let 8 and 32 commands at once loose on one profile, and look at it after each round."""
    wares(lab.scratch / "wares")
    with Index(lab.scratch / "wares") as index:
        for writers, rounds in ((8, 4), (32, 1)) if lab.quick else ((8, 120), (32, 6)):
            for killing in (False, True):
                many = max(1, rounds if killing else rounds // 8)
                yield _storm(lab, index, writers, many, killing=killing)
        found = [*locks(lab.scratch, index)]
        yield _figure(
            lab,
            "a lock file that is deleted, replaced, or held for long breaks nothing",
            "while a command holds the locks, they are deleted, replaced by a file or a symbolic link, or it is "
            "stopped: the second command waits and says for whom, or refuses, or goes on; the state stays whole",
            found,
        )
        found = [words for n in range(1 if lab.quick else 10) for words in running(lab.scratch, index, n)]
        yield _figure(
            lab,
            "what runs goes on through change, remove and collect",
            "programs of old generations wait, an import still to come, while their application is changed or removed "
            "and everything that nothing keeps is collected; then they import",
            found,
        )


def wares(folder: Path) -> None:
    """Put what the trials install into `folder`."""
    stock.fill(folder)
    source = 'def main():\n    import sys\n    print("up", flush=True)\n    sys.stdin.read()\n'
    source += "    import waiter_later\n    print(waiter_later.WORD)\n"
    for version in ("1.0", "2.0"):
        files = {"waiter.py": source, "waiter_later.py": f"WORD = 'late {version}'\n"}
        make_wheel(folder, "waiter", version, commands={"waiter": "waiter:main"}, files=files)


def _figure(lab: Lab, promise: str, how: str, found: list[str], detail: str = "") -> Figure:
    for words in [one for one in found if one][:10]:
        lab.say(words)
    return Figure(promise, how, len(found), sum(map(bool, found)), detail)


def _storm(lab: Lab, index: Index, writers: int, rounds: int, *, killing: bool) -> Figure:
    home = lab.scratch / f"storm-{writers}-{killing}"
    seed = random.randrange(10**9)
    found, counts = [], {"killed": 0, "done": 0, "refused": 0}
    for number, (words, seen) in enumerate(storm(home, index, writers, rounds, killing=killing, seed=seed)):
        found.append(words)
        counts = {name: counts[name] + seen[name] for name in counts}
        if number % 25 == 24:
            lab.say(f"{writers} at once: {number + 1} of {rounds} rounds, {sum(map(bool, found))} broken")
    what = f"{writers} commands at once" + (", half of them killed" if killing else "")
    figure = _figure(
        lab,
        f"{what}: whoever survives ends well, and the state is one that was asked for",
        "rounds of install, change, remove, rollback, collect and list on one profile; after each one every "
        "application is run and compared with the record, the store with RECORD, and a lock must be had at once",
        found,
        f"rounds; {counts['done']} commands done, {counts['refused']} cleanly refused, {counts['killed']} killed",
    )
    peers = {}
    if killing and writers == 8:
        peers = {name: _peer(lab, index, name, 1 if lab.quick else 6) for name in ("uv", "pipx") if lab.peer(name)}
    return Figure(figure.promise, figure.how, figure.total, figure.bad, figure.detail, peers)


def storm(
    home: Path, index: Index, writers: int, rounds: int, *, killing: bool, seed: int
) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield for each round what was wrong ("" for nothing), and how many were killed, done and refused."""
    chance = random.Random(seed)
    machine = Machine(home, index)
    machine.ok("install", "app", "other")
    span = writers / 4  # seconds that a round takes: at first a guess
    for number in range(rounds):
        asked = [chance.choice(REQUESTS) for _ in range(writers)]
        children = [machine.start(*words) for words in asked]
        started = time.monotonic()
        if killing:
            _kill_some(children, chance, span)
        counts, wrong = {"killed": 0, "done": 0, "refused": 0}, ""
        for child, words in zip(children, asked, strict=True):
            try:
                _, err = child.communicate(timeout=180)
            except subprocess.TimeoutExpired:
                kill_group(child)
                wrong = f"{words} does not end"
                continue
            status = child.returncode
            counts["killed" if status == -9 else "done" if status == 0 else "refused"] += 1
            if status not in (-9, *CLEAN) or "Traceback" in err or (status == -9 and not killing):
                wrong = f"{words} ended with {status}: {err[-500:]}"
            elif status not in (-9, 0) and err.count("error: ") != 1:
                wrong = f"{words} said more than one sentence: {err}"
        span = 0.9 * (time.monotonic() - started)
        wrong = wrong or whole(machine, ["install app other", *map(" ".join, REQUESTS)])
        yield f"round {number} of seed {seed}: {wrong}" if wrong else "", counts


def _kill_some(children: list["subprocess.Popen[str]"], chance: random.Random, span: float) -> None:
    """Kill half of them, each at a random moment of the next `span` seconds: now it alone, now with its children."""
    started = time.monotonic()
    for moment in sorted(chance.uniform(0, span) for _ in range(len(children) // 2)):
        time.sleep(max(0.0, started + moment - time.monotonic()))
        alive = [child for child in children if child.poll() is None]
        if not alive:
            return
        victim = chance.choice(alive)
        if chance.random() < 0.5:
            victim.send_signal(signal.SIGKILL)
        else:
            kill_group(victim)


def whole(machine: Machine, requests: Iterable[str]) -> str:
    """Return what is wrong with the profile; "" where it is the outcome of one of `requests`, and all of it runs."""
    for lock in ("store.lock", "profile.lock"):
        free = subprocess.run(["flock", "--nonblock", machine.data / lock, "true"])
        if free.returncode != 0:
            return f"{lock} is held by nobody that lives"
    answer = machine.run("list", "--json")
    if answer.status != 0:
        return f"list: {answer.err}"
    record = json.loads((machine.data / "current/record.json").read_text())
    if " ".join(record["command"]) not in requests:
        return f"nobody asked for {record['command']}"
    expected = {key: f"{key} {item['version']}" for key, item in record["applications"].items()}
    for key in expected:  # links outside may be missing after a kill; the next command brings them
        if not (machine.bin / key).exists():
            machine.run("install", key)
    record = json.loads((machine.data / "current/record.json").read_text())
    seen = {name: said for name, said in stock.answers(machine).items() if name in expected}
    if seen != expected:
        return f"{seen} is on PATH, and the record says {expected}"
    return "; ".join(stock.damage(machine.data)[:3])


def locks(scratch: Path, index: Index) -> Iterator[str]:
    """Yield what was wrong ("" for nothing) for each thing that can happen to a lock file that is held."""
    for lock in ("store.lock", "profile.lock"):
        for what in ("deleted", "a file", "a link", "held"):
            home = scratch / f"lock-{lock}-{what.replace(' ', '-')}"
            machine = Machine(home, index)
            machine.ok("install", "app==1.0")
            path = machine.data / lock
            holder = subprocess.Popen(["flock", path, "sleep", "600"], start_new_session=True)
            try:
                _until_held(path)
                wrong = _with_lock(machine, path, what, holder.pid)
            finally:
                os.killpg(holder.pid, signal.SIGKILL)
                holder.wait()
            yield f"{lock} {what}: {wrong}" if wrong else ""


def _until_held(path: Path) -> None:
    for _ in range(200):
        if subprocess.run(["flock", "--nonblock", path, "true"]).returncode != 0:
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} cannot be held")


def _with_lock(machine: Machine, path: Path, what: str, holder: int) -> str:
    if what == "held":
        return _waits(machine, holder)
    path.unlink()
    if what == "a file":
        path.write_text("not a lock")
    if what == "a link":
        path.symlink_to("/etc/passwd")
        answer = machine.run("install", "app==2.0")
        if answer.status != 5 or "symbolic link" not in answer.err:
            return f"it ended with {answer.status}: {answer.err}"
        path.unlink()
    answer = machine.run("install", "app==2.0")
    if answer.status != 0 or stock.answers(machine) != {"app": "app 2.0"}:
        return f"it ended with {answer.status}: {answer.err} {stock.answers(machine)}"
    return ""


def _waits(machine: Machine, holder: int) -> str:
    child = machine.start("install", "app==2.0")
    time.sleep(2.5)
    if child.poll() is not None:
        return f"it did not wait, and ended with {child.returncode}: {child.communicate()[1]}"
    if stock.answers(machine) != {"app": "app 1.0"}:
        return "it changed something before it had the lock"
    os.killpg(holder, signal.SIGKILL)
    _, err = child.communicate(timeout=60)
    if child.returncode != 0 or stock.answers(machine) != {"app": "app 2.0"}:
        return f"it ended with {child.returncode}: {err}"
    said = f"waiting for another detente command to end: process {holder} (flock)"
    return "" if said in err else f"it did not say for whom it waited: {err}"


def running(scratch: Path, index: Index, number: int) -> Iterator[str]:
    """Yield what was wrong ("" for nothing) with programs whose application is changed, removed, and collected."""
    machine = Machine(scratch / f"running-{number}", index)
    machine.ok("install", "waiter==1.0")
    first = _start(machine)
    machine.ok("install", "waiter==2.0")
    second = _start(machine)
    machine.ok("remove", "waiter")
    machine.ok("install", "other")
    machine.ok("collect", "--keep", "1")
    for child, version in ((first, "1.0"), (second, "2.0")):
        out, err = child.communicate("go", timeout=30)
        yield "" if out == f"late {version}\n" else f"waiter {version}: {out}{err[-400:]}"
    machine.ok("collect", "--keep", "1")
    left = [path.name for path in (machine.data / "store").glob("waiter-*")]
    yield f"{left} is still there after they ended" if left else ""


def _start(machine: Machine) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    argv = [machine.bin / "waiter"]
    child = subprocess.Popen(argv, env=machine.environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    return child


def _peer(lab: Lab, index: Index, name: str, rounds: int) -> str:
    """Return in words how the peer's installs fare in the same storm."""
    program, bad = lab.peer(name), 0
    assert program
    begin = [program, "tool", "install"] if name == "uv" else [program, "install", "--force"]
    chance, span = random.Random(1), 2.0
    for number in range(rounds):
        machine = Machine(lab.scratch / f"{name}-{number}", index)
        environ = {**machine.environ, "UV_DEFAULT_INDEX": index.url, "UV_PYTHON": "/usr/bin/python3"}
        subprocess.run([*begin, "app==1.0"], env=environ, capture_output=True, check=True)
        started = time.monotonic()
        children = [
            subprocess.Popen(
                [*begin, f"app=={version}"],
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            for version in ("1.0", "2.0") * 4
        ]
        _kill_some(children, chance, span)
        for child in children:
            child.communicate(timeout=300)
        said = stock.answers(machine).get("app", "absent")
        span = 0.9 * (time.monotonic() - started)
        bad += any(child.returncode not in (0, -9) for child in children) or said not in ("app 1.0", "app 2.0")
    return f"{bad} of {rounds} rounds of install and change alone broken"
