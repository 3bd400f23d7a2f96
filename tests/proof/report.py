"""docs/reliability.md, written from the figures alone."""

from pathlib import Path

from proof.figure import FOLDER, Figure, load
from proof.sections import SECTIONS

PAGE = FOLDER.parent / "reliability.md"
_HEAD = """# Reliability: what is promised, and what was measured

Written by `./prove` from its own measurements (`docs/figures`); nothing here is typed by hand. `./check` runs a
sample of the same trials on every change. How each section works: [tests/proof](../tests/proof).

"broken" counts trials after which the promise did not hold. 0 is what is promised.
"""


def page() -> str:
    """Return the page as the saved figures give it."""
    parts = [_HEAD]
    for section, title in SECTIONS.items():
        about, figures = load(section)
        parts.append(f"\n## {title}\n")
        if not figures:
            parts.append(f"\nNot measured yet: `./prove {section}`.\n")
            continue
        where = "; ".join(f"{key} {value}" if key != "date" else value for key, value in about.items())
        peers = sorted({peer for one in figures for peer in one.peers})
        parts.append(f"\nMeasured {where}.\n\n")
        parts.append(table(figures, peers))
    return "".join(parts)


def table(figures: list[Figure], peers: list[str]) -> str:
    """Return a Markdown table of `figures`, one column for each of `peers`."""
    head = ["promise", "how it is tested", "détente", *peers]
    rows = [head, ["---"] * len(head)]
    for one in figures:
        result = f"**{one.bad} broken of {one.total:,}**" + (f"; {one.detail}" if one.detail else "")
        rows.append([one.promise, one.how, result, *(one.peers.get(peer, "–") for peer in peers)])
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in rows)


def write(path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(page(), "utf-8")
