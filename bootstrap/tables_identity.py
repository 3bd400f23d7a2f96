"""Whether the index means the same project by a name as the distro does. Equal names alone say nothing.

Evidence is a version that both have, an address that both name, and files of modules that both bring. Of these `same`
takes two; as namesakes tend to have modules of the same name and a 0.1.0, a common version and one shared file name
are not enough, nor is an address, which a squatter can copy: then the .deb is unpacked, and a file of it must be the
same byte for byte, or its metadata must have the words of the index's. That a name is there while nothing agrees makes
it `other`; all else is `unproved`.
"""

import functools
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import tables_index
import tables_truth
from detente.distro.base import ABSENT, OTHER, SAME, UNPROVED
from detente.distro.versions import upstream
from tables_source import Suite

_FORGE = re.compile(
    r"[^/]*(?:github|gitlab|bitbucket|codeberg|salsa|sr\.ht|opendev|launchpad|sourceforge|pagure|gitea|framagit)[^/]*"
    r"/(?:projects/)?[^/]+(?:/[^/]+)?"
)
# Files that many projects have.
_OF_ANYBODY = re.compile(
    r"(?:\A|/)(?:tests?|docs?|examples?)/|\A(?:setup|conftest|conf|__init__|version|utils)\.pyi?\Z"
)
SENTENCE = 20  # letters, from which on two summaries are not equal by chance
RARE = 0.005  # the share of all projects that have a version, from which on it says something
# A page that many projects name says nothing about one of them.
_CROWD = 4


class Shipped(NamedTuple):
    """One distribution in one release: its system package with version and home page, its metadata's version."""

    name: str
    package: str
    recorded: str
    metadata: str
    homepage: str
    suite: Suite


class Judgement(NamedTuple):
    """What was found, and by which evidence.

    `versions` are those that both have, `rare` says that few projects have the rarest of them. `files` of `of` files of
    the system package are in the index's too (0 of 0: not looked, or nothing to see), `identical` of them to the byte.
    `words`: the metadata in the .deb has the summary or an address of the index's.
    """

    identity: str
    versions: tuple[str, ...] = ()
    address: bool = False
    rare: bool = False
    files: int = 0
    of: int = 0
    identical: int = 0
    words: bool = False


def pep440(text: str) -> Any:
    """Return `text` as a version, None where it is none; file names have `_` for what was `-`."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text.replace("_", "-"))
    except InvalidVersion:
        return None


def is_placeholder(version: Any) -> bool:
    """Say whether `version` (of `pep440`) is none, or the zeros that a build writes which did not find its version."""
    return version is None or not any(version.release)


def judge(shipped: Iterable[Shipped], cache: Path) -> dict[str, Judgement]:
    """Return a judgement for each name; `shipped` can have a name several times, from several releases."""
    by_name: dict[str, list[Shipped]] = {}
    for one in shipped:
        by_name.setdefault(one.name, []).append(one)
    index = tables_index.ask(sorted(by_name), cache)
    versions = {
        name: {version: text for text in answer.get("versions", ()) if (version := pep440(text)) is not None}
        for name, answer in index.items()
    }
    usual = Counter(version for theirs in versions.values() for version in theirs)
    crowded = _crowded(by_name)
    found, looked_into = {}, {}
    for name, many in by_name.items():
        if not index[name]:
            found[name] = Judgement(ABSENT)
            continue
        theirs = versions[name]
        ours = {version for one in many for text in (one.metadata, upstream(one.recorded)) if (version := pep440(text))}
        both = sorted(ours & set(theirs), reverse=True)
        address = _address(name, index[name], {one.homepage for one in many} - crowded)
        rare = any(usual[version] <= RARE * len(index) for version in both)
        found[name] = Judgement(SAME if both and address else UNPROVED, tuple(map(str, both)), address, rare)
        if found[name].identity != SAME:
            # A file of a version that both have, else of the nearest before ours, else of any.
            before = [version for version in sorted(theirs, reverse=True) if ours and version < max(ours)]
            order = [*both, *before, *sorted(theirs)]
            files = (file[0] for version in order if (file := index[name]["versions"][theirs[version]]))
            looked_into[name] = next(files, "")
    brought = tables_index.sources(sorted({file for file in looked_into.values() if file}), cache)
    ours_of = _sources([one for name in looked_into for one in by_name[name]])
    for name, file in looked_into.items():
        theirs_there = _ends(brought.get(file, frozenset()))
        best = max(
            ((len(sources & theirs_there), len(sources)) for one in by_name[name] if (sources := ours_of(one))),
            default=(0, 0),
        )
        files_shared, of = best if theirs_there else (0, 0)
        found[name] = _decided(found[name]._replace(files=files_shared, of=of))
    doubtful = [
        name
        for name, one in found.items()
        if looked_into.get(name)
        and (one.identity == OTHER or (one.identity == UNPROVED and (one.versions or one.address)))
    ]
    for suite in {one.suite for name in doubtful for one in by_name[name]}:
        suite.archives()  # read once, before the threads ask
    with ThreadPoolExecutor(8) as crew:
        opened = crew.map(lambda name: _opened(by_name[name], looked_into[name], index[name], cache), doubtful)
        for name, (identical, words) in zip(doubtful, opened, strict=True):
            proved = (found[name].versions and (identical or words)) or (found[name].address and identical)
            other = found[name].identity == OTHER and not identical and not words
            identity = SAME if proved else OTHER if other else UNPROVED
            found[name] = found[name]._replace(identity=identity, identical=identical, words=words)
    return found


def _opened(many: list[Shipped], file: str, answer: Mapping[str, Any], cache: Path) -> tuple[int, bool]:
    """Return how many files of the .debs are in `file` of the index too, and whether the metadata has its words."""
    theirs = tables_index.digests(file, cache)
    told = [answer.get("home_page") or "", *(answer.get("project_urls") or {}).values()]
    addresses = {_plain(one) for one in told if one} - {"", "unknown"}
    summary = (answer.get("summary") or "").strip()
    identical, words = 0, False
    for one in many:
        archive = one.suite.archives().get(one.package)
        if archive is None:
            continue
        with _ONE:
            unpacked = _unpacked(one.package, archive, cache)
        identical = max(identical, len(unpacked.digests & theirs))
        for truth in unpacked.brings:
            if truth.name == one.name:
                alike = len(summary) >= SENTENCE and summary == truth.summary
                words = words or alike or bool(addresses & set(map(_plain, truth.addresses)))
    return identical, words


_ONE = threading.Lock()  # some .debs have fifty distributions: unpacked once
_unpacked = functools.lru_cache(64)(tables_truth.unpack)


def _decided(found: Judgement) -> Judgement:
    """Decide with the files; where one side shows none, they do not speak."""
    many = found.files >= 3 and found.files * 2 >= found.of
    if (
        (found.versions and many)
        or (found.versions and found.files and (found.rare or len(found.versions) > 1))
        or (found.address and many)
        or (len(found.versions) > 1 and found.rare and not found.of)
    ):
        return found._replace(identity=SAME)
    nothing = not found.versions and not found.address and found.of and not found.files
    return found._replace(identity=OTHER if nothing else UNPROVED)


def _sources(shipped: list[Shipped]) -> Callable[[Shipped], set[str]]:
    """Return what says which files a system package has, for all of `shipped`: each suite is read once."""
    packages: dict[str, set[str]] = {}
    suites = {one.suite.name: one.suite for one in shipped}
    for one in shipped:
        packages.setdefault(one.suite.name, set()).add(one.package)
    having = {name: suite.sources(packages[name]) for name, suite in suites.items()}

    def of(one: Shipped) -> set[str]:
        everything = having[one.suite.name].get(one.package, set())
        return {path for path in everything if not _OF_ANYBODY.search(path)}

    return of


def _ends(paths: Iterable[str]) -> set[str]:
    """Return all ends of `paths`: an archive has its modules in any directory."""
    parts = [path.split("/") for path in paths]
    return {"/".join(words[start:]) for words in parts for start in range(len(words))}


def _address(name: str, answer: Mapping[str, Any], homepages: set[str]) -> bool:
    """Say whether the distro's home page is one of the project's on the index, or the index's own page of it."""
    told = [answer.get("home_page") or "", *(answer.get("project_urls") or {}).values()]
    theirs = {_plain(one) for one in told if one} - {"", "unknown"}
    repositories = {match[0] for one in theirs if (match := _FORGE.match(one))}
    page = re.compile(r".*/(?:project|pypi)/" + name.replace("-", "[-_.]+") + r"(?:/.*)?\Z")
    for homepage in map(_plain, homepages - {""}):
        repository = _FORGE.match(homepage)
        if homepage in theirs or page.match(homepage) or (repository and repository[0] in repositories):
            return True
    return False


def _plain(address: str) -> str:
    text = re.sub(r"^\w+://|[?#].*$", "", address.strip().lower())
    return re.sub(r"^(?:www\.|git@)|(?:\.git)?/*$", "", text)


def _crowded(by_name: Mapping[str, list[Shipped]]) -> set[str]:
    """Return the home pages that many distributions share: an organisation's, not a project's (a repository is one)."""
    count: dict[str, set[str]] = {}
    for name, many in by_name.items():
        for one in many:
            count.setdefault(one.homepage, set()).add(name)
    return {homepage for homepage, names in count.items() if len(names) > _CROWD and not _FORGE.match(_plain(homepage))}
