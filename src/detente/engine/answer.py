"""What uv says when it fails: cleaned, and ready to be searched. Pure."""

import re
from collections.abc import Sequence

from detente.engine.sources import Sources, without_credentials
from detente.names import normalized

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PROGRESS = re.compile(r"\s*(?:Updating|Updated|Resolved|Prepared|Building|Built|Downloading|Downloaded|Using)\b.*\Z")
_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
_KEPT = 40


def cleaned(stderr: str) -> list[str]:
    """Return the lines of uv's explanation: no colour, progress, credentials or blank edges."""
    lines = [without_credentials(_ANSI.sub("", line)).rstrip() for line in stderr.splitlines()]
    lines = [line for line in lines if line.strip() and not _PROGRESS.match(line)]
    lines = [re.sub(r"(?: included)?(?: file)? in `-`(?: at position \d+)?|: -:\d+:\d+$", "", line) for line in lines]
    if len(lines) > _KEPT:
        lines = [*lines[: _KEPT // 2], f"[{len(lines) - _KEPT} lines left out]", *lines[-_KEPT // 2 :]]
    return lines


class Answer:
    """uv's explanation, ready to be searched: `text` is all of it on one line."""

    def __init__(self, lines: Sequence[str], requirements: Sequence[str], sources: Sources) -> None:
        self.lines = [line.strip() if line.startswith((" ", "\t")) else line for line in lines]
        self.text = " ".join(" ".join(line.split()) for line in lines)
        self.requirements = requirements
        self.sources = sources
        names = (_NAME.match(text) for text in requirements if "://" not in text.split("@")[0])
        self.names = {normalized(match[1]) for match in names if match}

    def has(self, *phrases: str) -> bool:
        """Say whether any of `phrases` stands in the text."""
        return any(phrase in self.text for phrase in phrases)

    def find(self, pattern: str) -> re.Match[str] | None:
        """Return the first match of `pattern` in the text."""
        return re.search(pattern, self.text)

    @property
    def asked(self) -> str:
        """The requirements as the person would type them in a shell, without passwords."""
        words = [word for text in self.requirements for word in (text.split(" ", 1) if text[:1] == "-" else [text])]
        return without_credentials(" ".join(map(quoted, words)))


def quoted(word: str) -> str:
    """Return `word` as one word of a shell."""
    import shlex

    return shlex.quote(word)


def sentence(line: str) -> str:
    """Return a line of uv without its label and full stop."""
    return re.sub(r"\A(?:error|cause|warning): ", "", line).rstrip(".")
