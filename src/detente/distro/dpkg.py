"""dpkg's own records, parsed: the status, what is diverted, apt's manual marks, what a package's list of files says.

Nobody is asked: reading these costs less than starting dpkg-query once, and works on another root as well.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from detente.names import normalized

STATES = frozenset((
    "not-installed", "config-files", "half-installed", "unpacked", "half-configured", "triggers-awaited",
    "triggers-pending", "installed",
))  # fmt: skip
ABSENT = frozenset(("not-installed", "config-files"))
_FIELD = re.compile(
    r"^(Package|Status|Architecture|Version|Source|Installed-Size|Depends|Pre-Depends|Provides):[ \t]*(.*)$",
    re.MULTILINE,
)
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*\Z")
_DIGITS = 15  # of a number of kilobytes; Python makes no number of more than some thousand
_PYTHON = "/usr/lib/python3"
_PROGRAMS = ("/usr/bin/", "/usr/sbin/", "/usr/games/", "/bin/", "/sbin/")
_MODULES = re.compile(r"/usr/lib/python3(?:\.\d+)?/dist-packages/([^/]+)(?:/(.*))?\Z")
_PRIVATE = re.compile(r"/usr/(?:share|lib)/([^/]+)/([^/]+\.(?:dist|egg)-info)\Z")
_NOT_PRIVATE = frozenset(("python-wheels", "python3", "doc"))  # wheels that pip and venv need; not an application's own
_METADATA = re.compile(r"(.+?)\.(?:dist|egg)-info\Z")
_TAGS = re.compile(r"-py\d(?:\.\d+)?(?:-[a-z0-9_-]+)?\Z")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Broken(Exception):
    """The text is none that dpkg would have written; the message says where."""


class Paragraph(NamedTuple):
    """One system package of the status file: its words, and what it says in `depends` (Pre-Depends and Depends)."""

    package: str
    version: str
    architecture: str
    source: str
    wanted: str
    state: str
    size: int
    depends: str
    provides: str


class Diversion(NamedTuple):
    """dpkg-divert(1): the file `path` lies at `to` where another package than `by` brings it. ":" means a person."""

    path: str
    to: str
    by: str


def parse_status(text: str) -> list[Paragraph]:
    """Return the paragraphs of /var/lib/dpkg/status, in its order; raise Broken where it is damaged."""
    if text and not text.endswith("\n"):
        last = re.findall(r"^Package: (\S+)", text, re.MULTILINE)[-1:]
        raise Broken(f"it breaks off in the entry of {last[0]}" if last else "it breaks off")
    found = []
    for number, block in enumerate(text.split("\n\n"), 1):
        if not block.strip("\n"):
            continue
        fields: dict[str, str] = {}
        for name, value in _FIELD.findall(block):
            fields.setdefault(name, value)
        found.append(_paragraph(fields, number))
    return found


def parse_update(text: str) -> list[Paragraph]:
    """Return the paragraphs of a file in /var/lib/dpkg/updates: what a dpkg that was interrupted had not yet merged."""
    return parse_status("".join(f"{line}\n" for line in text.splitlines() if line != "#padding"))


def _paragraph(fields: Mapping[str, str], number: int) -> Paragraph:
    package, words = fields.get("Package", "").strip(), fields.get("Status", "").split()
    if not _PACKAGE.match(package):  # dpkg refuses such a name, too: it becomes a part of paths and of command lines
        raise Broken(f"entry {number} names no package")
    if len(words) != 3 or words[2] not in STATES:
        raise Broken(f"entry {number} ({package}) has no status")
    version, state = fields.get("Version", "").strip(), words[2]
    if not version and state not in ABSENT and state != "half-installed":
        raise Broken(f"entry {number} ({package}) has no version")
    size, architecture = fields.get("Installed-Size", "").strip(), fields.get("Architecture", "").strip()
    needs = ", ".join(fields[name] for name in ("Pre-Depends", "Depends") if fields.get(name))
    return Paragraph(
        package=package,
        version=version,
        architecture=architecture if _PACKAGE.match(architecture) else "",
        source=fields.get("Source", package).partition(" ")[0].strip() or package,
        wanted=words[0],
        state=state,
        size=int(size) * 1024 if size.isascii() and size.isdigit() and len(size) <= _DIGITS else 0,
        depends=needs,
        provides=fields.get("Provides", ""),
    )


def parse_automatic(text: str) -> set[tuple[str, str]]:
    """Return package and architecture of those that apt's extended_states says came for another one's sake."""
    found = set()
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if fields.get("Auto-Installed") == "1" and "Package" in fields:
            found.add((fields["Package"], fields.get("Architecture", "")))
    return found


def parse_diversions(text: str) -> list[Diversion]:
    """Return the diversions of /var/lib/dpkg/diversions: three lines each."""
    lines = text.split("\n")
    return [Diversion(*lines[at : at + 3]) for at in range(0, len(lines) - len(lines) % 3, 3)]


def requirements(depends: str) -> list[tuple[str, ...]]:
    """Return the names in a Depends field: one tuple of alternatives for each requirement."""
    found = []
    for group in depends.split(","):
        names = tuple(name for word in group.split("|") if (name := re.split(r"[\s(:\[]", word.strip(), maxsplit=1)[0]))
        if names:
            found.append(names)
    return found


def is_python(files: str) -> bool:
    """Say whether the list of files can have metadata or modules at all: cheap, before it is parsed."""
    return "/dist-packages/" in files or "-info\n" in files


def metadata(paths: Iterable[str]) -> dict[str, str]:
    """Return path to name for the metadata among `paths`: in dist-packages, or in an application's own directory.

    The name is that of the directory or file, `requests-2.28.1.dist-info`. What a distribution vendors is left out.
    """
    found = {}
    for path in paths:
        if not path.endswith("-info"):
            continue
        if match := _MODULES.match(path):
            if match[2] is None and _METADATA.match(match[1]):
                found[path] = match[1]
        elif (match := _PRIVATE.match(path)) and match[1] not in _NOT_PRIVATE:
            found[path] = match[2]
    return found


def distribution(directory: str) -> tuple[str, str]:
    """Return normalized name and version of metadata called `directory`; version "" where the name does not tell it."""
    match = _METADATA.match(directory)
    stem = _TAGS.sub("", match[1] if match else directory)
    name, _, version = stem.partition("-")
    return normalized(name), "" if "_" in version else version


def recorded(text: str) -> tuple[str, str]:
    """Return name (normalized) and version that the head of a METADATA or PKG-INFO file `text` says."""
    fields: dict[str, str] = {}
    for line in text.split("\n\n", 1)[0].splitlines():
        name, separator, value = line.partition(": ")
        if separator:
            fields.setdefault(name.lower(), value.strip())
    return normalized(fields.get("name", "")), fields.get("version", "")


def modules(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the top-level names that the files `paths` let the distro's Python import."""
    found = set()
    for path in paths:
        match = _MODULES.match(path) if path.startswith(_PYTHON) else None
        if match is None:
            continue
        top, inner = match[1], match[2]
        if inner:  # a directory counts for the code in it
            name = top if inner.endswith((".py", ".so")) else ""
        else:
            stem, _, ending = top.partition(".")
            name = stem if ending in {"py", "so"} or ending.endswith(".so") else ""
        if name and _IDENTIFIER.match(name):
            found.add(name)
    return tuple(sorted(found))


def programs(
    paths: Iterable[str], package: str, moved: Mapping[str, Diversion], placed: Callable[[str], str]
) -> tuple[str, ...]:
    """Return where the programs among `paths` of `package` lie: diverted ones at their new place.

    `placed` says where a path of a list really is (`/bin/x` at `/usr/bin/x`, where /usr is merged).
    """
    found = set()
    for path in paths:
        if path.startswith(_PROGRAMS) and path.count("/") == (3 if path.startswith("/usr/") else 2):
            diversion = moved.get(path)
            found.add(placed(diversion.to if diversion is not None and diversion.by != package else path))
    return tuple(sorted(found))
