"""How right the tables are: figures for docs/figures/tables.json, and what is wrong by name (see docs/names.md).

Each figure counts `right`, `wrong` (said something else) and `missing` (said nothing); precision is right of what was
said, recall right of all that there is.
"""

import itertools
import re
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tables_index
import tables_truth
from detente.distro import base
from detente.distro.base import SAME, Known
from detente.distro.contents import COMMAND
from detente.distro.versions import upstream_of
from detente.names import normalized
from detente.scan import tables
from tables_identity import is_placeholder, pep440
from tables_source import Suite

# Copies of other projects, test data, examples, and what is for another interpreter.
_COPY = re.compile(
    r"/(?:_?vendor\w*|_vendored_packages|tests?|testdata|doc|catalog|colcon_distutils_commands|pypy[^/]*)/"
)


def measure(releases: list[Any], cache: Path, size: int, seed: int) -> dict[str, Any]:
    """Return all figures; print what is wrong."""
    figures: dict[str, Any] = {"sample": {"packages": size, "seed": seed}}
    rows = {release.suite.name: _rows(release.suite) for release in releases}
    for release in releases:
        name = release.suite.name
        print(f"== {name}")
        unpacked = list(tables_truth.look(release, tables_truth.sample(release, size, seed), cache))
        owners = _programs(release)
        truths = [
            (truth.name, truth.version)
            for one in unpacked
            for truth in one.brings
            if truth.name in rows[name] and rows[name][truth.name].package == one.package
        ]
        plain = {row.name: row._replace(exception="") for row in rows[name].values()}
        figures[name] = {
            "table": _table(release.suite, rows[name]),
            "all: left out": _left_out(release, rows[name]),
            "sample: package": _packages(release, unpacked, rows[name], cache),
            "sample: package with the command": _applications(release, unpacked, rows[name], owners),
            "sample: version, recorded": _versions(rows[name], rows[name], truths, cache),
            "sample: version, by the rule alone": _versions(plain, rows[name], truths, cache),
            "sample: identity": _identities(unpacked, rows[name], cache),
            "all: guess python3-NAME": _guess(release, rows[name]),
        }
    for before, after in itertools.pairwise(releases):
        old, new = rows[before.suite.name], rows[after.suite.name]
        print(f"== table of {before.suite.name} on {after.suite.name}")
        figures[f"table of {before.suite.name} on {after.suite.name}"] = {
            "package": _count((_said(old.get(name), "package"), row.package, name) for name, row in new.items()),
            "version": _versions(old, new, _later(old, new, after), cache),
        }
    return figures


def _later(old: Mapping[str, Known], new: Mapping[str, Known], after: Any) -> list[tuple[str, str]]:
    """Return name and version of the metadata in the later release, where the system package is still the same."""
    return [
        (name, after.matched.versions[name])
        for name, row in new.items()
        if name in old and old[name].package == row.package and after.matched.versions[name]
    ]


def _rows(suite: Suite) -> dict[str, Known]:
    release = base.Release("debian", "", suite.name, "")
    return tables.known(release, tables.names(release))


def _said(row: Known | None, field: str) -> str:
    return getattr(row, field) if row is not None else ""


def _count(answers: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    """Count pairs of what was said ("" for nothing) and what is; versions are equal as PEP 440 has it.

    What Debian adds to a version in the metadata (`2.2.3+dfsg`) does not count.
    """
    right, wrong, missing = 0, [], []
    for said, real, name in answers:
        if not said:
            missing.append(name)
        elif said == real or _alike(said, real):
            right += 1
        else:
            wrong.append(f"{name}: {said}, really {real}")
    print(len(wrong), "wrong:", *sorted(wrong)[:60], sep="\n  ")
    print(len(missing), "missing:", " ".join(sorted(missing)[:60]))
    return {
        "right": right,
        "wrong": len(wrong),
        "missing": len(missing),
        "precision": round(right / max(1, right + len(wrong)), 4),
        "recall": round(right / max(1, right + len(wrong) + len(missing)), 4),
    }


def _alike(said: str, real: str) -> bool:
    one, other = pep440(said), pep440(real)
    return one is not None and other is not None and one == pep440(other.public)


def _table(suite: Suite, rows: Mapping[str, Known]) -> dict[str, Any]:
    release = base.Release("debian", "", suite.name, "")
    path = Path(tables.shipped(release))
    identities = sorted({row.identity for row in rows.values()})
    started = time.perf_counter()
    for name in rows:
        tables.known(release, [name])
    each = (time.perf_counter() - started) / len(rows)
    started = time.perf_counter()
    tables.known(release, rows)
    return {
        "names": len(rows),
        "packages": len({row.package for row in rows.values()}),
        "with commands": sum(1 for row in rows.values() if row.application),
        "commands in another package": sum(1 for row in rows.values() if row.application not in {"", row.package}),
        "identity": {identity: sum(1 for row in rows.values() if row.identity == identity) for identity in identities},
        "exceptions": sum(1 for row in rows.values() if row.exception),
        "bytes": path.stat().st_size,
        "lookup, ms": round(each * 1000, 3),
        "all names at once, ms": round((time.perf_counter() - started) * 1000, 1),
    }


def _left_out(release: Any, rows: Mapping[str, Known]) -> dict[str, Any]:
    """Return the names whose metadata lies somewhere, but not where the tables look; and those that nothing decides."""
    print("- left out")
    found: dict[str, str] = {}
    for path, packages in release.suite.metadata():
        last = re.sub(r"/(?:METADATA|PKG-INFO)$", "", path).rpartition("/")[2]
        name = normalized(re.split(r"-|\.(?:dist|egg)-info", last)[0])
        if name not in rows and not _COPY.search(path):
            found[name] = f"{path} {packages}"
    print(*found.values(), *release.matched.shared.items(), sep="\n  ")
    return {"names": len(found), "of them in several packages": len(release.matched.shared)}


def _packages(
    release: Any, unpacked: list[tables_truth.Unpacked], rows: Mapping[str, Known], cache: Path
) -> dict[str, Any]:
    """Judge name to package both ways: what the .debs bring, and what the table says of the .debs."""
    print("- package")
    brought = sorted({(truth.name, one.package) for one in unpacked for truth in one.brings if truth.public})
    # A name can be in two packages, of which the table has one: right, if that one has it.
    others = sorted({rows[name].package for name, package in brought if name in rows and rows[name].package != package})
    having = {one.package: {truth.name for truth in one.brings} for one in tables_truth.look(release, others, cache)}
    answers = []
    for name, package in brought:
        said = _said(rows.get(name), "package")
        answers.append((said, said if name in having.get(said, ()) else package, name))
    figure = _count(answers)
    looked = {one.package: {truth.name for truth in one.brings} for one in unpacked}
    claims = [row for row in rows.values() if row.package in looked]
    false = [f"{row.name}: not in {row.package}" for row in claims if row.name not in looked[row.package]]
    print(len(false), "false:", *false, sep="\n  ")
    elsewhere = {
        truth.name: truth.place
        for one in unpacked
        for truth in one.brings
        if not truth.public and truth.name not in rows
    }
    print("not where Python looks, and not in the table:", elsewhere)
    return {**figure, "claims": len(claims), "false claims": len(false), "private, not in the table": len(elsewhere)}


def _programs(release: Any) -> dict[str, set[str]]:
    """Return program to the packages that have it, from Contents: the table itself chose among them."""
    found: dict[str, set[str]] = {}
    for finding in release.findings:
        if finding.kind == COMMAND:
            found.setdefault(finding.name, set()).update(finding.packages)
    return found


def _applications(
    release: Any, unpacked: list[tables_truth.Unpacked], rows: Mapping[str, Known], owners: Mapping[str, set[str]]
) -> dict[str, Any]:
    """Judge the package with the command: it is the one of the same source that has a program of the entry points."""
    print("- package with the command")
    answers, listed = [], []
    for one in unpacked:
        family = release.packages[one.package].source
        for truth in one.brings:
            row = rows.get(truth.name)
            if row is None or row.package != one.package:
                continue
            having = {
                package
                for script in truth.scripts
                for package in owners.get(script, ())
                if package in release.packages and release.packages[package].source == family
            }
            if truth.scripts and having:
                real = row.application if row.application in having else min(having)
                answers.append((row.application, real, truth.name))
                if row.application in having:
                    there = {script for script in truth.scripts if row.application in owners.get(script, ())}
                    listed.append(there <= set(row.commands))
    return {**_count(answers), "all entry points listed": sum(listed), "of": len(listed)}


def _versions(
    rows: Mapping[str, Known], there: Mapping[str, Known], truths: Iterable[tuple[str, str]], cache: Path
) -> dict[str, Any]:
    """Judge what `rows` say of the system packages of `there` against the metadata's own names and versions.

    The metadata can be wrong itself: a placeholder, or a version that the index never had while it has the one that
    the rule says. These are counted apart.
    """
    print("- version")
    answers, contradicted, placeholders = [], [], 0
    pairs = sorted(set(truths))
    index = tables_index.ask(sorted({name for name, _ in pairs}), cache)
    for name, real in pairs:
        said = upstream_of(rows[name], there[name].recorded)
        published = {pep440(text) for text in index[name].get("versions", ())}
        if is_placeholder(pep440(real)):
            placeholders += 1
        elif said and not _alike(said, real) and pep440(said) in published and pep440(real) not in published:
            contradicted.append(f"{name}: {said}, metadata {real}")
        else:
            answers.append((said, real, name))
    print(len(contradicted), "contradicted:", *contradicted, sep="\n  ")
    return {**_count(answers), "metadata contradicted by the index": len(contradicted), "placeholders": placeholders}


def _identities(unpacked: list[tables_truth.Unpacked], rows: Mapping[str, Known], cache: Path) -> dict[str, Any]:
    """Judge `same`: a file is the same in the index's archive, byte for byte, or the metadata has the index's words."""
    print("- identity")
    counts = {"same": 0, "proved by bytes": 0, "proved by words": 0, "unconfirmed": 0}
    open_questions = []
    index = tables_index.ask(sorted({truth.name for one in unpacked for truth in one.brings}), cache)
    judged = [
        (one, truth)
        for one in unpacked
        for truth in one.brings
        if (row := rows.get(truth.name)) is not None and row.package == one.package and row.identity == SAME
    ]
    with ThreadPoolExecutor(8) as crew:
        theirs = crew.map(lambda pair: _digests(pair[1], index[pair[1].name], cache), judged)
        for (one, truth), digests in zip(judged, theirs, strict=True):
            proof = "bytes" if one.digests & digests else "words" if _words(truth, index[truth.name]) else ""
            counts["same"] += 1
            counts[f"proved by {proof}" if proof else "unconfirmed"] += 1
            if not proof:
                open_questions.append(f"{truth.name} {truth.version}: {truth.summary}")
    print("unconfirmed:", *open_questions, sep="\n  ")
    return counts


def _digests(truth: tables_truth.Truth, answer: Mapping[str, Any], cache: Path) -> frozenset[bytes]:
    """Return the digests of the files in the index's archive of just the version that the metadata names."""
    wanted = pep440(truth.version)
    version = next((text for text in answer["versions"] if wanted is not None and pep440(text) == wanted), "")
    file = answer["versions"].get(version)
    return tables_index.digests(file[0], cache) if file else frozenset()


def _words(truth: tables_truth.Truth, answer: Mapping[str, Any]) -> bool:
    told = {answer.get("home_page") or "", *(answer.get("project_urls") or {}).values()}
    author = answer.get("author_email") or answer.get("author") or ""
    return bool(
        (truth.summary and truth.summary == (answer.get("summary") or "").strip())
        or truth.addresses & {address.rstrip("/") for address in told if address}
        or (truth.author and truth.author == author)
    )


def _guess(release: Any, rows: Mapping[str, Known]) -> dict[str, Any]:
    print("- guess")
    return _count(
        (guess if (guess := f"python3-{name}") in release.packages else "", row.package, name)
        for name, row in rows.items()
    )
