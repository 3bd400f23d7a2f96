"""Turns what uv answers when it fails into our errors. Pure.

uv's own explanation is kept in `context`: cleaned, without progress, colour and credentials, but in its words. Which
error it is, and the hint, come from phrases that uv 0.13 uses; tests run the real uv to notice when they change.
"""

import re
from collections.abc import Callable, Sequence

from detente.engine import network, unsolved
from detente.engine.answer import Answer, cleaned, quoted, sentence
from detente.engine.formats import sourceless
from detente.engine.sources import Sources, without_credentials
from detente.errors import (
    BuildError,
    ConfigError,
    DetenteError,
    DiskError,
    IntegrityError,
    Interrupted,
    NotFound,
    ToolError,
    UsageError,
)
from detente.model import Completed
from detente.names import normalized


def explain(
    answer: Completed, requirements: Sequence[str], sources: Sources, *, because: tuple[str, str] = ("", "")
) -> DetenteError:
    """Return the error for a failed `answer` of uv about `requirements`, which came from `sources`.

    `because` is what is known of a build that failed: why, and what to do; empty texts where nothing is.
    NotFound for a name or path that does not exist, ResolutionError for what cannot be satisfied, NetworkError,
    BuildError, UsageError for a malformed requirement, ConfigError for settings; ToolError for anything unknown.
    """
    lines = cleaned(answer.stderr)
    if answer.returncode < 0:
        return _killed(-answer.returncode, lines)
    said = Answer(lines, requirements, sources)
    for reader in _READERS:
        error = reader(said)
        if isinstance(error, BuildError) and any(because):
            message = f"{error.message}: {because[0]}" if because[0] else error.message
            told = BuildError(message, hint=because[1] or error.hint, context=error.context)
            told.distribution = error.distribution
            return told
        if error is not None:
            return error
    first = said.lines[0] if said.lines else "it said nothing"
    return ToolError(
        f"uv failed with status {answer.returncode}: {sentence(first)}",
        hint="see all that it does: detente -v, then the same command",
        context=said.lines[1:],
    )


def _killed(number: int, lines: Sequence[str]) -> DetenteError:
    if number == 2:
        return Interrupted(number)
    text = "\n".join(lines)
    if "memory allocation of" in text:
        hint = "allow more memory, and repeat the command: ulimit -v unlimited"
    elif "Resource temporarily unavailable" in text:  # EAGAIN of clone(2)
        hint = "allow more processes, and repeat the command: ulimit -u 4096"
    else:
        hint = "look whether memory ran out: journalctl -k | tail" if number == 9 else "repeat the command"
    return ToolError(f"uv was ended by signal {number}", hint=hint, context=lines)


def _syntax(said: Answer) -> DetenteError | None:
    unexpected = said.find(r"error: Unexpected '([^']*)', expected '-c'")
    if unexpected is None and not said.has("Couldn't parse requirement"):
        return None
    return _malformed(said, f"it starts with {unexpected[1]}" if unexpected else _first(said, "cause: "))


def _malformed(said: Answer, detail: str) -> UsageError:
    one = len(said.requirements) == 1
    shown = f"the requirement {without_credentials(said.requirements[0])!r}" if one else "a requirement"
    return UsageError(
        f"cannot understand {shown}: {detail or 'it is malformed'}",
        hint="write a name, name==version, a path or a URL, for example: detente install 'black>=24'",
        context=said.lines[1:],
    )


def _first(said: Answer, label: str) -> str:
    for line in said.lines:
        if line.startswith(label):
            return line.removeprefix(label).rstrip(".")
    return ""


def _settings(said: Answer) -> DetenteError | None:
    variable = said.find(r"Failed to parse environment variable `(\w+)` with invalid value `([^`]*)`")
    if variable:
        return ConfigError(
            f"the variable {variable[1]} is {variable[2]!r}, which uv cannot read",
            hint=f"correct it, or do without: unset {variable[1]}",
            context=said.lines,
        )
    value = said.find(r"invalid value '([^']*)' for '(--[\w-]+)")
    if value:
        return ConfigError(
            f"uv's setting {value[2].removeprefix('--')} is {value[1]!r}, which it does not know",
            hint="see which variable says so: env | grep UV_",
            context=said.lines,
        )
    file = said.find(r"Failed to parse: (\S.*?) cause:")
    if file:
        line = said.find(r"TOML parse error at line (\d+)")
        where = f"{file[1]}, line {line[1]}" if line else file[1]
        brief = [text[:200] for text in said.lines[1:]]
        return ConfigError(f"{where}: uv cannot read its configuration", hint="correct that line", context=brief)
    file = said.find(
        r"(?:Failed to read certificate file `|File not found: |failed to (?:open|read from) file `)([^`\s]+)"
    )
    if file:
        return ConfigError(
            f"a file that the configuration names is missing: {file[1].rstrip('`:')}",
            hint="see who names it: env | grep -e UV_ -e PIP_ -e SSL_; cat ~/.config/pip/pip.conf",
            context=said.lines,
        )
    folder = said.find(r"Failed to read `--find-links` directory: (\S+)")
    if folder:
        return ConfigError(
            f"the directory of distributions {folder[1]} cannot be read",
            hint="create it, or take it out of --find-links, UV_FIND_LINKS, uv.toml or pip.conf",
            context=said.lines[1:],
        )
    return None


def _full(said: Answer) -> DetenteError | None:
    if said.has("No space left on device", "Disk quota exceeded"):
        hint = "free some space (`detente collect` removes what nothing needs) and repeat the command"
        return DiskError("the disk is full; nothing was changed", hint=hint, context=said.lines)
    return None


def _disk(said: Answer) -> DetenteError | None:
    cache = said.find(r"Failed to initialize cache at `([^`]*)`")
    if cache or said.has("Read-only file system", "Permission denied (os error 13)"):
        where = f" at {cache[1]}" if cache else ""
        hint = "make it writable, or name another directory: UV_CACHE_DIR=…"
        return DiskError(f"uv cannot write its cache{where}", hint=hint, context=said.lines)
    return None


def _interpreter(said: Answer) -> DetenteError | None:
    found = said.find(
        r"(?:No interpreter found at path|Failed to (?:inspect|query) Python interpreter"
        r"(?: from provided path)?(?: at)?) `([^`]*)`"
    )
    if not found:
        return None
    return ToolError(
        f"the interpreter {found[1]} cannot be used", hint="choose another one: --python 3.x", context=said.lines
    )


def _paths(said: Answer) -> DetenteError | None:
    missing = said.find(r"Distribution not found at: (?:file://)?(\S.*?)(?: cause:|\Z)")
    if missing:
        from urllib.parse import unquote

        path = unquote(missing[1])
        named = any(path in unquote(text) for text in said.requirements)
        if not named and any("@" in text and "://" not in text for text in said.requirements):
            return _malformed(said, "what follows its name is neither a version nor a URL")
        return NotFound(f"there is nothing at {path}", hint=f"check the path: ls -ld {quoted(path)}")
    empty = said.find(r"`([^`]*)` does not appear to be a Python project")
    if empty:
        return NotFound(
            f"{empty[1]} is no Python project",
            hint="name the directory that holds its pyproject.toml",
            context=said.lines,
        )
    return None


def _integrity(said: Answer) -> DetenteError | None:
    mismatch = said.find(r"[Hh]ash mismatch for (?:package metadata at )?`([^`]*)`")
    if mismatch:
        hint = "do not install it; ask who runs the index"
        return IntegrityError(f"the bytes of {mismatch[1]} are not what was promised", hint=hint, context=said.lines)
    broken = said.find(r"Failed to (?:read|download) `([^`]*)` cause: Failed to extract archive: (\S+)")
    if broken:
        hint = "fetch it anew, or choose another version"
        return IntegrityError(f"{broken[2]} is damaged", hint=hint, context=said.lines)
    name = said.find(r"The wheel filename `([^`]*)` is invalid")
    if name:
        hint = "give it back the name that its publisher gave it"
        return UsageError(f"{name[1]} is not the name of a wheel", hint=hint, context=said.lines)
    return None


def _git(said: Answer) -> DetenteError | None:
    if said.has("Git executable not found"):
        hint = "install it with the package manager of your distribution, for example: sudo apt install git"
        return ToolError("git is not installed, and a requirement is a git repository", hint=hint)
    if not said.has("Git operation failed"):
        return None
    url = said.find(r"git fetch [^`]*?'([^']+)'")
    where = f" {url[1]}" if url else ""
    ref = said.find(r"failed to fetch (?:branch or tag|commit|tag|branch|ref) `([^`]*)`")
    if ref:
        return NotFound(
            f"the git repository{where} has no branch, tag or commit {ref[1]}",
            hint=f"see what it has: git ls-remote{where}",
            context=said.lines,
        )
    return network.git(where, said.lines)


def _build(said: Answer) -> DetenteError | None:
    forbidden = said.find(r"Building source distributions(?: for `([^`]*)`)? is disabled")
    if forbidden:
        return sourceless(forbidden[1] or said.asked)
    failed = said.find(r"Failed to (?:build|download and build) `([^`]*)`")
    requires = said.has("requirements from `build-system.requires`")
    if not failed and not requires and not said.has("The build backend returned an error"):
        return None
    name = re.split(r" @ |==", failed[1])[0] if failed else said.asked
    other = f"choose a version that has a wheel: detente install '{name}==VERSION'"
    if "/" in name:
        other = "mend what its build complains of"
    if requires:
        inner = network.read(said.text, said.lines, said.sources)
        if inner:
            return inner
        error = BuildError(
            f"cannot build {name} from source: what its build needs cannot be had",
            hint=other if normalized(name) in said.names else "see build-system.requires in its pyproject.toml",
            context=said.lines,
        )
    else:
        error = BuildError(
            f"cannot build {name} from source",
            hint=f"install what its build asks for, or {other}",
            context=said.lines,
        )
    if failed and " @ " not in failed[1] and "/" not in name:
        error.distribution = normalized(name)
    return error


def _network(said: Answer) -> DetenteError | None:
    if said.has("No solution found"):
        return network.read_unanswered(said.text, said.lines, said.names)
    return network.read(said.text, said.lines, said.sources)


_READERS: tuple[Callable[[Answer], DetenteError | None], ...] = (
    _full,  # whatever uv was about to do
    _syntax,
    _settings,
    _interpreter,
    _integrity,
    _git,
    _build,
    _paths,
    _network,
    _disk,
    *unsolved.READERS,
)
