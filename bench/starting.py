"""How fast each tool answers: help, version, a typo, and what is installed where there is much of it."""

from collections.abc import Iterator
from pathlib import Path

from bench.lab import Lab
from bench.record import OURS
from bench.timing import Call, Failed, timed
from bench.tools import PYTHON, Tool
from support.wheels import make_wheel

_USAGE = 2  # the status by which each of the tools refuses a word that it does not know
CHANGING = "swing"  # the application that has two versions


def names(lab: Lab) -> list[str]:
    """Return the names of the small applications."""
    return [f"tiny{number:02}" for number in range(lab.amount.many)]


def wheels(lab: Lab) -> Path:
    """Return a directory with the wheels of the small applications, made where missing."""
    folder = lab.root / "wheels"
    if not folder.exists():
        for name in names(lab):
            make_wheel(folder, name, "1.0", commands=[name])
        for version in ("1.0", "2.0"):
            make_wheel(folder, CHANGING, version, commands=[CHANGING])
    return folder


def fill(lab: Lab) -> None:
    """Install the small applications by each tool, in its home `many`."""
    for tool in _tools(lab):
        lab.say(f"{lab.amount.many} small applications: {tool.key}")
        home = lab.home("many", tool.key)
        each = [[name] for name in names(lab)] if tool.words else [names(lab)]  # `uv tool install` takes one
        try:
            for some in each:
                timed(tool.install(home, *some, links=wheels(lab)))
        except Failed as err:
            lab.lose("many", tool.key, err)


def starts(lab: Lab) -> None:
    """Time the answers, in turn."""
    lab.say("starting")
    for _ in range(lab.amount.starts):
        for tool in _tools(lab):
            home = lab.home("many", tool.key)
            if ("many", tool.key) in lab.lost:
                continue
            try:
                for work, call, expected in _questions(lab, tool, home):
                    lab.note(work, "", tool.key, timed(call, expected=expected))
            except Failed as err:
                lab.lose("many", tool.key, err)
        home = lab.home("many", OURS)
        bare = Call([PYTHON, "-I", "-S", "-c", "pass"], lab.tools[OURS].call(home).environ, home)
        lab.note("bare", "", "python", timed(bare))


def launches(lab: Lab) -> None:
    """Time one command through its launcher, and as the plain script in its environment, in turn."""
    lab.say("launcher")
    tool, name = lab.tools[OURS], names(lab)[0]
    home = lab.home("many", OURS)
    (script,) = (home / tool.environments).glob(f"{name}-*/bin/{name}")
    told = tool.call(home).environ
    for _ in range(lab.amount.launches):
        for key, path in (("script", script), (OURS, home / ".local/bin" / name)):
            lab.note("launch", "", key, timed(Call([str(path), "--version"], told, home)))


def _questions(lab: Lab, tool: Tool, home: Path) -> Iterator[tuple[str, Call, int]]:
    """Yield what is asked: the work's name, the command line, the status it must end with."""
    yield "help", tool.call(home, "--help"), 0
    yield "version", Call([tool.program, "--version"], tool.call(home).environ, home), 0
    yield "typo", tool.call(home, "instal", "httpie"), _USAGE
    yield "list", tool.call(home, "list"), 0
    if tool.key == OURS:
        yield "show", tool.call(home, "show", names(lab)[-1]), 0
        yield "history", tool.call(home, "history"), 0


def _tools(lab: Lab) -> list[Tool]:
    """Return the tools without those that differ only in how they install."""
    return [lab.tools[key] for key in (OURS, "uv", "pipx-uv") if key in lab.tools]
