"""The figures of the tables of names as Markdown: written into docs/names.md between two marks."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs/names.md"
_MARKED = re.compile(r"(<!-- figures -->\n).*(<!-- /figures -->\n)", re.DOTALL)


def write(figures: Mapping[str, Any]) -> None:
    """Write `figures` into the page."""
    text = PAGE.read_text("utf-8")
    page = _MARKED.sub(lambda marks: marks[1] + "\n" + "\n".join(_lines(figures)) + "\n\n" + marks[2], text)
    PAGE.write_text(page, encoding="utf-8")


def _lines(figures: Mapping[str, Any]) -> list[str]:
    releases = [name for name, found in figures.items() if "table" in found]
    size, seed = figures["sample"]["packages"], figures["sample"]["seed"]
    rows = [
        f"A sample is of {size} system packages of each release (seed {seed}).",
        "",
        f"| | {' | '.join(releases)} |",
        f"|---|{'---|' * len(releases)}",
    ]

    def row(label: str, of: Any) -> None:
        rows.append(f"| {label} | {' | '.join(of(figures[name]) for name in releases)} |")

    row("names, in system packages", lambda one: f"{one['table']['names']}, {one['table']['packages']}")
    row("left out: metadata of several builds in private places", lambda one: str(one["all: left out"]["names"]))
    row(
        "left out: several packages, and nothing decides",
        lambda one: str(one["all: left out"]["of them in several packages"]),
    )
    row("names with commands", lambda one: str(one["table"]["with commands"]))
    row("of them in another package than the metadata", lambda one: str(one["table"]["commands in another package"]))
    for identity in ("same", "unproved", "absent", "other"):
        row(f"identity: {identity}", lambda one, identity=identity: str(one["table"]["identity"].get(identity, 0)))
    row("exceptions to the rule of versions", lambda one: str(one["table"]["exceptions"]))
    row("size of the table", lambda one: f"{one['table']['bytes'] // 1000} kB")
    row("a lookup", lambda one: f"{one['table']['lookup, ms']:.2f} ms")
    row("sample: **name to package**", lambda one: _judged(one["sample: package"]))
    row("rows of the table that the .deb denies", lambda one: _denied(one["sample: package"]))
    row("sample: **package with the command**", lambda one: _judged(one["sample: package with the command"]))
    row("of them with every entry point listed", lambda one: _listed(one["sample: package with the command"]))
    row("sample: **version**", lambda one: _judged(one["sample: version, recorded"]))
    row("the same by the rule alone", lambda one: _judged(one["sample: version, by the rule alone"]))
    row(
        "metadata that is a placeholder, or contradicted by the index",
        lambda one: _apart(one["sample: version, recorded"]),
    )
    row("sample: **identity `same`**", lambda one: _proved(one["sample: identity"]))
    row("for comparison, all names: a guess of `python3-NAME`", lambda one: _judged(one["all: guess python3-NAME"]))
    for title, found in figures.items():
        if title.startswith("table of "):
            rows += [
                "",
                f"The {title} (a table that is a release too old), all names: package {_judged(found['package'])};",
            ]
            rows += [f"version {_judged(found['version'])}."]
    return rows


def _judged(found: Mapping[str, Any]) -> str:
    counts = f"{found['right']} right, {found['wrong']} wrong, {found['missing']} not said"
    return f"{counts}: precision {found['precision']:.2%}, recall {found['recall']:.2%}"


def _denied(found: Mapping[str, Any]) -> str:
    return f"{found['false claims']} of {found['claims']}"


def _listed(found: Mapping[str, Any]) -> str:
    return f"{found['all entry points listed']} of {found['of']}"


def _apart(found: Mapping[str, Any]) -> str:
    return f"{found['placeholders']}, {found['metadata contradicted by the index']}"


def _proved(found: Mapping[str, Any]) -> str:
    return (
        f"{found['same']}: {found['proved by bytes']} proved by bytes, {found['proved by words']} by words,"
        f" {found['unconfirmed']} by neither"
    )
