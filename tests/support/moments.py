"""Something happens to detente at its n-th file-changing call: it is killed, or the machine around it changes.

The program counts its own calls (sys.addaudithook, PEP 578: one count over all its threads, before the call takes
place). What the engine and other children change is not counted; they live and die with it.
"""

import subprocess

from support.machine import Machine

_CHANGES = {"os.rename", "os.mkdir", "os.symlink", "os.link", "os.remove", "os.rmdir", "os.chmod", "os.truncate"}
_PRELUDE = f"""
import os, sys, signal
_at, _do, _path = int(os.environ.pop("MOMENT")), os.environ.pop("MOMENT_DO"), os.environ.pop("MOMENT_PATH")
_count = 0
_names = {_CHANGES!r}
def _look(event, arguments):
    global _count
    if event == _do.removeprefix("refuse "):
        raise OSError(int(_path), os.strerror(int(_path)), os.fspath(arguments[0]))
    if event in _names or (event == "open" and isinstance(arguments[2], int) and arguments[2] & 3):
        _count += 1
        if _count == _at and _do == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif _count == _at and _do == "write":
            fd = os.open(_path, os.O_WRONLY)
            os.write(fd, b"1")
            os.close(fd)
sys.addaudithook(_look)
import atexit
atexit.register(lambda: sys.stderr.write(f"\\nCOUNT {{_count}}\\n"))
"""

Done = subprocess.CompletedProcess[str]


def run(machine: Machine, at: int, *words: str, do: str = "kill", path: str = "", **variables: str) -> Done:
    """Run detente with `words` so that at its call number `at` (0: never) it is killed, or writes "1" to `path`.

    With `do` "refuse EVENT" each such call (an audit event: "os.link") fails with the errno that `path` names.
    """
    argv = machine.argv(*words)
    argv[4] = _PRELUDE + argv[4]
    argv.insert(1, "-B")  # writing bytecode of our own would change the count
    environ = {**machine.environ, **variables, "MOMENT": str(at), "MOMENT_DO": do, "MOMENT_PATH": path}
    return subprocess.run(argv, env=environ, cwd=machine.home, capture_output=True, text=True, timeout=120)


def calls(done: Done) -> int:
    """Return how many file-changing calls the whole run `done` made."""
    return int(done.stderr.rpartition("COUNT ")[2])
