"""`detente list`: what is installed."""

import argparse

from detente.cli.options import Invocation, Parser
from detente.host.paths import user_paths
from detente.store import generations


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.reading()
    parser.examples(("detente list", "names, versions, Pythons, commands"), ("detente list --json", "for programs"))


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Print it."""
    paths = user_paths(invocation.environ)
    generation, _ = generations.current(paths)
    items = list(generation.applications.values())
    invocation.output.data(
        [
            {
                "name": item.key,
                "distribution": item.name,
                "version": item.version,
                "python": item.python,
                "requirement": item.wish.requirement,
                "with": list(item.wish.added),
                "editable": item.wish.editable,
                "commands": list(item.commands),
            }
            for item in items
        ]
    )
    if not items:
        invocation.output.text("no application is installed: detente install NAME")
        return 0
    rows = []
    for item in items:
        asked = item.wish.requirement if item.wish.requirement != item.name else ""
        if item.wish.editable:
            asked = f"-e {asked}"
        asked += "".join(f" --with {text}" for text in item.wish.added)
        commands = list(item.commands)
        shown = ", ".join(commands[:5]) + (f" and {len(commands) - 5} more" if len(commands) > 5 else "")
        rows.append((item.key, item.version, item.python, shown, asked.strip()))
    invocation.output.table(("NAME", "VERSION", "PYTHON", "COMMANDS", "ASKED FOR AS"), rows)
    return 0
