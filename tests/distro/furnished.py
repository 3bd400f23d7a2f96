"""A Debian that a person works on: two accounts, sudo, apt's lists, system packages of Python; made once per release.

Over the root file system of `chroot.py` lies a layer with all this, kept beside it; tests get copies of both.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from chroot import Answer, Chroot, build, remove

PLACE = "/opt/detente"
# What is there: an application, modules that only the distro has, and the means to become root.
INSTALLED = ("sudo", "python3-pip", "python3-apt", "python3-gi", "yamllint")
# What tests install: fetched beforehand, so that they need no mirror.
FETCHED = ("pycodestyle", "isort", "pkg-config", "libyaml-dev")
SUDOERS = "person ALL=(ALL:ALL) NOPASSWD: ALL\n"
_WEEK = 7 * 86400
# At a terminal of the chroot's own: type each answer once its words are seen; print status and all that was shown.
_DRIVER = """
import json, os, pty, select, sys, time
argv, answers, patience = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
seen, old, ends = "", 0, time.monotonic() + patience
while time.monotonic() < ends:
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        seen += piece.decode("utf-8", "replace")
    if answers and answers[0][0] in seen[old:]:
        old = len(seen)
        time.sleep(0.2)  # who turns the echo off forgets what was typed before
        os.write(terminal, answers.pop(0)[1].encode())
os.close(terminal)
_, status = os.waitpid(pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), seen]))
"""


class Seen(NamedTuple):
    """What was shown on a terminal, and how it ended."""

    status: int
    text: str


class Furnished(Chroot):
    """A throw-away copy of such a Debian; `person` may use sudo, `guest` may not."""

    def __init__(self, scratch: Path, *layers: Path, suite: str) -> None:
        super().__init__(scratch, *layers, place=PLACE)
        self.suite = suite
        self.title = {"bookworm": "Debian 12", "trixie": "Debian 13"}[suite]
        self.environ: dict[str, str] = {}

    def detente(
        self,
        *words: str,
        user: str = "person",
        network: bool = True,
        environ: Mapping[str, str] = {},
        timeout: float = 120,
    ) -> Answer:
        """Run detente as `user`, without a terminal."""
        return self.run(
            "detente",
            *words,
            user=user,
            cwd="/",
            network=network,
            environ={**self.environ, **environ},
            timeout=timeout,
        )

    def json(self, *words: str, user: str = "person") -> Any:
        """Return the data of a reading command."""
        answer = self.detente(*words, "--json", user=user)
        assert answer.status == 0, answer
        return json.loads(answer.out)["data"]

    def at_a_terminal(
        self,
        *argv: str,
        user: str = "person",
        answers: Sequence[tuple[str, str]] = (),
        environ: Mapping[str, str] = {},
        patience: float = 60,
    ) -> Seen:
        """Run `argv` as `user` on a terminal; type the second of each of `answers` once the first is seen."""
        said = self.run(
            "python3",
            "-I",
            "-c",
            _DRIVER,
            json.dumps([argv, answers, patience]),
            user=user,
            cwd="/",
            environ={"TERM": "xterm", **self.environ, **environ},
            timeout=patience + 30,
        )
        assert said.status == 0, said
        return Seen(*json.loads(said.out.splitlines()[-1]))

    def as_root(self, *argv: str, check: bool = True) -> Answer:
        """Run `argv` as root."""
        done = self.run(*argv, user="root", cwd="/", environ={"DEBIAN_FRONTEND": "noninteractive"})
        assert done.status == 0 or not check, done
        return done

    def installed(self, package: str) -> str:
        """Return the version of `package` that dpkg has installed, "" for none."""
        said = self.as_root("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package, check=False).out
        return said.removeprefix("installed ") if said.startswith("installed ") else ""

    def candidate(self, package: str) -> str:
        """Return the version of `package` that apt would install."""
        said = self.as_root("apt-cache", "policy", package).out
        return next((line.split()[1] for line in said.splitlines() if "Candidate:" in line), "")


def furnish(chroots: Path, suite: str) -> tuple[Path, ...]:
    """Return the layers of `suite`, the first one on top; make them where they are missing. May raise Unavailable."""
    base = build(chroots, suite)
    lock_file = Path(__file__).parents[2] / "bootstrap/runtime.lock"
    said = repr((INSTALLED, FETCHED, SUDOERS, PLACE)) + lock_file.read_text()
    key = hashlib.sha256(said.encode()).hexdigest()[:12]
    final = chroots / f"{base.name}-furnished-{key}"
    with open(chroots / f".lock-{suite}", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            scratch = chroots / f".furnishing-{suite}"
            if scratch.exists():
                remove(scratch)
            scratch.mkdir(mode=0o755)
            try:
                whole = _furnished(scratch, base, suite)
                (scratch / "whole").write_text(str(int(whole)))
                scratch.rename(final)
            except BaseException:
                remove(scratch)
                raise
        os.utime(final)
        for old in chroots.glob(f"{base.name}-furnished-*"):
            if old.stat().st_mtime < time.time() - _WEEK:
                remove(old)
    if (final / "whole").read_text() == "1":
        return (final / "root",)
    return final / "upper", base


def _furnished(scratch: Path, base: Path, suite: str) -> bool:
    """Make the layer below `scratch`; say whether it is a whole root file system."""
    made = Furnished(scratch, base, suite=suite)
    made.as_root("sh", "-c", "echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/tests")
    made.as_root("apt-get", "update")
    made.as_root("apt-get", "install", "--yes", "--no-install-recommends", *INSTALLED)
    made.as_root("apt-get", "install", "--yes", "--download-only", *FETCHED)
    made.as_root("sh", "-c", f"echo '{SUDOERS}' >/etc/sudoers.d/person && chmod 440 /etc/sudoers.d/person")
    made.as_root("useradd", "--create-home", "--uid", "1001", "guest")
    made.as_root("ln", "-s", f"{PLACE}/detente", "/usr/local/bin/detente")
    for user in ("person", "guest", "root"):  # each has what a first run makes
        first = made.detente("list", user=user)
        assert first.status == 0, first
    made.as_root("rm", "-r", PLACE)
    return not made.overlaid
