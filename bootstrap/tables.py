"""Make the tables of names: `tables.py make bookworm trixie`, and judge them: `tables.py measure bookworm trixie`.

Run it with the Python of ./check's environment. It asks the mirror of Debian that apt uses here (or --mirror URL) and
the index that pip uses here; what they said is kept in ~/.cache/detente-tables. docs/names.md has the method.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

import tables_measure
import tables_page
import tables_source
from detente.distro import table
from detente.distro.base import SAME, Known
from detente.distro.contents import Finding
from detente.distro.matching import Matched, Package, match
from detente.distro.versions import NOBODY_KNOWS, upstream
from tables_identity import Judgement, Shipped, is_placeholder, judge, pep440
from tables_source import Suite

DATA = HERE.parent / "src/detente/distro/data"
FIGURES = HERE.parent / "docs/figures/tables.json"
CACHE = Path.home() / ".cache/detente-tables"


class Release(NamedTuple):
    """What one suite has: its packages, what its Contents say, and the table that follows from both."""

    suite: Suite
    packages: dict[str, Package]
    findings: list[Finding]
    matched: Matched


def gather(suite: Suite) -> Release:
    """Fetch and match one suite."""
    packages = suite.packages()
    findings = list(dict.fromkeys(suite.findings()))
    return Release(suite, packages, findings, match(findings, packages))


def shipped(release: Release) -> list[Shipped]:
    """Return what identity is judged by, for each row."""
    return [
        Shipped(
            row.name,
            row.package,
            row.recorded,
            release.matched.versions[row.name],
            release.packages[row.package].homepage,
            release.suite,
        )
        for row in release.matched.rows
    ]


def exception(row: Known, metadata: str, alone: bool, on_index: Iterable[str]) -> str:
    """Return what the table says where the rule would not be right: the metadata's version, "?" where nobody can tell.

    Where both tell and differ, one of them is wrong (a build that did not find its version writes 0.0.0): the one that
    the index has (`on_index`) is believed, if it has only one. A package with several distributions can name the
    version of one at most, so all are written down. What Debian adds to a version in the metadata (`2.2.3+dfsg`) is
    not upstream's, and no difference.
    """
    ruled, real = pep440(upstream(row.recorded)), pep440(metadata)
    real = None if is_placeholder(real) else pep440(real.public)
    if real is None or (alone and ruled is not None and ruled != real):
        published = {pep440(version) for version in on_index}
        if alone and ruled in published and real not in published:
            return ""
        return str(real) if real in published and ruled not in published else NOBODY_KNOWS
    return "" if alone and ruled == real else str(real)


def finished(release: Release, judged: dict[str, Judgement]) -> list[Known]:
    """Return the rows with identity and exceptions."""
    brings = Counter(row.package for row in release.matched.rows)
    rows = []
    for row in release.matched.rows:
        found = judged[row.name]
        metadata, alone = release.matched.versions[row.name], brings[row.package] == 1
        said = exception(row, metadata, alone, found.versions if found.identity == SAME else ())
        rows.append(row._replace(identity=found.identity, exception=said))
    return rows


def make(releases: list[Release]) -> None:
    """Write the table of each release."""
    judged = judge([one for release in releases for one in shipped(release)], CACHE)
    DATA.mkdir(exist_ok=True)
    for release in releases:
        rows = finished(release, judged)
        title = f"Debian {release.suite.name}, {release.suite.date()}; made by bootstrap/tables.py, see docs/names.md"
        text = "\n".join(table.lines(rows, release.matched.modules, title)) + "\n"
        (DATA / f"{release.suite.name}.txt").write_text(text, encoding="utf-8")
        identities = Counter(row.identity for row in rows)
        print(release.suite.name, len(rows), "names", dict(identities), len(text), "bytes", release.matched.shared)
    decided = {name: judgement._asdict() for name, judgement in sorted(judged.items())}
    (CACHE / "judged.json").write_text(json.dumps(decided, indent=1), encoding="utf-8")


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("make", "measure", "page"))
    parser.add_argument("suites", nargs="*", metavar="SUITE")
    parser.add_argument("--mirror", help="the mirror of Debian, for example http://deb.example/debian")
    parser.add_argument("--sample", type=int, default=400, help="system packages to unpack for each suite")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if asked.what == "page":
        tables_page.write(json.loads(FIGURES.read_text("utf-8")))
        return 0
    address = asked.mirror or tables_source.mirror()
    releases = [gather(Suite(name, address, CACHE)) for name in asked.suites]
    if asked.what == "make":
        make(releases)
    else:
        figures: dict[str, Any] = tables_measure.measure(releases, CACHE, asked.sample, asked.seed)
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        tables_page.write(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
