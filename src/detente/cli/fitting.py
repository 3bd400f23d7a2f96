"""A table that is made to fit a width: some columns are cut, or go on in further lines."""

from collections.abc import Collection, Sequence


def fit(
    rows: Sequence[Sequence[str]], width: int, shrink: Sequence[tuple[int, int]], wraps: Collection[int] = ()
) -> list[list[str]]:
    """Return `rows`, the first of which are the heads, so that they fit `width` columns with two between each.

    `shrink` has the columns that may give way, the first first, each with the least width that it keeps; those in
    `wraps` go on in further rows, the others are cut. What then is still too wide stays so.
    """
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    excess = sum(widths) + 2 * (len(widths) - 1) - width
    for place, least in shrink:
        less = min(max(excess, 0), max(widths[place] - least, 0))
        widths[place] -= less
        excess -= less
    found = []
    for row in rows:
        cells = [
            wrapped(text, width) if place in wraps else [cut(text, width)]
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        for line in range(max(map(len, cells))):
            found.append([cell[line] if line < len(cell) else "" for cell in cells])
    return found


def cut(text: str, width: int) -> str:
    """Return `text`, cut where it is longer than `width`."""
    return text if len(text) <= width else text[: max(width - 1, 0)].rstrip() + "…"


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of `text`, none longer than `width`: broken at spaces, within a word only where it must be."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
            continue
        if lines[-1]:
            lines.append("")
        pieces = [word[start : start + width] for start in range(0, len(word), width)] or [""]
        lines[-1:] = pieces
    return lines
