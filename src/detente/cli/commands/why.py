"""`detente why`: which candidates there are, what is or would be chosen and why, who owns it, what it hides."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING, Any

from detente.cli import comparing, described, reasons
from detente.cli.beside import Distro
from detente.errors import DetenteError, NotFound, UsageError
from detente.host import runtime
from detente.host.paths import user_paths
from detente.scan import subject as meaning
from detente.scan.newest import Newest
from detente.scan.reach import Owners
from detente.store import generations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detente.cli.options import Invocation, Parser
    from detente.host.paths import Paths
    from detente.model import Generation
    from detente.scan.newest import Answer
    from detente.scan.subject import Subject


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument("word", metavar="NAME|COMMAND|FILE|MODULE", help="what you wonder about")
    parser.add_argument("more", nargs="*", help=argparse.SUPPRESS)
    parser.option("--offline", action="store_true", help="do not ask the index")
    parser.reading()
    parser.examples(
        ("detente why httpie", "what the index and the distro have of it, and what install would choose"),
        ("detente why http", "which `http` runs, whose it is, and what it hides"),
        ("detente why /usr/bin/http", "who owns a file"),
        ("detente why yaml", "which system package brings a module, and what is imported instead of it"),
    )


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Look, and say what was seen."""
    word = parsed.word
    if parsed.more:
        raise UsageError("why takes one name", hint=f"detente why {word}; then detente why {parsed.more[0]}")
    if not word.strip():
        raise UsageError("there is nothing to look for", hint="name it: detente why httpie")
    paths = user_paths(invocation.environ)
    generation = generations.current(paths)[0]
    distro = Distro(invocation, paths)
    subject = _look(word, invocation, paths, generation, distro)
    answers, unasked, problem = _ask_index(subject, parsed, invocation, paths)
    newest = answers.get(subject.name)
    if not subject.known and newest is not None and not newest.version and not newest.problem:
        raise _unknown(word, distro)
    if not subject.known and newest is None and not problem and not unasked:
        raise _unknown(word, distro)
    now = time.time()
    view = reasons.View(
        subject, distro.title, reasons.has_table(distro), answers, unasked, problem, now, paths.home, paths.bin,
        reasons.route_of(subject, distro, invocation),
    )  # fmt: skip
    invocation.output.data(_data(view, distro))
    if not invocation.output.json:
        reasons.show(invocation.output, view)
    return 0


def _look(word: str, invocation: Invocation, paths: Paths, generation: Generation, distro: Distro) -> Subject:
    """Return what `word` is; where the distro's records are broken, without them."""

    def look() -> Subject:
        owners = Owners(paths, invocation.environ, generation, distro.system)
        if meaning.is_path(word):
            return meaning.of_path(word, invocation.environ, owners)
        return meaning.Look(paths, invocation.environ, generation, distro.system, owners).of(word)

    return distro.ask(look, None) or look()


def _ask_index(
    subject: Subject, parsed: argparse.Namespace, invocation: Invocation, paths: Paths
) -> tuple[Mapping[str, Answer], str, DetenteError | None]:
    """Return the index's answers, why it was not asked, and what went wrong when it was."""
    wish = subject.application.wish if subject.application is not None else None
    if wish is not None and comparing.given(subject):
        return {}, f"it came from {wish.requirement}", None
    questions = comparing.questions(subject)
    if not questions:
        return {}, "", None
    try:
        engine = runtime.uv_path()
    except DetenteError as err:
        return {}, "", err
    newest = Newest(paths, invocation.environ, offline=parsed.offline, clock=time.time, engine=engine, wish=wish)
    answers = newest.ask(questions)
    unasked = "--offline was given" if parsed.offline and subject.name not in answers else ""
    return answers, unasked, newest.trouble


def _unknown(word: str, distro: Distro) -> NotFound:
    where = f"{distro.title} and the index" if distro.title else "the index"
    return NotFound(
        f"nothing here is called {word}, and {where} {'have' if distro.title else 'has'} no such name",
        hint=f"similar names: detente search {word}",
    )


def _data(view: reasons.View, distro: Distro) -> dict[str, Any]:
    subject = view.subject
    newest = view.answers.get(subject.name)
    package = subject.offer.installed if subject.offer is not None else subject.package
    return {
        "asked": subject.word,
        "name": subject.name,
        "application": described.application(subject.application) if subject.application else None,
        "system_package": described.system_package(package) if package is not None else None,
        "offer": described.offer(subject.offer) if subject.offer else None,
        "other_tools": [described.other(item) for item in subject.others],
        "commands": {name: described.files(files) for name, files in subject.commands.items()},
        "module": {
            "files": described.files(list(subject.modules)),
            "standard": subject.standard,
            "packages": list(subject.module_packages),
        },
        "path": described.files([subject.path])[0] | {"real": os.path.realpath(subject.path.path)}
        if subject.path
        else None,
        "candidates": comparing.as_data(comparing.sides(subject, view.answers, view.title), view.today),
        "distro": {"title": view.title, "table": view.table, "problem": distro.trouble},
        "index": {
            "asked": bool(view.answers),
            "version": newest.version if newest else "",
            "problem": (newest.problem if newest else "") or (view.problem.message if view.problem else view.unasked),
            "age_of_answer": round(max(view.now - newest.learned, 0)) if newest else None,
        },
        "chosen": comparing.chosen(view.route) if view.route else None,
    }
