"""The catalogue of hostile wheels: each breaks one rule, and would install and put its command on PATH if it did not.

`cases` gives all of them; `hostile_zip.py`, `hostile_tree.py` and `hostile_words.py` make them by kind.
`hostile_twins.py` has the nearest wheels that keep the rules.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from support.crafted import FILENAME, INFO, Item, items_of, record, wheel

MAIN = b"def main():\n    print('demo 1.0')\n    return 0\n"
DEMO = Item("demo.py", MAIN)
POINTS = Item(f"{INFO}/entry_points.txt", b"[console_scripts]\ndemo = demo:main\n")


@dataclass(frozen=True)
class Case:
    """`make` gives the bytes of the wheel; `says` is what the refusal must name; `advisory` a published fault of it.

    `group` is the kind of rule; `filename` what the file is called.
    """

    group: str
    name: str
    make: Callable[[], bytes]
    says: str
    filename: str = FILENAME
    advisory: str = ""

    @property
    def title(self) -> str:
        """What a report calls it."""
        return f"{self.group}: {self.name}"


def whole(more: Sequence[Item] = (), **how: Any) -> bytes:
    """Return a wheel of module and command, with the members `more` honestly recorded; `how` goes to `wheel`."""
    return wheel([DEMO, POINTS, *more], **how)


def parts(more: Sequence[Item] = (), **how: Any) -> list[Item]:
    """Return all members of `whole`, its RECORD last, to be spoiled one by one."""
    own = items_of([DEMO, POINTS, *more], **how)
    return [*own, Item(f"{INFO}/RECORD", record(own))]


def cases() -> list[Case]:
    """Return the whole catalogue; titles are unique."""
    from support import hostile_tree, hostile_words, hostile_zip

    found = [*hostile_zip.cases(), *hostile_tree.cases(), *hostile_words.cases()]
    assert len({one.title for one in found}) == len(found)
    return found
