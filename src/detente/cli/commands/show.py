"""`detente show`: everything about one application."""

import argparse
import os

from detente.cli.options import Invocation, Parser
from detente.cli.output import size
from detente.errors import NotFound
from detente.host.paths import user_paths
from detente.names import key_of
from detente.store import environments, generations
from detente.store.wheels import read_entry


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="an application")
    parser.reading()
    parser.examples(("detente show httpie", "version, request, commands, dependencies, place"))


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Print it."""
    paths = user_paths(invocation.environ)
    applications = generations.current(paths)[0].applications
    found = []
    for name in parsed.names:
        key = key_of(name, frozenset(applications))
        if key not in applications:  # perhaps one of its commands
            key = next((item.key for item in applications.values() if name in item.commands), key)
        if key not in applications:
            raise NotFound(f"no application is called {name}", hint="detente list shows what is installed")
        found.append(applications[key])
    answers = []
    for item in found:
        place = os.path.join(paths.environments, item.environment)
        entries = [
            read_entry(os.path.join(paths.store, name)) for name in environments.entries_of(paths, item.environment)
        ]
        answers.append(
            {
                "name": item.key,
                "distribution": item.name,
                "version": item.version,
                "requirement": item.wish.requirement,
                "with": list(item.wish.added),
                "prerelease": item.wish.prerelease,
                "editable": item.wish.editable,
                "python": item.python,
                "interpreter": item.interpreter,
                "environment": place,
                "commands": list(item.commands),
                "files": sorted(item.files),
                "dependencies": {entry.name: entry.version for entry in entries if entry.name != item.name},
                "size": sum(entry.size for entry in entries),
                "generation": item.since,
            }
        )
    invocation.output.data(answers if len(answers) > 1 else answers[0])
    for number, answer in enumerate(answers):
        if number:
            invocation.output.text()
        for label, value in _lines(answer):
            invocation.output.text(f"{label + ':':<14}{value}")
    return 0


def _lines(answer: dict[str, object]) -> list[tuple[str, str]]:
    dependencies: dict[str, str] = answer["dependencies"]  # type: ignore[assignment]
    added: list[str] = answer["with"]  # type: ignore[assignment]
    commands: list[str] = answer["commands"]  # type: ignore[assignment]
    files: list[str] = answer["files"]  # type: ignore[assignment]
    lines = [
        ("Name", str(answer["name"])),
        ("Version", str(answer["version"])),
        ("Asked for as", ("-e " if answer["editable"] else "") + str(answer["requirement"])),
        ("With", ", ".join(added)),
        ("Python", f"{answer['python']} ({answer['interpreter']})"),
        ("Commands", ", ".join(commands)),
        ("Also exposed", ", ".join(files)),
        ("Dependencies", ", ".join(f"{name} {version}" for name, version in sorted(dependencies.items()))),
        ("Size", size(float(str(answer["size"])))),
        ("Environment", str(answer["environment"])),
        ("Since", f"generation {answer['generation']}"),
    ]
    return [(label, value) for label, value in lines if value]
