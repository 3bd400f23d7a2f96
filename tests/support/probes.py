"""A source distribution whose build tries to get out in twelve ways, and the places that it tries to reach.

    with Targets(tmp_path, machine.home) as targets:
        targets.make_sdist(wares)                  # `hostile` 1.0, whose wheel carries what the probes saw
        machine.ok("install", "hostile", **targets.environ)
        assert targets.reached(answers) == []      # answers: the bytes of hostile/probes.json in the wheel

What can be seen from outside is looked at from outside; only what was read is taken from the wheel's own word.
"""

import contextlib
import json
import secrets
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from support.wheels import make_project, make_sdist

PROBES = (
    "read the home", "read another file", "read variables", "write the home", "write /usr", "write /tmp", "TCP", "UDP",
    "unix socket", "signal", "read memory", "set-user-id",
)  # fmt: skip

# What the build runs. It knows the token backwards only, so as not to find itself.
_CODE = """

def _try(action):
    try:
        return action()
    except BaseException as err:
        return f"{type(err).__name__}: {err}"[:200]


def _send(kind, address, family=None):
    import socket

    with socket.socket(socket.AF_INET if family is None else family, kind) as one:
        one.settimeout(3)
        one.connect(address)
        one.send(_TARGETS["token"][::-1].encode())
        return "sent"


def _read(path):
    with open(path, "rb") as file:
        return _TARGETS["token"][::-1].encode() in file.read()


def _write(path):
    with open(path, "w") as file:
        file.write("x")
    return "written"


def _variables():
    token = _TARGETS["token"][::-1]
    if token in str(os.environ):
        return True
    for name in ["self", "1", str(os.getppid()), *os.listdir("/proc")]:
        with contextlib.suppress(OSError):
            if name.isdigit() and int(name) != _TARGETS["victim"] and _read(f"/proc/{name}/environ"):
                return True
    return False


def _memory():
    import ctypes

    victim = _TARGETS["victim"]
    with contextlib.suppress(OSError):
        if _read(f"/proc/{victim}/environ"):
            return True
    with contextlib.suppress(OSError):
        open(f"/proc/{victim}/mem", "rb").close()
        return True
    libc = ctypes.CDLL(None)
    if libc.ptrace(16, victim, 0, 0) == 0:
        libc.ptrace(17, victim, 0, 0)
        return True
    return False


def _unix():
    import socket

    token = _TARGETS["token"][::-1].encode()
    for address in (_TARGETS["socket"], "\\0" + _TARGETS["abstract"]):
        with contextlib.suppress(OSError):
            _send(socket.SOCK_STREAM, address, socket.AF_UNIX)
    with contextlib.suppress(OSError):  # a datagram can be sent to anybody from one end of a pair
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        one.sendto(token, "\\0" + _TARGETS["abstract"] + "-datagram")
    return "tried"


def _set_user_id():
    path = os.path.abspath("own-file")
    with contextlib.suppress(OSError):
        _write(path)
        os.chmod(path, 0o4755)
    with contextlib.suppress(OSError):
        os.close(os.open(path + "2", os.O_CREAT | os.O_WRONLY, 0o4755))
    found = [one for one in (path, path + "2") if os.path.exists(one) and os.stat(one).st_mode & 0o4000]
    return bool(found)


def _probe():
    import signal
    import socket

    where = _TARGETS
    answers = {
        "read the home": _try(lambda: _read(where["home"] + "/secret")),
        "read another file": _try(lambda: _read(where["other"])),
        "read variables": _try(_variables),
        "write the home": _try(lambda: _write(where["home"] + "/canary")),
        "write /usr": _try(lambda: _write(where["usr"])),
        "write /tmp": _try(lambda: _write(where["tmp"])),
        "TCP": _try(lambda: _send(socket.SOCK_STREAM, ("127.0.0.1", where["tcp"]))),
        "UDP": _try(lambda: _send(socket.SOCK_DGRAM, ("127.0.0.1", where["udp"]))),
        "unix socket": _try(_unix),
        "read memory": _try(_memory),
        "signal": _try(lambda: os.kill(where["victim"], signal.SIGKILL)),
        "set-user-id": _try(_set_user_id),
    }
    with open("src/hostile/probes.json", "w") as file:
        json.dump(answers, file)


_build_it = build_wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _probe()
    return _build_it(wheel_directory)
"""


class Targets:
    """What a build must not reach: files, listening sockets, a process. `environ` holds the secret variable."""

    def __init__(self, root: Path, home: Path, user: int | None = None) -> None:
        self.token = secrets.token_hex(12)
        self.environ = {"INDEX_TOKEN": self.token}
        self._home = home
        self._user = user
        self._stack = contextlib.ExitStack()
        self._root = root
        self._usr = Path("/usr/local") / f".probe-{self.token}"
        self._tmp = Path("/tmp") / f"probe-{self.token}"

    def __enter__(self) -> Self:
        (self._home / "secret").write_text(self.token)
        outside = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="others-")))
        outside.chmod(0o755)
        (outside / "readable").write_text(self.token)
        self._tcp = self._listening(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self._udp = self._listening(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self._path = self._listening(socket.AF_UNIX, socket.SOCK_STREAM, str(outside / "socket"))
        (outside / "socket").chmod(0o777)
        abstract = f"probe-{self.token}"
        self._abstract = self._listening(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + abstract)
        self._datagram = self._listening(socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{abstract}-datagram")
        as_user = {} if self._user is None else {"user": self._user, "group": self._user, "extra_groups": []}
        self._victim = subprocess.Popen(["/bin/sleep", "600"], env={"TOKEN": self.token}, cwd="/", **as_user)
        self._stack.callback(self._end_victim)
        self._told = {
            "token": self.token[::-1], "home": str(self._home), "other": str(outside / "readable"),
            "usr": str(self._usr), "tmp": str(self._tmp), "tcp": self._tcp.getsockname()[1],
            "udp": self._udp.getsockname()[1], "socket": str(outside / "socket"), "abstract": abstract,
            "victim": self._victim.pid,
        }  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        for path in (self._usr, self._tmp, self._home / "canary"):
            path.unlink(missing_ok=True)
        self._stack.close()

    def make_sdist(self, folder: Path) -> Path:
        """Write hostile-1.0.tar.gz into `folder`."""
        return make_sdist(folder, "hostile", "1.0", commands=["hostile"], backend_text=self.backend())

    def make_project(self, folder: Path) -> Path:
        """Write the same as a source tree."""
        return make_project(folder, "hostile", "1.0", commands=["hostile"], backend_text=self.backend())

    def backend(self) -> str:
        """Return the text of the backend that tries."""
        from support import backend as real

        text = Path(real.__file__).read_text("utf-8")
        return f"{text}\n\nimport contextlib\nimport json\n\n_TARGETS = {self._told!r}\n{_CODE}"

    def reached(self, answers: bytes) -> list[str]:
        """Return the probes that got through; `answers` is what the build wrote of itself."""
        said = json.loads(answers)
        assert set(said) == set(PROBES)
        through = {
            "read the home": said["read the home"] is True,
            "read another file": said["read another file"] is True,
            "read variables": said["read variables"] is True,
            "write the home": (self._home / "canary").exists(),
            "write /usr": self._usr.exists(),
            "write /tmp": self._tmp.exists(),
            "TCP": self._was_called(self._tcp),
            "UDP": self._heard(self._udp),
            "unix socket": self._was_called(self._path)
            or self._was_called(self._abstract)
            or self._heard(self._datagram),
            "signal": self._victim.poll() is not None,
            "read memory": said["read memory"] is True,
            "set-user-id": said["set-user-id"] is True,
        }
        return [name for name in PROBES if through[name]]

    def _listening(self, family: int, kind: int, address: str | tuple[str, int]) -> socket.socket:
        one = self._stack.enter_context(socket.socket(family, kind))
        one.bind(address)
        one.setblocking(False)
        if kind == socket.SOCK_STREAM:
            one.listen()
        return one

    def _was_called(self, one: socket.socket) -> bool:
        with contextlib.suppress(BlockingIOError):
            one.accept()[0].close()
            return True
        return False

    def _heard(self, one: socket.socket) -> bool:
        with contextlib.suppress(BlockingIOError):
            return self.token.encode() in one.recv(4096)
        return False

    def _end_victim(self) -> None:
        self._victim.kill()
        self._victim.wait()


def answers_in(folder: Path) -> bytes:
    """Return what the build wrote, from wherever below `folder` its package was put."""
    (found,) = list(folder.rglob("hostile/probes.json"))
    return found.read_bytes()
