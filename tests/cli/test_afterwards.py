"""Bytecode is made once the change is made and told of: behind the prompt, or before the end where nobody waits."""

import contextlib
import fcntl
import json
import os
import pty
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

import pytest

from detente.host.paths import user_paths
from detente.store import verify, witness
from support.machine import Machine
from support.wheels import make_wheel

SLOW = {f"slow/m{number}.py": "x = [" + "(1, 'a', {2: 3}), " * 2000 + "]\n" for number in range(80)}


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A wheel that takes seconds to compile."""
    return make_wheel(
        tmp_path, "slow", "1.0", files={"slow/__init__.py": "", **SLOW}, commands={"slow": "slow_run:main"}
    )


def marks(machine: Machine) -> list[Path]:
    return list((machine.data / "store").glob("slow-*/bytecode/*"))


def wait_for(what: object, seconds: float = 60) -> None:
    assert callable(what)
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.02)


def test_an_interrupt_while_compiling_leaves_all_installed_and_the_same_command_compiles(
    machine: Machine, slow: Path
) -> None:
    child = machine.start("install", str(slow))
    wait_for((machine.bin / "slow").exists)
    wait_for(lambda: list((machine.data / "store").glob(".staging-*/slow-*/lib/slow/__pycache__/*.pyc")))
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "installed slow 1.0" in out
    assert "all is installed, and it starts slower until the same command made its bytecode" in err
    assert machine.call("slow").status == 0
    assert marks(machine) == []
    assert "installed already" in machine.ok("install", str(slow)).out
    (mark,) = marks(machine)
    assert len(json.loads(mark.read_text())["files"]) == len(SLOW) + 2
    assert not list((machine.data / "store").glob(".staging-*"))


def test_at_a_terminal_the_prompt_comes_back_first(machine: Machine, slow: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(machine.home)
        argv = machine.argv("install", str(slow))
        os.execve(argv[0], argv, {**machine.environ, "TERM": "xterm"})
    try:
        while True:
            try:
                if not os.read(terminal, 4096):
                    break
            except OSError:  # the other end is closed
                break
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert marks(machine) == [], "it compiled before it gave the prompt back"
    assert machine.call("slow").status == 0
    wait_for(lambda: marks(machine))
    wait_for(lambda: not list((machine.data / "store").glob(".staging-*")))
    collected = machine.ok("collect")
    assert "slow" not in collected.out


def test_nothing_of_whoever_called_is_held_while_it_compiles(machine: Machine, slow: Path, tmp_path: Path) -> None:
    line = f"flock 9; {shlex.join(machine.argv('install', str(slow)))}"
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(machine.home)
        environ = {**machine.environ, "TERM": "xterm"}
        os.execve("/bin/sh", ["sh", "-c", f"({line}) 9>{tmp_path}/lock"], environ)
    with contextlib.suppress(OSError):  # the other end is closed
        while os.read(terminal, 4096):
            pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    with open(tmp_path / "lock", "w", encoding="ascii") as lock:
        wait_for(lambda: _free(lock), 1)
    assert marks(machine) == [], "it had compiled already"
    wait_for(lambda: marks(machine))
    wait_for(lambda: not list((machine.data / "store").glob(".staging-*")))


def _free(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_a_disk_that_refuses_then_is_a_note(machine: Machine, tmp_path: Path) -> None:
    """Played by a limit on the size of files: 180 kB of source are 3 MB of bytecode."""
    large = "x = [" + "lambda: 0, " * 20000 + "]\n"
    wheel = make_wheel(tmp_path, "large", "1.0", files={"large.py": large}, commands={"large": "large_run:main"})
    limit = f"ulimit -f 1024; exec {' '.join(map(repr, machine.argv('install', str(wheel))))}"
    done = subprocess.run(
        ["bash", "-c", limit], env=machine.environ, cwd=machine.home, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "note: all is installed, but it starts slower until the same command made its bytecode: " in done.stderr
    assert machine.call("large").status == 0
    assert not list((machine.data / "store").glob("large-*/bytecode/*"))
    machine.ok("install", str(wheel))
    assert len(list((machine.data / "store").glob("large-*/bytecode/*"))) == 1


def test_what_is_installed_already_gets_what_bytecode_it_lacks(machine: Machine) -> None:
    machine.ok("install", "demo")
    (mark,) = (machine.data / "store").glob("demo-*/bytecode/*")
    mark.parent.chmod(0o755)
    mark.unlink()
    assert "installed already" in machine.ok("install", "demo").out
    assert mark.exists()


def test_what_another_command_is_just_compiling_is_not_called_damaged(machine: Machine) -> None:
    """The other command is held up between moving its bytecode in and marking it, as by a slow disk."""
    argv = machine.argv("install", "demo")
    slow = "import sys, time; sys.path[:0] = sys.argv[1:3]; del sys.argv[1:3]; sys.argv[0] = 'detente'\n"
    slow += "from detente.store import bytecode\nmark = bytecode._mark\n"
    slow += "bytecode._mark = lambda *words: (time.sleep(1.5), mark(*words))\n"
    slow += "from detente.cli.main import main; sys.exit(main())\n"
    argv[argv.index("-c") + 1] = slow
    other = subprocess.Popen(argv, env=machine.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not list((machine.data / "store").glob("dep-*/lib/dep/__pycache__/*.pyc")):
            assert time.monotonic() < end
            time.sleep(0.01)
        said = machine.ok("install", "fancy", "--with", "dep").err
    finally:
        assert other.wait(60) == 0
    assert "damaged" not in said
    assert machine.json("verify")["findings"] == []


def test_a_look_that_a_compilation_overtakes_leaves_what_that_one_wrote(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.ok("install", "demo")
    (mark,) = (machine.data / "store").glob("demo-*/bytecode/*")
    top, paths = mark.parent.parent, user_paths(machine.environ)
    subprocess.run(["chmod", "-R", "u+w", top], check=True)
    for place in (mark, *top.glob("lib/demo/__pycache__/*")):
        place.unlink()
    subprocess.run(["chmod", "-R", "a-w", top], check=True)
    witness.forget(paths, witness.STORE, [top.name])
    assert verify.check(paths, top.name).findings == ()
    looked, own = [], witness.tree

    def tree(path: str) -> str:
        found = own(path)
        looked.append(path)
        if len(looked) == 2:  # it has seen all, and was about to write what it saw
            machine.ok("install", "demo")
        return found

    monkeypatch.setattr(witness, "tree", tree)
    verify.check(paths, top.name)
    assert mark.exists()
    assert machine.json("verify")["findings"] == []


def test_bytecode_of_modules_at_the_top_is_seen_by_the_environment(machine: Machine, tmp_path: Path) -> None:
    """A `__pycache__` beside the links must be there when they are made: as root, Python would write one."""
    single = make_wheel(tmp_path, "single", "1.0", files={"single.py": ""}, commands={"single": "single_run:main"})
    other = make_wheel(tmp_path, "second", "1.0", files={"second.py": ""})
    machine.ok("install", str(single), "--with", str(other))
    site = Path(machine.json("show", "single")["environment"]).glob("lib/python*/site-packages/__pycache__/*.pyc")
    assert {path.name.split(".")[0] for path in site if path.exists()} >= {"single", "second"}
    assert machine.call("single").status == 0
    machine.ok("verify")
