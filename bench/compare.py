#!/usr/bin/env python3
"""Time detente beside uv and pipx: the same work, in turn, in one run, as ratios.

    bench/compare.py                        httpie and black, five rounds
    bench/compare.py ansible jupyterlab     other applications
    bench/compare.py --rounds 9 --json FILE

Everything happens in a temporary home. The first round of each is the cold one (network included) and is reported
apart; the warm ones need no network. Read the ratios: a shared machine makes milliseconds noisy. uv is taken from
PATH or DETENTE_UV; pipx is left out where it is missing.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
COMMANDS = {"httpie": "http", "jupyterlab": "jupyter-lab", "ansible": "ansible-community", "awscli": "aws"}
Times = dict[str, list[float]]


class Contest:
    """One application, installed and removed by each tool in a home of its own."""

    def __init__(self, root: Path, name: str, uv: str) -> None:
        self.name = name
        self.root = root
        self.root.mkdir(parents=True)
        self.environ = {**os.environ, "HOME": str(root), "DETENTE_UV": uv, "NO_COLOR": "1", "UV_NO_PROGRESS": "1"}
        for variable in ("XDG_DATA_HOME", "XDG_BIN_HOME", "XDG_STATE_HOME", "UV_CACHE_DIR", "VIRTUAL_ENV"):
            self.environ.pop(variable, None)
        self.environ["XDG_CACHE_HOME"] = str(root / ".cache")
        self.uv = [uv, "tool"]
        self.detente = [str(CHECKOUT / "detente")]
        self.pipx = shutil.which("pipx")

    def run(self, *argv: str, **more: str) -> float:
        """Run a command to its end and return the seconds it took; its failure ends the bench."""
        started = time.perf_counter()
        done = subprocess.run(argv, env={**self.environ, **more}, capture_output=True, text=True, cwd=self.root)
        took = time.perf_counter() - started
        if done.returncode != 0:
            sys.exit(f"{' '.join(argv)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return took

    def install(self, tool: str, *, offline: bool) -> float:
        """Install by `tool`; each puts commands in a directory of its own."""
        if tool == "detente":
            return self.run(*self.detente, "install", self.name, "-q", *(["--offline"] if offline else []))
        python = ("--python", "/usr/bin/python3")
        if tool == "pipx":
            return self.run(str(self.pipx), "install", self.name, *python, PIPX_BIN_DIR=str(self.root / "pipx-bin"))
        words = ["--compile-bytecode"] if tool == "uv-compiled" else []
        words += ["--offline"] if offline else []
        return self.run(*self.uv, "install", "--quiet", *python, *words, self.name, UV_TOOL_BIN_DIR=str(self.bin("uv")))

    def remove(self, tool: str) -> float:
        """Remove by `tool`."""
        if tool == "detente":
            return self.run(*self.detente, "remove", self.name, "-q")
        if tool == "pipx":
            return self.run(str(self.pipx), "uninstall", self.name, PIPX_BIN_DIR=str(self.bin("pipx")))
        return self.run(*self.uv, "uninstall", "--quiet", self.name, UV_TOOL_BIN_DIR=str(self.bin("uv")))

    def bin(self, tool: str) -> Path:
        """Return where `tool` puts commands."""
        return self.root / (".local/bin" if tool == "detente" else f"{tool.removesuffix('-compiled')}-bin")

    def first_run(self, tool: str) -> float:
        """Run the application's command once; return the seconds."""
        return self.run(str(self.bin(tool) / COMMANDS.get(self.name, self.name)), "--version")


def measured(contest: Contest, tools: list[str], rounds: int) -> dict[str, Times]:
    """Return seconds by what was done and by which tool; the tools take turns."""
    found: dict[str, Times] = {}

    def note(what: str, tool: str, work: Callable[[], float]) -> None:
        found.setdefault(what, {}).setdefault(tool, []).append(work())

    contest.run(*contest.detente, "--version")  # makes the run-time environment, once
    for tool in tools:
        note("cold install", tool, lambda tool=tool: contest.install(tool, offline=False))  # type: ignore[misc]
        contest.remove(tool)
    for _ in range(rounds):
        for tool in tools:
            note("warm install", tool, lambda tool=tool: contest.install(tool, offline=True))  # type: ignore[misc]
            note("first run", tool, lambda tool=tool: contest.first_run(tool))  # type: ignore[misc]
            note("later run", tool, lambda tool=tool: contest.first_run(tool))  # type: ignore[misc]
            if tool == "detente":
                note("install again", tool, lambda: contest.install("detente", offline=False))
            note("remove", tool, lambda tool=tool: contest.remove(tool))  # type: ignore[misc]
    for _ in range(rounds):
        note("list", "detente", lambda: contest.run(*contest.detente, "list"))
        note("list", "uv", lambda: contest.run(*contest.uv, "list"))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", default=["httpie", "black"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write every figure, in seconds")
    parsed = parser.parse_args()
    uv = os.environ.get("DETENTE_UV") or shutil.which("uv")
    if uv is None:
        sys.exit("error: uv is not on PATH; install it, or let DETENTE_UV name it")
    everything = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for name in parsed.names:
            contest = Contest(Path(folder) / name, name, uv)
            tools = ["detente", "uv", "uv-compiled", *(["pipx"] if contest.pipx else [])]
            everything[name] = measured(contest, tools, parsed.rounds)
            print(f"\n{name}: median ms, and detente's ratio to each (median of {parsed.rounds})")
            for what, times in everything[name].items():
                own = statistics.median(times["detente"])
                cells = [f"detente {own * 1000:7.0f}"]
                for tool, values in times.items():
                    if tool != "detente":
                        middle = statistics.median(values)
                        cells.append(f"{tool} {middle * 1000:7.0f} ({own / middle:.2f})")
                print(f"  {what:<14} {'   '.join(cells)}")
        subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    if parsed.json:
        Path(parsed.json).write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
