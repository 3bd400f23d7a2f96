"""Debian, Ubuntu and their children: the command lines of apt and dpkg-query(1), and what their answers mean.

What is installed, and who owns a path, is in dpkg's own files (`distro.dpkg`); nobody is asked for that.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from detente.distro.apt_complaints import complaint
from detente.distro.base import (
    BACKPORTS,
    LOCAL,
    RELEASE,
    SECURITY,
    THIRD_PARTY,
    UPDATES,
    Candidate,
    Change,
    Origin,
    Simulation,
    Version,
)
from detente.model import Command

__all__ = [
    "ARGUMENTS", "CACHE", "OWN_CACHE", "QUERY", "candidates", "complaint", "descriptions", "faster", "install",
    "origins", "owners", "parse_candidates", "parse_descriptions", "parse_origins", "parse_owners", "parse_simulation",
    "parse_sizes", "simulate", "sizes", "split",
]  # fmt: skip

QUERY = "/usr/bin/dpkg-query"
CACHE = "/usr/bin/apt-cache"
GET = "/usr/bin/apt-get"
OWN_CACHE = "/var/cache/apt/pkgcache.bin"  # switched off in container images
ARGUMENTS = 100_000  # bytes of names in one command: Linux allows more, but not everywhere
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_DIGITS = 18  # of a size: what has more is none
_STATUS = "/var/lib/dpkg/status"
# A name that apt does not know is no regular expression, of which it would install whatever fits.
_EXACT = ("-o", "APT::Cmd::Pattern-Only=true")
# Where nobody can be asked: a settings file that the person changed stays; else dpkg stops half-way.
_UNASKED = ("-o", "DPkg::Options::=--force-confdef", "-o", "DPkg::Options::=--force-confold")
_VERSION = re.compile(r"(?: \*\*\*|    ) (\S+) (-?\d+)(?: \(.*\))?\Z")
_SOURCE = re.compile(r"\s+-?\d+ (.+)\Z")
_INST = re.compile(r"Inst (\S+)(?: \[([^\]]*)\])? \((\S+)(?: (.*?))?(?: \[[^\]]*\])?\)(?: .*)?\Z")
_REMV = re.compile(r"(?:Remv|Purg) (\S+)(?: \[([^\]]*)\])?.*\Z")
_NEED = re.compile(r"^Need to get (?:[\d.,]+ \S+/)?([\d.,]+) ([kMGT]?)B of archives", re.MULTILINE)
_DISK = re.compile(
    r"^After this operation, ([\d.,]+) ([kMGT]?)B (of additional|disk space will be freed)", re.MULTILINE
)
_UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
_DEBIAN = frozenset(("Debian", "Debian Backports", "Ubuntu", "Raspbian", "Devuan", "Kali", "linuxmint"))


def owners(paths: Sequence[str]) -> Command:
    """Return the command that asks who owns `paths`; a path in /usr/bin is asked for in /bin too (merged /usr)."""
    asked = dict.fromkeys(spelling for path in paths for spelling in (path, _other(path)) if spelling)
    return Command((QUERY, "-S", *asked), environment=_ENVIRONMENT, timeout=20)


def parse_owners(text: str, paths: Sequence[str]) -> dict[str, str]:
    """Return path to system package from lines such as `coreutils: /bin/ls`; diversions are passed over."""
    wanted = {spelling: path for path in paths for spelling in (path, _other(path)) if spelling}
    found = {}
    for line in text.splitlines():
        names, separator, path = line.partition(": ")
        if separator and path in wanted and not names.startswith("diversion"):
            found[wanted[path]] = names.split(", ")[0].partition(":")[0]
    return found


def _other(path: str) -> str:
    return path[4:] if path.startswith(("/usr/bin/", "/usr/sbin/")) else ""


def candidates(packages: Sequence[str], root: str = "") -> Command:
    """Return the command that asks for the versions of `packages`: apt itself decides which is the candidate."""
    return _asking(CACHE, root, "policy", "--", *packages)


def origins(root: str = "") -> Command:
    """Return the command that asks what the sources are, and who answers for each."""
    return _asking(CACHE, root, "policy")


def sizes(packages: Sequence[str], root: str = "") -> Command:
    """Return the command that asks for the sizes of all versions of `packages`: without pinning, so it is quick."""
    return _asking(CACHE, root, "show", "--", *packages)


def descriptions(words: Sequence[str], root: str = "") -> Command:
    """Return the command that asks for the system packages whose name or description has all of `words`."""
    return _asking(CACHE, root, "search", "--", *words)


def simulate(packages: Sequence[str], root: str = "") -> Command:
    """Return the command that says, without privileges and locks, what installing `packages` would do."""
    return _asking(GET, root, "-s", "-o", "Debug::NoLocking=1", *_EXACT, "install", "--", *packages)


def install(packages: Sequence[str], *, removes: bool, interactive: bool) -> Command:
    """Return the command that installs `packages`; `removes`: it was agreed that others go for it.

    Whoever holds dpkg's lock is waited for a little while. Not `interactive`: nobody is asked anything, by packages
    or about their settings files.
    """
    environment = dict(_ENVIRONMENT) if interactive else {**_ENVIRONMENT, "DEBIAN_FRONTEND": "noninteractive"}
    options = ("-o", "DPkg::Lock::Timeout=10", *_EXACT, *(() if interactive else _UNASKED))
    keep = () if removes else ("--no-remove",)
    # "install" comes first: so sudoers may allow it and nothing else (`/usr/bin/apt-get install *`).
    return Command((GET, "install", "--yes", *keep, *options, "--", *packages), environment=environment)


def _asking(program: str, root: str, *words: str) -> Command:
    """Return a command that changes nothing; for another `root` it reads what lies below that, and caches nothing."""
    elsewhere: tuple[str, ...] = ()
    if root:
        # Not RootDir: it would put that in front of an empty cache's name too, and apt then leaves files there.
        settings = (
            f"Dir={root}",
            f"Dir::State::status={root}{_STATUS}",
            "Dir::Cache::pkgcache=",
            "Dir::Cache::srcpkgcache=",
        )
        elsewhere = tuple(word for setting in settings for word in ("-o", setting))
    return Command((program, *elsewhere, *words), environment=_ENVIRONMENT, timeout=60)


def faster(command: Command, place: str) -> Command:
    """Return `command` with a package cache at `place`: where apt keeps none, each call would make it anew."""
    argv = command.argv
    at = next(number for number, word in enumerate(argv) if word in ("policy", "show", "search", "-s"))
    return command._replace(argv=(*argv[:at], "-o", f"Dir::Cache::pkgcache={place}", *argv[at:]))


def split(packages: Sequence[str]) -> Iterator[list[str]]:
    """Yield `packages` in parts that fit a command line."""
    part: list[str] = []
    length = 0
    for package in packages:
        if part and length + len(package) + 1 > ARGUMENTS:
            yield part
            part, length = [], 0
        part.append(package)
        length += len(package) + 1
    if part:
        yield part


def parse_origins(text: str) -> dict[str, Origin]:
    """Return what `apt-cache policy` says of each source, by the words that name it beside a version.

    The codename counts (`n=`), not the archive (`a=`): a release becomes oldstable, and stays bookworm.
    """
    found: dict[str, Origin] = {}
    source = ""
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("release "):
            if source:
                found[source] = _origin(words.removeprefix("release "), source)
        elif (match := _SOURCE.match(line)) and not words.startswith("origin "):
            source = match[1]
            found.setdefault(source, _origin("", source))
        elif line.startswith("Pinned packages"):
            break
    return found


def _origin(release: str, source: str) -> Origin:
    if _is_status(source):
        return Origin(LOCAL, "", "", "")
    fields = dict(part.split("=", 1) for part in re.split(r",(?=[a-z]=)", release) if "=" in part)
    vendor, label, suite, codename = (fields.get(key, "") for key in "olan")
    # Debian: a=oldstable-security, n=bookworm-security; Ubuntu: a=noble-security, n=noble
    archive = suite if not codename or suite.startswith(f"{codename}-") else codename
    if vendor not in _DEBIAN and not vendor.startswith("UbuntuESM"):
        kind = THIRD_PARTY
    elif "security" in f"{label.lower()} {archive}" or vendor.startswith("UbuntuESM"):
        kind = SECURITY
    elif "backports" in f"{vendor.lower()} {archive}":
        kind = BACKPORTS
    elif archive.endswith("-updates"):
        kind = UPDATES
    else:
        kind = RELEASE
    return Origin(kind, archive, fields.get("c", ""), vendor or label)


def _is_status(source: str) -> bool:
    return source.endswith(_STATUS)


def parse_candidates(text: str, origins: Mapping[str, Origin]) -> dict[str, Candidate]:
    """Return package to its versions from the answer of `candidates`; those that apt does not know are left out.

    A version that only the status file has gets the origin `local`.
    """
    found: dict[str, Candidate] = {}
    blocks = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    for block in blocks:
        lines = block.splitlines()
        if not lines or not lines[0].endswith(":"):
            continue
        installed = candidate = ""
        versions: list[Version] = []
        for line in lines[1:]:
            if line.startswith("  Installed: "):
                installed = _version(line)
            elif line.startswith("  Candidate: "):
                candidate = _version(line)
            elif match := _VERSION.match(line):
                versions.append(Version(match[1]))
            elif versions and (match := _SOURCE.match(line)):
                origin = origins.get(match[1]) or _origin("", match[1])
                versions[-1] = Version(versions[-1].text, _added(versions[-1].origins, origin))
        if versions:  # a name that is only required or provided has none
            found[lines[0][:-1]] = Candidate(lines[0][:-1], installed, candidate, tuple(versions))
    return found


def _version(line: str) -> str:
    version = line.split(": ", 1)[1].strip()
    return "" if version == "(none)" else version


def _added(origins: tuple[Origin, ...], origin: Origin) -> tuple[Origin, ...]:
    """Return `origins` with one more; that a version is installed says nothing where an index has it."""
    if origin.kind == LOCAL:
        return origins or (origin,)
    kept = tuple(each for each in origins if each.kind != LOCAL)
    return kept if origin in kept else (*kept, origin)


def parse_sizes(text: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Return package and version to its sizes in bytes: installed, and of the archive."""
    found = {}
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] not in " \t")
        if "Package" in fields and "Version" in fields:
            installed, archive = (_whole(fields.get(name, "")) for name in ("Installed-Size", "Size"))
            found[fields["Package"], fields["Version"]] = (installed * 1024, archive)
    return found


def _whole(number: str) -> int:
    return int(number) if number.isascii() and number.isdigit() and len(number) <= _DIGITS else 0


def parse_descriptions(text: str) -> dict[str, str]:
    """Return system package to its one-line description from the answer of `descriptions`."""
    return {name: words for line in text.splitlines() for name, dash, words in [line.partition(" - ")] if dash}


def parse_simulation(text: str) -> Simulation:
    """Return the changes of `apt-get -s`: what is installed, upgraded and removed, in apt's order.

    `Inst name:arch [old] (new Origin:release, … [arch]) [what is broken meanwhile]`; `Conf` lines say nothing new.
    """
    changes = []
    for line in text.splitlines():
        if match := _INST.match(line):
            changes.append(Change(match[1], match[2] or "", match[3], match[4] or ""))
        elif match := _REMV.match(line):
            changes.append(Change(match[1], match[2] or "", ""))
    need, disk = _NEED.search(text), _DISK.search(text)
    amount = _bytes(disk[1], disk[2]) if disk else 0
    return Simulation(
        tuple(changes),
        download=_bytes(need[1], need[2]) if need else 0,
        disk=-amount if disk and disk[3].startswith("disk") else amount,
    )


def _bytes(number: str, unit: str) -> int:
    return round(float(number.replace(",", "")) * _UNITS[unit])
