"""Without any network: what must go on working, in a network of the command's own that leads nowhere."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from proof.network_ways import ALONE
from support.index import Index
from support.machine import Answer, Machine
from support.wheels import make_wheel

# Words, and what the answer must hold; in this order, on one machine.
_CASES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("list",), "demo"),
    (("list", "--json"), '"ok": true'),
    (("show", "demo"), "demo"),
    (("history",), "install"),
    (("paths",), "store"),
    (("--version",), "detente"),
    (("run", "other"), "other 1.0"),
    (("install", "demo==2.0"), ""),
    (("remove", "other"), ""),
    (("install", "other"), "other"),
    (("install", "demo==1.0"), "demo"),
    (("install", "--offline", "demo==2.0"), "demo"),
    (("run", "seen"), "seen 1.0"),
    (("install", "seen"), "seen"),
    (("install", "meant"), "meant"),
    (("rollback",), ""),
    (("rollback", "1"), ""),
    (("rollback", "demo"), ""),
    (("collect",), ""),
    (("remove", "demo"), ""),
)


def trials(folder: Path) -> Iterator[tuple[str, str]]:
    """Prepare a machine with a network, then do everything without; yield each command and what was wrong with it."""
    wares = folder / "wares"
    for version in ("1.0", "2.0"):
        make_wheel(wares, "demo", version, commands=["demo"], requires=["dep>=1"])
    for name in ("other", "seen", "meant"):
        make_wheel(wares, name, "1.0", commands=[name], requires=["dep"])
    make_wheel(wares, "dep", "1.0")
    make_wheel(wares, "never", "1.0", commands=["never"])
    with Index(wares) as index:
        machine = Machine(folder / "home", index)
        for words in (("install", "demo==1.0"), ("install", "other"), ("install", "demo==2.0"), ("run", "seen"),
                      ("install", "meant"), ("remove", "meant")):  # fmt: skip
            machine.ok(*words)
        for words, said in _CASES:
            answer = _alone(machine, words)
            wrong = "" if answer.status == 0 and said in answer.out + answer.err else answer.err.strip()[-300:] or "?"
            yield " ".join(words), wrong or ("a traceback" if "Traceback" in answer.err else "")
            for command in machine.commands():
                if machine.call(command).status != 0:
                    yield f"{command} after {' '.join(words)}", "does not run"
        answer = _alone(machine, ("install", "never"))
        right = answer.status == 1 and "cannot be reached" in answer.err and "never" not in machine.commands()
        yield "install never (which cannot be)", "" if right else answer.err.strip()[-300:] or f"{answer.status}"
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=False)


def _alone(machine: Machine, words: tuple[str, ...]) -> Answer:
    done = subprocess.run(
        [*ALONE, *machine.argv(*words)],
        env=machine.environ,
        cwd=machine.home,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    return Answer(done.returncode, done.stdout, done.stderr)
