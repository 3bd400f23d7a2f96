"""What every part of the bench is given: where to work, how much to do, the tools, and where figures go."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.record import Record
from bench.timing import Call, Failed, Sample
from bench.tools import Tool

# The command of an application where it is not called as the application is; and the dependency that has it, if so.
COMMANDS = {"httpie": "http", "jupyterlab": "jupyter-lab"}
OWNERS = {"ansible": "ansible-core"}


class Amount(NamedTuple):
    """How much is done: rounds of each kind of trial (`slow`: of slow tools), and how many things there are."""

    applications: tuple[str, ...]
    several: tuple[str, ...]
    cold: int
    warm: int
    online: int
    slow: int
    starts: int
    many: int
    launches: int
    generations: int
    back: int
    collects: int
    looks: int
    again: int


SEVERAL = (
    *("ansible", "awscli", "black", "cookiecutter", "copier", "flake8", "glances", "httpie", "isort", "jupyterlab"),
    *("litecli", "mkdocs", "mypy", "nox", "poetry", "pre-commit", "pylint", "tox", "twine", "yt-dlp"),
)
WHOLE = Amount(
    applications=("httpie", "black", "ansible", "jupyterlab"),
    several=SEVERAL,
    cold=3,
    warm=7,
    online=3,
    slow=2,
    starts=30,
    many=50,
    launches=300,
    generations=100,
    back=9,
    collects=3,
    looks=7,
    again=5,
)
QUICK = Amount(
    applications=("httpie", "black"),
    several=("httpie", "black"),
    cold=1,
    warm=2,
    online=1,
    slow=1,
    starts=5,
    many=10,
    launches=40,
    generations=20,
    back=3,
    collects=1,
    looks=1,
    again=3,
)


@dataclass
class Lab:
    """`root` is an empty directory on a real file system. `lost` has what failed: who (subject, tool)."""

    root: Path
    amount: Amount
    tools: dict[str, Tool]
    record: Record
    lost: set[tuple[str, str]] = field(default_factory=set)

    def home(self, *names: str) -> Path:
        """Return a home for one tool and one kind of trial; it is made where missing."""
        path = self.root.joinpath("homes", *names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def turns(self, keys: list[str], rounds: int, *, slow: int | None = None) -> Iterator[Tool]:
        """Yield the tools in turn, `rounds` times, each round beginning with the next one; slow ones `slow` times."""
        for number in range(rounds):
            first = number % len(keys)
            for key in keys[first:] + keys[:first]:
                tool = self.tools[key]
                if not tool.slow or slow is None or number < slow:
                    yield tool

    def say(self, words: str) -> None:
        """Tell whoever waits how far it is."""
        print(f"  {words}", file=sys.stderr, flush=True)

    def lose(self, subject: str, tool: str, err: Failed) -> None:
        """Say that a trial failed, and remember of what and with which tool."""
        self.lost.add((subject, tool))
        self.say(f"failed: {subject} with {tool}\n{err}")

    def asked(self, tool: Tool, name: str) -> list[str]:
        """Return by which words `tool` is asked for application `name`: every tool for the same version."""
        owner = OWNERS.get(name)
        exposing = [word.format(owner) for word in tool.exposing] if owner else []
        return [*exposing, f"{name}=={self.record.applications[name]['version']}"]

    def note(self, work: str, subject: str, tool: str, sample: Sample) -> None:
        """Keep one sample."""
        self.record.note(work, subject, tool, sample)


def command(home: Path, name: str) -> Path:
    """Return the command of application `name` that was installed for the person whose home is `home`."""
    return home / ".local/bin" / COMMANDS.get(name, name)


def calling(tool: Tool, home: Path, name: str) -> Call:
    """Return the command line that runs application `name`, for its version."""
    return Call([str(command(home, name)), "--version"], tool.call(home).environ, home)
