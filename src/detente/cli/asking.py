"""From words on the command line to what is asked: paths made absolute, requirement files read."""

import argparse
import os
import re
from collections.abc import Iterable, Iterator

from detente.errors import IntegrityError, NotFound, UsageError
from detente.host import fs
from detente.names import is_command, is_name
from detente.plan.request import Asked, canonical_requirement, is_direct

_SSH = re.compile(r"[\w.-]+@[\w.-]+:[^\s/][^\s]*\Z")
_VERSION = re.compile(r"v?\d+(?:\.\d+)+\w*")
_AT_VERSION = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?)@([A-Za-z0-9][^\s/:]*)\Z")
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*|[a-z0-9](?:\.?[a-z0-9+-])+", re.ASCII)
_OPTION = re.compile(r"(?:^|\s)(--?[a-z][a-z-]*)")  # a whole line of options, or one behind a requirement
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


def requirement(text: str, folder: str = "") -> str:
    """Return `text` as a request remembers it: a named requirement in normal form, a URL, or an absolute path.

    Relative paths count from `folder` (default: where we stand). Raise NotFound where a path does not exist,
    UsageError where it is neither path nor requirement.
    """
    text = text.strip()
    if text.startswith("file:"):
        from urllib.parse import unquote, urlsplit

        url = urlsplit(text)
        text = unquote(url.path)
        _check_digest(text, url.fragment)
    elif is_direct(text) and "://" in text:
        return text
    if _SSH.match(text):
        raise UsageError(f"`{text}` is how ssh names a repository", hint=f"write git+ssh://{text.replace(':', '/', 1)}")
    if re.match(r"(?:github|gitlab|codeberg|bitbucket)\.", text) and "/" in text:
        raise UsageError(f"`{text}` is a web address", hint=f"write git+https://{text}")
    if _VERSION.fullmatch(text):
        raise UsageError(f"`{text}` is a version, not a name", hint=f"write it behind its name: NAME=={text}")
    path, bracket, extras = text.partition("[")
    pathlike = path.startswith((".", "/", "~")) or (
        os.sep in path.partition(";")[0] and " @ " not in text and "://" not in text
    )
    if pathlike or (path.endswith(_ARCHIVES) and "@" not in path):
        whole = os.path.normpath(os.path.join(folder or os.getcwd(), os.path.expanduser(path)))
        if not os.path.exists(whole):
            raise NotFound(f"there is no file or directory {path}", hint="check the path, or name a distribution")
        return whole + bracket + extras
    if text.endswith((".txt", ".in")) and os.path.isfile(os.path.join(folder, text)):
        raise UsageError(f"{text} is a file, not a distribution", hint=f"for its lines: detente install -r {text}")
    if match := _AT_VERSION.match(text):
        text = match[1] if match[2] == "latest" else f"{match[1]}=={match[2]}"
    if text.startswith("-"):
        raise UsageError(f"`{text}` looks like an option", hint="detente install --help lists the options")
    canonical = canonical_requirement(text)
    _check(canonical, text)
    return canonical


def _check_digest(path: str, fragment: str) -> None:
    """Raise IntegrityError where a URL names the SHA-256 of a local file, and the file has another."""
    expected = next((part[7:] for part in fragment.split("&") if part.startswith("sha256=")), "")
    if expected and os.path.isfile(path) and fs.sha256(path) != expected.lower():
        raise IntegrityError(
            f"{path} has another SHA-256 than its URL names",
            hint="get the file anew, or leave out what follows the #",
            context=[f"expected {expected}", f"found    {fs.sha256(path)}"],
        )


def _check(canonical: str, text: str) -> None:
    if is_name(canonical):
        return
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(canonical)
    except InvalidRequirement as err:
        reason = str(err).splitlines()[0]
        raise UsageError(
            f"`{text}` is not a requirement: {reason[:1].lower()}{reason[1:]}",
            hint="write it as in: detente install 'httpie>=3' 'black[d]==24.4.2'",
        ) from err


def asked(parsed: argparse.Namespace) -> tuple[Asked, ...]:
    """Return what the options of `install` or `run` ask for, in the order of the command line, each once."""
    named = [(requirement(text), False) for text in parsed.requirements]
    named += [(_editable(text, ""), True) for text in parsed.editable or ()]
    for path in parsed.requirement or ():
        named += list(from_file(path))
    if not named:
        raise UsageError("nothing was named", hint="detente install NAME…, for example: detente install httpie")
    suffix = parsed.suffix or ""
    if suffix and not is_command("x" + suffix):
        raise UsageError(f"`{suffix}` cannot end a command's name", hint="use letters, digits, . _ @ + or -")
    added = tuple(requirement(text) for text in parsed.added or ())
    return tuple(
        Asked(
            requirement=text,
            added=added,
            python=parsed.python,
            suffix=suffix,
            prerelease=parsed.pre,
            editable=editable,
            commands_from=tuple(_names(parsed.commands_from or ())),
            index_url=parsed.index_url,
            extra_index_urls=tuple(parsed.extra_index_url or ()),
            find_links=tuple(_places(parsed.find_links or ())),
            only_binary=only_binary(parsed),
            with_distro=tuple(dict.fromkeys(_modules(parsed.with_distro or ()))),
        )
        for text, editable in dict.fromkeys(named)
    )


def only_binary(parsed: argparse.Namespace, *, configured: bool = False) -> tuple[str, ...]:
    """Return what `--no-build` and `--only-binary` say on the command line; with `configured`, in the configuration.

    The first is remembered of an application, the second holds as long as it is there.
    """
    if not parsed.only_binary and not parsed.no_build:
        return ()
    from detente.engine import formats

    default = parsed.configured.get("only_binary") or []
    always = bool(parsed.configured.get("no_build"))
    if configured:
        return formats.words([*([formats.ALL] if always else []), *default])
    said = (parsed.only_binary or [])[len(default) :]  # argparse adds what is typed to the default
    return formats.words([*([formats.ALL] if parsed.no_build and not always else []), *said])


def _names(texts: Iterable[str]) -> Iterator[str]:
    from detente.names import normalized

    for text in texts:
        if not is_name(text):
            raise UsageError(
                f"`{text}` is not a distribution's name", hint="write it as in: --commands-from ansible-core"
            )
        yield normalized(text)


def _modules(texts: Iterable[str]) -> Iterator[str]:
    """Yield what `--with-distro` names: modules as they are imported, or system packages; commas part them, too."""
    for text in texts:
        for name in text.split(","):
            if not name.strip():
                continue
            if not _MODULE.fullmatch(name.strip()):
                raise UsageError(
                    f"`{name.strip()}` is the name of neither a module nor a system package",
                    hint="write it as in: --with-distro gi,dbus or --with-distro python3-gi",
                )
            yield name.strip()


def _places(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield text if "://" in text else os.path.abspath(os.path.expanduser(text))


def _editable(text: str, folder: str) -> str:
    whole = requirement(text if text.startswith((".", "/", "~")) else f"./{text}", folder)
    if not os.path.isdir(whole.partition("[")[0]):
        raise UsageError(f"-e takes a project's directory, and {text} is none", hint="detente install -e ./project")
    return whole


def from_file(path: str, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, bool]]:
    """Yield (requirement, editable) for each line of requirements file `path` (pip's "requirements file format").

    `-r` and `-e` lines, comments and continued lines are understood; any other option is a UsageError that
    names the line.
    """
    whole = os.path.abspath(path)
    if whole in seen:
        raise UsageError(f"{path} includes itself", hint="take out one of its -r lines")
    try:
        with open(whole, encoding="utf-8-sig") as stream:
            text = stream.read()
    except FileNotFoundError as err:
        raise NotFound(f"there is no requirements file {path}", hint="check the path after -r") from err
    except (OSError, UnicodeDecodeError) as err:
        raise UsageError(f"{path} cannot be read: {err}", hint="a requirements file is UTF-8 text") from err
    folder = os.path.dirname(whole)
    for number, line in _lines(text):
        word, *rest = line.split(None, 1)
        option, _, value = word.partition("=")
        value = value or "".join(rest)
        if option in ("-r", "--requirement"):
            yield from from_file(os.path.join(folder, value), seen | {whole})
        elif option in ("-e", "--editable"):
            yield _editable(value, folder), True
        elif match := _OPTION.search(line):
            raise UsageError(
                f"{path}, line {number}: {match[1]} is not understood in a requirements file here",
                hint="give it on the command line instead, or take it out",
            )
        else:
            yield requirement(line, folder), False


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (number, content) of what is left of each line once comments and continuations are gone."""
    held, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw)
        start = start or number
        if line.endswith("\\"):
            held += line[:-1]
            continue
        line = (held + line).strip()
        if line:
            yield start, line
        held, start = "", 0
    if held.strip():
        yield start, held.strip()
