"""A table for a release that none comes with: made from apt's own Contents lists, where apt-file(1) has fetched them.

It knows less than a shipped one: whether the index means the same project is taken from the shipped tables, for the
names that have the same system package there; all else is unproved.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from detente.distro import contents, matching, table
from detente.distro.versions import NOBODY_KNOWS
from detente.host import fs, proc
from detente.model import Command
from detente.names import fingerprint
from detente.scan import remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from detente.distro.base import Known, Release

_HELPER = "/usr/lib/apt/apt-helper"
_FAILED = "!failed"
# Whatever apt compressed the lists with, it unpacks; then a filter in C, because there are millions of lines.
_READ = f'wanted=$1; shift; {{ "$0" cat-file "$@" || printf "\n{_FAILED}\n"; }} | LC_ALL=C grep -aE "$wanted"'
_WANTED = f"^{_FAILED}|-info|/dist-packages/|^(usr/)?s?bin/|^usr/games/"


def built(release: Release, elsewhere: Callable[[], list[Known]]) -> str:
    """Return the path of the table made from the lists of `release`, "" where there are none or it cannot be made.

    Made again when the lists have changed; that takes seconds, once. `elsewhere` returns the rows of other
    releases.
    """
    lists = _lists(release)
    if not lists or not release.cache:
        return ""
    stamp = fingerprint(json.dumps(remembered.stamp(lists)), 20)
    path = os.path.join(release.cache, f"names-{release.codename}-{stamp}.txt")
    if not os.path.exists(path):
        rows, modules = _rows(lists, {(row.name, row.package): row for row in elsewhere()})
        if not rows:
            return ""
        text = "\n".join(table.lines(rows, modules, f"made from apt's lists of {release.title}")) + "\n"
        try:
            _sweep(release)
            fs.make_directory(release.cache)
            fs.replace_file(path, text.encode("utf-8", "surrogateescape"))
        except OSError:
            return ""  # no room for it is no reason to fail
    return path


def _lists(release: Release) -> list[str]:
    """Return the Contents lists that apt has of the release: `…_dists_noble-updates_main_Contents-amd64.lz4`."""
    folder = f"{release.root}/var/lib/apt/lists"
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    mark = f"_dists_{release.codename}"
    found = [name for name in names if "_Contents-" in name and "udeb" not in name and ".diff" not in name]
    return [os.path.join(folder, name) for name in found if release.codename and _follows(name, mark)]


def _follows(name: str, mark: str) -> bool:
    _, found, rest = name.partition(mark)
    return bool(found) and rest[:1] in {"_", "-"}


def _sweep(release: Release) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(release.cache):
            if name.startswith(f"names-{release.codename}-"):
                os.unlink(os.path.join(release.cache, name))


def _rows(
    lists: list[str], elsewhere: Mapping[tuple[str, str], Known]
) -> tuple[list[Known], Mapping[str, tuple[str, ...]]]:
    lines = _lines(lists)
    if _FAILED in lines:
        return [], {}
    findings = list(dict.fromkeys(contents.findings(lines)))
    matched = matching.match(findings, {})
    commands: dict[str, set[str]] = {}
    for finding in findings:
        if finding.kind == contents.COMMAND:
            for package in finding.packages:
                commands.setdefault(package, set()).add(finding.name)
    rows = []
    for row in matched.rows:
        like = elsewhere.get((row.name, row.package))
        if like is not None:
            application = like.application if commands.get(like.application) else row.application
            row = row._replace(  # noqa: PLW2901 - the same row, with what is known of it
                identity=like.identity,
                exception=NOBODY_KNOWS if like.exception else "",
                application=application,
                commands=row.commands if application == row.application else tuple(sorted(commands[application])),
            )
        rows.append(row)
    return rows, matched.modules


def _lines(lists: list[str]) -> list[str]:
    """Return the lines of `lists` that may be about Python; the last one tells where apt could not read them."""
    said: list[bytes] = []
    argv = ("/bin/sh", "-c", _READ, _HELPER, _WANTED, *lists)
    proc.follow(Command(argv, environment={"PATH": "/usr/bin:/bin"}), said.append, lambda: False)
    return b"".join(said).decode("utf-8", "surrogateescape").splitlines()
