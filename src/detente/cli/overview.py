"""The overview that `detente` and `detente --help` print, and the nearest verb to a typo."""

from collections.abc import Iterable, Mapping

from detente.cli.table import Verb


def text(verbs: Mapping[str, Verb], examples: Iterable[tuple[str, str]]) -> str:
    """Return the overview: examples, then the verbs by group, one line each."""
    lines = ["détente: one front door for Python packages on Linux", "", "usage: detente COMMAND [OPTIONS] …", ""]
    lines += [f"  {command:<26}  {what}" for command, what in examples]
    group = ""
    for name, verb in verbs.items():
        if verb.group != group:
            group = verb.group
            lines += ["", group]
        lines.append(f"  {name:<10} {verb.summary}")
    lines += ["", "detente COMMAND --help has the options and examples of one command.", ""]
    return "\n".join(lines)


def nearest(word: str, known: Iterable[str], most: int = 2) -> str:
    """Return the one of `known` that is at most `most` edits from `word` (or begins with it), or ""."""
    best, closest = most + 1, ""
    for name in known:
        gap = 1 if len(word) > 2 and name.startswith(word) else _distance(word, name)
        if gap < best and gap < max(len(word), 2):
            best, closest = gap, name
    return closest


def _distance(one: str, other: str) -> int:
    """Return the number of edits between two words; a swap of neighbours counts as one (Damerau 1964)."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
