"""Wheels or sources: pip's `--only-binary` and `--no-binary`, folded as pip folds them. Pure.

Later words win: `:all:` stands for every distribution, `:none:` takes back what was said before.
"""

import re
from collections.abc import Iterable, Sequence

from detente.engine.sources import Sources
from detente.errors import ResolutionError, UsageError
from detente.model import Artifact
from detente.names import is_name, normalized

ALL, NONE = ":all:", ":none:"
ALLOW = f"allow sources: --only-binary {NONE}"
_SOURCES = frozenset({"sdist", "archive", "vcs", "directory"})


def words(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of `--only-binary` options, normalized; raise UsageError for what is no name."""
    found = [word for text in texts for word in re.split(r"[\s,]+", text) if word]
    for word in found:
        if word not in (ALL, NONE) and not is_name(word):
            raise UsageError(
                f"`{word}` is not a distribution's name", hint="write it as in: --only-binary lxml, or :all:"
            )
    return tuple(word if word in (ALL, NONE) else normalized(word) for word in found)


def with_only_binary(sources: Sources, said: Sequence[str]) -> Sources:
    """Return `sources` with the words of `--only-binary` on top of what they say already."""
    only, never = list(sources.only_binary), list(sources.no_binary)
    for word in said:
        if word == NONE:
            only = []
        elif word == ALL:
            only, never = [ALL], []
        elif word not in only:
            only.append(word)
            never = [name for name in never if name != word]
    return sources._replace(only_binary=tuple(only), no_binary=tuple(never))


def check(artifacts: Iterable[Artifact], sources: Sources) -> None:
    """Raise ResolutionError where one of `artifacts` would have to be built although `sources` say wheels only.

    uv looks at this where it chooses a version, and not at a URL or directory that tells its metadata unasked.
    """
    for artifact in artifacts:
        if artifact.kind in _SOURCES and is_wheel_only(artifact.name, sources):
            raise sourceless(artifact.name)


def is_wheel_only(name: str, sources: Sources) -> bool:
    """Say whether `name`, normalized, may be had as a wheel alone."""
    if name in sources.no_binary:
        return False
    return name in sources.only_binary or ALL in sources.only_binary


def sourceless(name: str) -> ResolutionError:
    """Return the error for `name`, a file or tree that was named itself and is a source."""
    return ResolutionError(
        f"{name} would have to be built from source, and that is not allowed",
        hint=f"name a wheel of it, or {ALLOW}",
    )
