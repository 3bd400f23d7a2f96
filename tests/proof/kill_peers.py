"""The same kill on the peers: an application of version 1.0 becomes 2.0, and everything is killed at some call."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from proof.lab import Lab
from support import backend, syscalls, tracer
from support.index import Index
from support.tracer import Fault

_PYTHON = os.path.realpath("/usr/bin/python3")
_OLD, _NEW = "demo 1.0, dep 1.5", "demo 2.0, dep 1.5"


@dataclass(frozen=True)
class Peer:
    """`first` makes the old state, `words` the new one; `trials` is how many kills are spread over its calls."""

    name: str
    first: Sequence[str]
    words: Sequence[str]
    variables: Mapping[str, str]
    trials: int


def peers(index: Index) -> tuple[Peer, ...]:
    """Return the peers and how each is asked."""
    uv = {"UV_INDEX_URL": index.url, "UV_PYTHON": _PYTHON, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1"}
    pip = {
        "PIP_INDEX_URL": index.url,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIPX_DEFAULT_PYTHON": _PYTHON,
        "PIPX_DEFAULT_BACKEND": "pip",
        "USE_EMOJI": "0",
    }
    return (
        Peer("uv", ["tool", "install", "demo==1.0"], ["tool", "install", "demo==2.0"], uv, 30),
        Peer("pipx", ["install", "demo==1.0"], ["install", "--force", "demo==2.0"], pip, 8),
    )


def measure(lab: Lab, index: Index) -> dict[str, str]:
    """Return what became of each peer that is here, in words."""
    found = {}
    for peer in peers(index):
        program = lab.peer(peer.name)
        if program:
            serve_pip(Path(program).parent, index)
            found[peer.name] = _Trials(lab, peer, program).words()
    return found


def serve_pip(folder: Path, index: Index) -> None:
    """Let `index` have the pip that is installed beside the programs in `folder`: pipx wants one of its own."""
    for info in folder.parent.glob("lib/python3*/site-packages/pip-*.dist-info"):
        site = info.parent
        members = {
            str(path.relative_to(site)): path.read_bytes()
            for top in (site / "pip", info)
            for path in top.rglob("*")
            if path.is_file()
            and path.suffix != ".pyc"
            and path.name not in ("RECORD", "WHEEL", "INSTALLER", "REQUESTED")
        }
        wheel = index.directory / f"{info.name.removesuffix('.dist-info')}-py3-none-any.whl"
        backend.write_wheel(wheel, members, dist_info=info.name, tag="py3-none-any")


class _Trials:
    """Trials with one peer: a home with the old version, saved, and brought back before each kill."""

    def __init__(self, lab: Lab, peer: Peer, program: str) -> None:
        self.lab, self.peer, self.program = lab, peer, program
        self.home = lab.scratch / peer.name / "home"
        self.saved = lab.scratch / peer.name / "saved"
        folders = (str(self.home / ".local/bin"), os.path.dirname(program), "/usr/bin", "/bin")
        self.environ = {"HOME": str(self.home), "PATH": ":".join(folders), "LANG": "C.UTF-8", **peer.variables}

    def words(self) -> str:
        """Kill at points spread over all calls; say how often the application was broken, and stayed so."""
        self.home.mkdir(parents=True)
        done = self._plain(self.peer.first)
        if done.returncode != 0:
            self.lab.say(f"{self.peer.name} cannot take part: {done.stderr.strip()[-300:]}")
            return "could not take part"
        subprocess.run(["cp", "-a", str(self.home), str(self.saved)], check=True)
        count = len(self._traced(Fault(names=syscalls.CHANGES)).calls)
        trials = min(count, 3 if self.lab.quick else self.peer.trials)
        tried = broken = stayed = 0
        for number in range(trials):
            done_at = self._traced(Fault("kill", 1 + count * number // trials))
            if not done_at.reached:
                continue
            tried += 1
            broken += self._answer() not in (_OLD, _NEW)
            again = self._plain(self.peer.words)
            stayed += again.returncode != 0 or self._answer() != _NEW
        return f"change from 1.0 to 2.0: {broken} of {tried} broken, {stayed} not mended by the same command again"

    def _fresh(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        subprocess.run(["cp", "-a", str(self.saved), str(self.home)], check=True)

    def _traced(self, fault: Fault) -> tracer.Traced:
        self._fresh()
        argv = [self.program, *self.peer.words]
        return tracer.run(argv, root=self.home, env=self.environ, cwd=self.home, fault=fault, timeout=300)

    def _plain(self, words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.program, *words], env=self.environ, cwd=self.home, capture_output=True, text=True, timeout=300
        )

    def _answer(self) -> str:
        """Return what the application says, "" where it does not run."""
        command = Path(self.home, ".local/bin/demo")
        try:
            done = subprocess.run([str(command)], env=self.environ, capture_output=True, text=True, timeout=60)
        except OSError:
            return ""
        return done.stdout.strip().replace("\n", ", ") if done.returncode == 0 else ""
