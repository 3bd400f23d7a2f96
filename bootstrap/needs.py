"""Make the table of what a failed build may miss: headers, libraries, programs, .pc files → system packages of Debian.

    python3 bootstrap/needs.py      writes src/detente/apply/data/needs.xz

It reads the Contents of each release from the mirror that apt uses here (or --mirror URL, or files named
SUITE-Contents-ARCH.gz in --contents FOLDER), and what `needs_reviewed.py` decides. The table is text: a line of the
releases, oldest first; then for each kind a line `[kind]` and lines `name package`, with a third word where the newer
release has it in another one ("-": not at all).
"""

import argparse
import collections
import gzip
import io
import lzma
import os
import re
import sys
import urllib.request
from collections.abc import Iterable, Iterator

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(__file__), "../src")]

from detente.apply import needs
from needs_reviewed import COMMON_NAMES, DEFAULTS, PREFERRED, RENAMED, REVIEWED
from tables_source import mirror

SUITES = ("bookworm", "trixie")
TARGET = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "src/detente/apply/data/needs.xz")
KINDS = ("header", "inner", "pkg-config", "library", "cmake", "program")
_TRIPLET = r"(?:[a-z0-9_]+-linux-gnu[a-z0-9]*/)?"
_PATTERNS = {
    "header": re.compile(rf"usr/include/{_TRIPLET}(.+)"),
    "inner": re.compile(rf"usr/lib/{_TRIPLET}[^/]+/include/(.+)"),
    "pkg-config": re.compile(rf"usr/(?:lib/{_TRIPLET}|share/)pkgconfig/([^/]+)\.pc"),
    "library": re.compile(rf"(?:usr/)?lib/{_TRIPLET}lib([^/]+)\.(?:so|a)"),
    "cmake": re.compile(rf"usr/(?:lib/{_TRIPLET}|share/)(?:[^/]+/)+([^/]+?)(?:Config|-config)\.cmake"),
    "program": re.compile(r"(?:usr/)?s?bin/([^/]+)"),
}
_PLACES = ("usr/include/", "usr/lib/", "lib/", "usr/share/", "usr/bin/", "usr/sbin/", "bin/", "sbin/")
_DEVELOPMENT = re.compile(r"-dev(-[\d.]+|-all)?$")
# Headers that no Python project on this machine is built with: for other targets, or parts that are private.
_ASIDE = re.compile(
    r"-private(-gles)?-dev$|-gles-dev$|-cross|arm-none-eabi|^libwine|^libc6-dev-|mingw|newlib|^dietlibc"
)
_BUILD_SECTIONS = ("devel", "libdevel", "interpreters", "haskell", "java", "rust", "vcs")
_UNNUMBERED = ("llvm", "llvm-dev", "clang", "libclang-dev")  # these bring the default version
_MOST = 60  # rows of one system package, in one kind: a framework of thousands of headers is no build requirement
_ALWAYS = ("build-essential", "libboost-dev", "libabsl-dev")
_MOST_OF_SHARED = 0.8  # of a directory's files, for the system package that stands for the rest of it

Packages = frozenset[str]


def rows(suite: str, contents: Iterable[Iterable[str]]) -> dict[str, dict[str, Packages]]:
    """Return kind → name → system packages, as the lines of `contents` say; renamed, other versions left out."""
    found: dict[str, dict[str, set[str]]] = {kind: collections.defaultdict(set) for kind in KINDS}
    wanted: dict[tuple[str, str], str] = {}
    for lines in contents:
        for line in lines:
            if not line.startswith(_PLACES):
                continue
            path, where = line.rstrip("\n").rsplit(None, 1)
            matches = ((kind, pattern.fullmatch(path)) for kind, pattern in _PATTERNS.items())
            kind, match = next(((kind, match) for kind, match in matches if match), ("", None))
            if not match:
                continue
            for owner in where.split(","):
                if (owner, kind) not in wanted:
                    wanted[owner, kind] = _package(suite, kind, *owner.split("/")[-2:])
                if wanted[owner, kind]:
                    found[kind][match[1]].add(wanted[owner, kind])
    return {kind: {name: frozenset(packages) for name, packages in names.items()} for kind, names in found.items()}


def _package(suite: str, kind: str, section: str, name: str) -> str:
    """Return what to install for files of this kind of the system package `name`; "" for none."""
    if kind == "program":
        if "-linux-gnu" in name:  # for another machine: what has this one's triplet before it, is looked up without
            return ""
        if section not in _BUILD_SECTIONS and not _DEVELOPMENT.search(name):
            return ""
    elif _ASIDE.search(name) or not (kind == "pkg-config" or section == "libdevel" or _DEVELOPMENT.search(name)):
        return ""
    for family, default in DEFAULTS[suite].items():
        version = re.fullmatch(rf"(?:lib)?{family}(-[a-z-]+?)??-?(\d[\d.]*)(-[a-z-]+)?|{family}-dev-(\d+)", name)
        if version and (version[2] or version[4]) != default:
            return ""
        plain = re.sub(rf"-?{re.escape(default)}", "", name)
        if version and (family == "boost" or plain in _UNNUMBERED):
            name = plain
    for pattern, instead in RENAMED.items():
        if re.fullmatch(pattern, name):
            return instead
    return name


def one(packages: Packages) -> str:
    """Return the one of `packages` that is meant, "" where nothing says which."""
    if len(packages) == 1:
        return next(iter(packages))
    preferred = [name for name in packages if name in PREFERRED or name == "build-essential"]
    return preferred[0] if len(preferred) == 1 else ""


def collapsed(files: dict[str, Packages]) -> dict[str, str]:
    """Return `files` with one row for a directory where that says the same; the longest name that fits decides."""
    root: dict[str, object] = {}
    for path, packages in files.items():
        node = root
        *folders, last = path.split("/")
        for folder in folders:
            inner = node.setdefault(f"{folder}/", {})
            assert isinstance(inner, dict)
            node = inner
        node[last] = packages
    found: dict[str, str] = {}

    def count(node: object) -> collections.Counter[str]:
        if not isinstance(node, dict):
            return collections.Counter([one(node)])  # type: ignore[arg-type]
        total: collections.Counter[str] = collections.Counter()
        for inner in node.values():
            total += count(inner)
        return total

    def emit(node: dict[str, object], prefix: str, given: str) -> None:
        for name, inner in node.items():
            votes = count(inner)
            most, number = votes.most_common(1)[0]
            here = most if number >= _MOST_OF_SHARED * votes.total() else ""
            if isinstance(inner, dict):
                if here != given:
                    found[prefix + name] = here
                if len(votes) > 1:
                    emit(inner, prefix + name, here)
            elif here != given:
                found[prefix + name] = here

    emit(root, "", "")
    return found


def headers(found: dict[str, dict[str, Packages]]) -> dict[str, str]:
    """Return the rows for headers: by their paths, and by what a project sees that adds the directory itself.

    The second only where the directory, or the system package, resembles the name: `cairo.h` of `cairo/cairo.h`.
    """
    plain = {path: packages for path, packages in found["header"].items() if not _common(path)}
    described = frozenset().union(*found["pkg-config"].values())
    seen: dict[str, Packages] = collections.defaultdict(frozenset)
    for path, packages in found["header"].items():
        if "/" in path and packages & described:
            seen[path.partition("/")[2]] |= packages
    for path, packages in found["inner"].items():
        seen[path] |= packages
    tops = {path.partition("/")[0] for path in plain}
    inner = {
        path: packages
        for path, packages in seen.items()
        if path.partition("/")[0] not in tops and not _common(path) and _resembles(path, packages)
    }
    return _few(collapsed(plain)) | _few(collapsed(inner))


def _common(path: str) -> bool:
    return "/" not in path and path.partition(".")[0].lower() in COMMON_NAMES


def _resembles(path: str, packages: Packages) -> bool:
    stem = _letters(path.partition("/")[0].partition(".")[0])
    names = [_letters(name.removesuffix("-dev").removeprefix("lib")) for name in packages]
    return len(stem) >= 3 and any(stem in name or (len(name) >= 3 and name in stem) for name in names)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower().removeprefix("lib"))


def _few(table: dict[str, str]) -> dict[str, str]:
    """Return `table` without the packages of which it has more rows than is worth it."""
    numbers = collections.Counter(table.values()) - collections.Counter(dict.fromkeys(_ALWAYS, 10**6))
    return {name: package for name, package in table.items() if not package or numbers[package] <= _MOST}


def table(suite: str, contents: Iterable[Iterable[str]]) -> dict[str, dict[str, str]]:
    """Return kind → name → system package for one release."""
    found = rows(suite, contents)
    every = {package for names in found.values() for packages in names.values() for package in packages}
    made = {"header": headers(found)}
    for kind in ("pkg-config", "library", "cmake", "program"):
        made[kind] = _few({name: one(packages) for name, packages in found[kind].items()})
    made["cmake"] = {name.lower(): package for name, package in made["cmake"].items()}
    for kind, decided in REVIEWED.items():
        made[kind] |= decided
    sys.stderr.write(f"{suite}: {len(every)} system packages, { ({k: len(v) for k, v in made.items()}) }\n")
    return {kind: {n: p for n, p in names.items() if p or n.endswith(".h")} for kind, names in made.items()}


def written(tables: dict[str, dict[str, dict[str, str]]]) -> str:
    """Return the text of the tables of two releases."""
    older, newer = (tables[suite] for suite in SUITES)
    lines = [" ".join(SUITES)]
    for kind in older:
        lines.append(f"[{kind}]")
        for name in sorted(older[kind].keys() | newer[kind].keys()):
            one, two = older[kind].get(name, ""), newer[kind].get(name, "")
            if (one or two) and " " not in name:
                words = [name, one.replace(" ", ",") or "-", *([two.replace(" ", ",") or "-"] if one != two else [])]
                lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def measured(suite: str, contents: Iterable[Iterable[str]]) -> str:
    """Return how often the written table answers rightly for all that `contents` have, as text: a line per kind.

    Right is a system package that has the file, or brings the one that has it; ambiguous files should have no answer.
    """
    supplier = needs.Supplier("apt", suite, root="/nonexistent")
    lines = []
    for kind, names in rows(suite, contents).items():
        tally = collections.Counter(
            "none" if not (answer := supplier.package(needs.Need(kind, name))) else
            "right" if packages & set(answer.split()) else "other"
            for name, packages in names.items() if packages and kind != "inner"
        )  # fmt: skip
        if tally:
            right = tally["right"] / (tally["right"] + tally["other"])
            lines.append(f"{suite} {kind}: {tally.total()} names, {dict(tally)}, precision {right:.4f}")
    return "\n".join(lines) + "\n"


def lines_of(suite: str, architecture: str, arguments: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of one Contents file, downloaded or from the folder."""
    if arguments.contents:
        with open(os.path.join(arguments.contents, f"{suite}-Contents-{architecture}.gz"), "rb") as file:
            packed = file.read()
    else:
        url = f"{arguments.mirror.rstrip('/')}/dists/{suite}/main/Contents-{architecture}.gz"
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 -- the address is the caller's own
            packed = answer.read()
    with gzip.open(io.BytesIO(packed), "rt", encoding="utf-8", errors="replace") as text:
        yield from text


def main() -> int:
    """Make the table as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--mirror", help="a mirror of Debian, for example http://deb.example/debian")
    where.add_argument("--contents", metavar="FOLDER", help="where SUITE-Contents-ARCH.gz lie")
    parser.add_argument("--text", action="store_true", help="print the table instead")
    parser.add_argument("--measure", action="store_true", help="judge the table that is there, on all of Contents")
    arguments = parser.parse_args()
    arguments.mirror = arguments.mirror or ("" if arguments.contents else mirror())
    contents = {suite: [lines_of(suite, each, arguments) for each in ("all", "amd64")] for suite in SUITES}
    if arguments.measure:
        sys.stdout.writelines(measured(suite, contents[suite]) for suite in SUITES)
        return 0
    tables = {suite: table(suite, contents[suite]) for suite in SUITES}
    text = written(tables)
    if arguments.text:
        sys.stdout.write(text)
        return 0
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    os.makedirs(os.path.dirname(TARGET), exist_ok=True)
    with open(TARGET, "wb") as file:
        file.write(packed)
    sys.stderr.write(f"{TARGET}: {len(packed)} bytes, {len(text)} unpacked\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
