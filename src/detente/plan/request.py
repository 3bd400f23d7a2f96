"""What was asked. A request is a value: nothing here looks at the machine."""

import re
from typing import NamedTuple

from detente.errors import UsageError
from detente.model import Application, Wish
from detente.names import is_name, normalized

_NAMED = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(.*)\Z", re.DOTALL)
_CLAUSE = re.compile(r"\s*(===|[=!<>~]=|[<>])\s*([^\s<>=~;()]+)\s*")
_URL = re.compile(r"(?:(?:git|hg|bzr|svn)\+)?[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)  # needs no quotes in a shell
_LOGIN = re.compile(r"(https?://)[^/@\s'\"]+@")
LONGEST_NAME = 200  # characters; the name of a file can have 255 bytes
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


Asked = Wish  # as the command line named it: None and empty mean "not said"; `merged` makes a wish to remember of it


class Install(NamedTuple):
    """Have these applications, with `force` over commands that others own.

    `beside` are system packages that the person chose the index over: their commands may be hidden. `doubts` are
    questions to be answered before any of it is had.
    """

    asked: tuple[Asked, ...]
    force: bool = False
    beside: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


class Remove(NamedTuple):
    """Have these applications no more (keys: name with suffix)."""

    keys: tuple[str, ...]


class Rollback(NamedTuple):
    """Go back: to generation `number`, or one application `key` to its state before, or all by one change."""

    number: int | None = None
    key: str | None = None


class Collect(NamedTuple):
    """Remove what nothing keeps; `keep` generations stay, counted from the current one back."""

    keep: int


Request = Install | Remove | Rollback | Collect


def requirement_name(text: str) -> str:
    """Return the normalized distribution name that requirement `text` states, or "" where it states none.

    Understands PEP 508 (`name[extra]>=1`, `name @ url`), a wheel or sdist by its file name, and `#egg=name`.
    """
    if is_direct(text):
        bare, _, fragment = text.partition("#")
        for part in fragment.split("&"):
            if part.startswith("egg="):
                return normalized(part[4:].partition("[")[0])
        return _archive_name(bare.rstrip("/").rpartition("/")[2])
    match = _NAMED.match(text)
    return normalized(match[1]) if match else ""


def _archive_name(filename: str) -> str:
    if filename.endswith(".whl") and filename.count("-") >= 4:
        return normalized(filename.partition("-")[0])
    for ending in _ARCHIVES[1:]:
        if filename.endswith(ending) and "-" in filename:
            name = filename[: -len(ending)].rpartition("-")[0]
            return normalized(name) if is_name(name) else ""
    return ""


def is_direct(text: str) -> bool:
    """Say whether `text` is a URL or an absolute path rather than a named requirement."""
    return text.startswith("/") or _URL.match(text) is not None


def is_bare(text: str) -> bool:
    """Say whether `text` is a distribution name and nothing more: no extra, version, URL or marker."""
    return is_name(text)


def canonical_requirement(text: str) -> str:
    """Return named requirement `text` so that equal requests compare equal: name normalized, spaces dropped.

    Raise UsageError where it does not begin with a name.
    """
    text = text.strip()
    if is_direct(text):
        return text
    match = _NAMED.match(text)
    if not match:
        raise UsageError(
            f"`{text}` is not a requirement",
            hint="name a distribution such as httpie or 'httpie>=3', a URL, or a path such as ./project",
        )
    if len(match[1]) > LONGEST_NAME:
        raise UsageError(
            f"`{match[1][:40]}…` is too long for a name: {len(match[1])} characters", hint="check what was pasted"
        )
    name, extras, rest = normalized(match[1]), match[2] or "", match[3].strip()
    if rest and rest[0] not in "<>=!~@;(":
        raise UsageError(
            f"`{text}` is not a requirement: what is `{rest}`?",
            hint="name each distribution by itself, and quote what has spaces: detente install 'httpie >= 3'",
        )
    if extras:
        extras = "[" + ",".join(sorted({normalized(extra.strip()) for extra in extras[1:-1].split(",")} - {""})) + "]"
        extras = "" if extras == "[]" else extras
    if rest.startswith("@"):
        return f"{name}{extras} @ {rest[1:].strip()}"
    specifier, semicolon, marker = rest.partition(";")
    specifier = specifier.strip()
    if specifier.startswith("(") and specifier.endswith(")"):
        specifier = specifier[1:-1]
    clauses = [_CLAUSE.fullmatch(part) for part in specifier.split(",") if part.strip()]
    texts = {clause[1] + clause[2] for clause in clauses if clause}
    specifier = ",".join(sorted(texts, key=lambda clause: (clause.startswith("==="), clause)))  # === takes all after it
    if None in clauses:
        raise UsageError(
            f"`{text}` is not a requirement: `{rest.partition(';')[0].strip()}` is no version specifier",
            hint="write it as in: detente install 'httpie>=3,<4'",
        )
    return name + extras + specifier + (f" ; {marker.strip()}" if semicolon else "")


def merged(asked: Asked, existing: Application | None) -> Wish:
    """Return what is wanted once `asked` is laid over what is remembered of `existing`.

    Only what was said changes: `--with` and `--with-distro` add, a bare name with other options keeps the
    requirement, and Python, index and exposed commands stay unless named anew.
    """
    if existing is None:
        return asked._replace(
            added=_union((), asked.added),
            commands_from=_union((), asked.commands_from),
            with_distro=tuple(dict.fromkeys(asked.with_distro)),
        )
    old = existing.wish
    options = asked._replace(requirement="", suffix="", editable=False)
    keeps = is_bare(asked.requirement) and options != Asked("")
    return Wish(
        old.requirement if keeps else asked.requirement,
        _union(old.added, asked.added),
        asked.python or old.python,
        old.suffix,
        asked.prerelease or old.prerelease,
        old.editable if keeps else asked.editable,
        _union(old.commands_from, asked.commands_from),
        asked.index_url or old.index_url,
        asked.extra_index_urls or old.extra_index_urls,
        asked.find_links or old.find_links,
        asked.only_binary or old.only_binary,
        tuple(dict.fromkeys((*old.with_distro, *asked.with_distro))),
    )


def command_of(wish: Wish) -> str:
    """Return the command line that asks for `wish` again; what else is remembered of it need not be said."""
    quoted = (
        wish.requirement if _PLAIN.fullmatch(wish.requirement) else "'" + wish.requirement.replace("'", "'\\''") + "'"
    )
    suffix = f" --as={wish.suffix}" if wish.suffix else ""
    python = " --python python3" if wish.python else ""  # the one that was wished for is what went away
    return f"detente install {'-e ' if wish.editable else ''}{quoted}{suffix}{python}"


def without_login(text: str) -> str:
    """Return `text` without the names and passwords of http(s) URLs in it: what is recorded is readable by others."""
    return _LOGIN.sub(r"\1", text)


def without_logins(wish: Wish) -> Wish:
    """Return `wish` as it may be recorded."""
    return wish._replace(
        requirement=without_login(wish.requirement),
        added=tuple(map(without_login, wish.added)),
        index_url=without_login(wish.index_url) if wish.index_url else None,
        extra_index_urls=tuple(map(without_login, wish.extra_index_urls)),
        find_links=tuple(map(without_login, wish.find_links)),
    )


def _union(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """Append what is new; a requirement on the same name replaces the older one."""
    named = {requirement_name(text) or text: text for text in old}
    for text in new:
        named[requirement_name(text) or text] = text
    return tuple(named.values())
