"""`detente search`: names that contain a word in the distro, and likely spellings of it on the index."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from detente.cli.beside import Distro
from detente.cli.fitting import fit
from detente.cli.output import columns
from detente.errors import DetenteError, NotFound, UsageError
from detente.host.paths import user_paths
from detente.names import is_name, normalized
from detente.plan.comparison import age
from detente.store import generations

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence

    from detente.cli.options import Invocation, Parser
    from detente.cli.output import Output
    from detente.distro.base import Known, Offer
    from detente.host.paths import Paths
    from detente.scan.newest import Answer

_MOST = 20  # rows, without --all
_WORD = re.compile(r"[\w.+-]+\Z")
_NO_WORD = re.compile(r"[^\w.+-]+")
_LEAST = ((4, 16), (2, 10), (1, 18), (3, 24))  # columns that give way on a narrow terminal, and what they keep


class Hit(NamedTuple):
    """A system package that fits: the closest distribution in it, the names of all that fit, and its description."""

    offer: Offer
    names: tuple[str, ...]
    description: str


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument("words", nargs="+", metavar="WORD", help="a part of a name, of a command or of a description")
    parser.option("-a", "--all", action="store_true", help=f"every match in the distro, not the {_MOST} closest")
    parser.option("--offline", action="store_true", help="do not ask the index")
    parser.reading()
    parser.examples(
        ("detente search yaml", "names, commands and descriptions with it"),
        ("detente search http client", "with both words"),
        ("detente search --offline http", "in the distro only"),
    )


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Ask both, and print what they have."""
    words = " ".join(parsed.words).lower().split()
    wrong = next((word for word in words if not _WORD.match(word)), None)
    if wrong is not None or not words:
        near = " ".join(_NO_WORD.sub(" ", " ".join(words)).split())
        raise UsageError(f"`{wrong or ''}` cannot be part of a name", hint=f"detente search {near or 'WORD'}")
    paths = user_paths(invocation.environ)
    installed = generations.current(paths)[0].applications
    ours = {item.name: item.version for item in installed.values()}
    distro = Distro(invocation, paths)
    hits, more = _in_distro(words, distro, everything=parsed.all)
    answers, asked, problem = _on_index("-".join(words), invocation, paths, offline=parsed.offline)
    found = [answer for answer in answers.values() if answer.version]
    if not hits and not found:
        raise _nothing(" ".join(words), distro, _honest(asked, problem, offline=parsed.offline))
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    output = invocation.output
    output.data(
        {
            "word": " ".join(words),
            "distro": {"title": distro.title, "found": [_data(hit) for hit in hits], "more": more},
            "index": {
                "asked": asked,
                "found": [{"name": each.name, "version": each.version, "released": each.uploaded} for each in found],
                "problem": problem,
            },
        }
    )
    if output.json:
        return 0
    _show_distro(output, hits, more, distro.title)
    _show_index(output, found, ours, now, distro.title if hits else "")
    output.note(_honest(asked, problem, offline=parsed.offline))
    return 0


def _in_distro(words: Sequence[str], distro: Distro, *, everything: bool) -> tuple[list[Hit], int]:
    """Return what the distro has that has all of `words`, the closest first, and how many more there are."""
    if distro.release is None or distro.system is None:
        return [], 0
    from detente.scan import tables

    system, release = distro.system, distro.release
    rows: dict[str, Known] = {}
    for number, word in enumerate(words):
        fits = {row.name: row for row in tables.matching(release, normalized(word) if is_name(word) else word)}
        rows = {name: row for name, row in fits.items() if not number or name in rows}
    silent: dict[str, str] = {}
    described = distro.ask(lambda: system.descriptions(" ".join(words)), silent)
    if described:
        for row in tables.known(release, tables.names(release)).values():
            if row.package in described or row.application in described:
                rows.setdefault(row.name, row)
    packages: dict[str, list[str]] = {}
    for row in sorted(rows.values(), key=lambda row: (_distance(row, words), row.name)):
        packages.setdefault(row.application or row.package, []).append(row.name)
    shown = list(packages.values())[: None if everything else _MOST]
    offers = distro.offers(names[0] for names in shown)
    hits = []
    for names in shown:
        offer = offers.get(names[0])
        if offer is not None:
            text = described.get(offer.package) or described.get(offer.known.package, "")
            hits.append(Hit(offer, tuple(names), text))
    return hits, len(packages) - len(shown)


def _distance(row: Known, words: Sequence[str]) -> int:
    """Return how far `row` is from what was asked for: the name itself, a command, a beginning, a part, words of it."""
    word = "-".join(words)
    tests = (
        row.name == word,
        word in row.commands,
        row.name.removeprefix("python-").removeprefix("py") == word,
        row.name.startswith(word),
        any(command.startswith(word) for command in row.commands),
        word in row.name,
        any(word in command for command in row.commands),
        all(each in row.name for each in words),
    )
    return next((place for place, met in enumerate(tests) if met), len(tests))


def _on_index(
    word: str, invocation: Invocation, paths: Paths, *, offline: bool
) -> tuple[Mapping[str, Answer], list[str], str]:
    """Return the index's answers, the names that it was asked for, and what kept it from answering."""
    if not is_name(word):
        return {}, [], ""
    from detente.host import runtime
    from detente.scan.newest import Newest

    names = list(spellings(normalized(word)))
    try:
        engine = runtime.uv_path()
    except DetenteError as err:
        return {}, [], err.message
    index = Newest(paths, invocation.environ, offline=offline, clock=time.time, engine=engine)
    answers = index.ask(names)
    problem = index.trouble.message if index.trouble is not None else ""
    return answers, [name for name in names if name in answers], problem


def spellings(word: str) -> Iterable[str]:
    """Return the names to ask the index for, which cannot be searched: `word`, and what else it could be called."""
    stem = word.removeprefix("python-").removeprefix("py")
    stem = stem if len(stem) > 1 else word
    return dict.fromkeys((word, stem, f"python-{stem}", f"py{stem}", f"{stem}-cli", f"{stem}-py"))


def _data(hit: Hit) -> dict[str, Any]:
    from detente.cli.described import offer

    return {
        "name": hit.offer.known.name,
        "names": list(hit.names),
        "description": hit.description,
        **offer(hit.offer),
    }


def _show_distro(output: Output, hits: list[Hit], more: int, title: str) -> None:
    if not hits:
        return
    rows = []
    for hit in hits:
        offer = hit.offer
        mark = "*" if offer.installed is not None and offer.installed.state == "installed" else ""
        version = offer.installed.version if offer.installed is not None else ""
        version = version or (offer.candidate.candidate if offer.candidate is not None else "") or "not offered"
        more_names = f" and {len(hit.names) - 1} more" if hit.names[1:] else ""
        rows.append([mark, hit.names[0] + more_names, version, offer.package, hit.description])
    heads = ["", title.upper(), "VERSION", "SYSTEM PACKAGE", "WHAT IT IS"]
    kept = [place for place in range(5) if place in (1, 2, 3) or any(row[place] for row in rows)]
    table = [[row[place] for place in kept] for row in (heads, *rows)]
    shrink = [(kept.index(place), least) for place, least in _LEAST if place in kept]
    table = fit(table, columns(), shrink)
    output.table(table[0], table[1:])
    if any(row[0] for row in rows):
        output.text("* is installed")
    if more:
        output.text(f"and {more} more: --all shows them")


def _show_index(output: Output, found: list[Answer], ours: Mapping[str, str], now: str, before: str) -> None:
    if not found:
        return
    if before:
        output.text()
    rows = []
    for each in found:
        state = f"your application, {ours[each.name]}" if each.name in ours else ""
        rows.append((each.name, each.version, age(each.uploaded, now), state))
    if any(row[3] for row in rows):
        output.table(("INDEX", "VERSION", "AGE", ""), rows)
    else:
        output.table(("INDEX", "VERSION", "AGE"), [row[:3] for row in rows])


def _honest(asked: list[str], problem: str, *, offline: bool) -> str:
    names = ", ".join(asked)
    if offline:
        return "The index was not asked (--offline)" + (f"; it said so before of {names}." if names else ".")
    if problem:
        return f"The index was not asked for all: {problem}."
    return f"The index cannot be searched; it was asked for {names}." if asked else "The index was not asked."


def _nothing(words: str, distro: Distro, honest: str) -> NotFound:
    where = f"in {distro.title}" if distro.title else "here"
    return NotFound(
        f"nothing {where} has {words} in its name, commands or description, and the index has no such name",
        hint="try a shorter word, or the exact name: detente why NAME",
        context=(honest,),
    )
