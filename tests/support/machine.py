"""A person's machine for command-line tests: a home of its own, an index on loopback, and `detente`."""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from support.index import Index

SOURCE = Path(__file__).resolve().parents[2] / "src"
GIT = shutil.which("git") is not None
NO_GIT = "needs git: sudo apt install git"
_START = "import sys; sys.path[:0] = sys.argv[1:3]; del sys.argv[1:3]; sys.argv[0] = 'detente'; "
_RUN = _START + "from detente.cli.main import main; sys.exit(main())"


def engine() -> str:
    """Return the uv that the tests use: DETENTE_UV, or the one installed beside this interpreter."""
    found = os.environ.get("DETENTE_UV") or shutil.which("uv", path=sysconfig.get_path("scripts")) or shutil.which("uv")
    assert found, "no uv here: run the tests through ./check"
    return found


class Machine:
    """`run` calls detente as a process of its own; what it installs is found below `home`."""

    def __init__(self, home: Path, index: Index | None = None) -> None:
        self.home = home
        self.home.mkdir(parents=True, exist_ok=True)
        self.bin = home / ".local/bin"
        self.data = home / ".local/share/detente"
        self.environ = {
            "HOME": str(home),
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "DETENTE_UV": engine(),
            "DETENTE_DISTRO": "none",  # what this machine happens to have is no part of a test
            "PIP_CONFIG_FILE": os.devnull,
            "UV_HTTP_RETRIES": "0",
        }
        if index is not None:
            self.environ["PIP_INDEX_URL"] = index.url

    def argv(self, *words: str) -> list[str]:
        """Return the command line that starts detente with `words`, isolated and without a site."""
        libraries = sysconfig.get_path("purelib")
        return [sys.executable, "-I", "-S", "-c", _RUN, str(SOURCE), libraries, *words]

    def run(self, *words: str, cwd: Path | None = None, timeout: float = 120, **variables: str) -> "Answer":
        """Run detente with `words` and `variables` on top of the environment."""
        done = subprocess.run(
            self.argv(*words),
            env={**self.environ, **variables},
            cwd=cwd or self.home,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
            timeout=timeout,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def ok(self, *words: str, **settings: Any) -> "Answer":
        """Run detente and insist on success."""
        answer = self.run(*words, **settings)
        assert answer.status == 0, f"detente {' '.join(words)} ended with {answer.status}\n{answer.out}\n{answer.err}"
        return answer

    def refused(self, status: int, *words: str, **settings: Any) -> "Answer":
        """Run detente and insist on a clean failure: this status, one error sentence, no traceback, nothing changed."""
        before = self.state()
        answer = self.run(*words, **settings)
        assert answer.status == status, f"expected {status}, got {answer.status}\n{answer.out}\n{answer.err}"
        assert sum(line.startswith("error: ") for line in answer.err.splitlines()) == 1, answer.err
        assert "Traceback" not in answer.err
        assert self.state() == before
        return answer

    def json(self, *words: str, **settings: Any) -> Any:
        """Run detente with --json, insist on success, and return `data`."""
        answer = json.loads(self.ok(*words, "--json", **settings).out)
        assert answer["ok"] is True
        return answer["data"]

    def call(self, command: str, *words: str, **variables: str) -> "Answer":
        """Run an installed command the way the person's shell would find it."""
        found = shutil.which(command, path=self.environ["PATH"])
        assert found, f"{command} is not on PATH"
        done = subprocess.run(
            [found, *words], env={**self.environ, **variables}, capture_output=True, text=True, timeout=60
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, **variables: str) -> "subprocess.Popen[str]":
        """Start detente in a session of its own and return it running."""
        return subprocess.Popen(
            self.argv(*words),
            env={**self.environ, **variables},
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def state(self) -> dict[str, str]:
        """Return what is visible of the state: where `current` points, and every exposed link."""
        seen = {"current": os.readlink(self.data / "current") if (self.data / "current").is_symlink() else ""}
        for folder in (self.bin, *sorted((self.home / ".local/share").glob("*"))):
            if folder.name in ("detente", "uv") or not folder.is_dir():
                continue
            for path in sorted(folder.rglob("*")):
                seen[str(path)] = os.readlink(path) if path.is_symlink() else ""
        return seen

    def commands(self) -> list[str]:
        """Return the names in our directory of commands."""
        return sorted(path.name for path in self.bin.iterdir()) if self.bin.is_dir() else []


class Answer:
    """What a program said."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err


def kill_group(child: "subprocess.Popen[str]", number: int = signal.SIGKILL) -> None:
    """Send a signal to a child started by `Machine.start` and to its own children."""
    os.killpg(child.pid, number)
