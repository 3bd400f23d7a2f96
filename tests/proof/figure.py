"""A figure: what one section measured about one promise. Nothing is printed or documented that is not one."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

_HOME = re.compile(r"/[^ \"']*?/detente-proof-[^/ ]+/(?:[^/ ]+/)*?home(?=/)")  # where a trial took place says nothing
FOLDER = Path(__file__).resolve().parents[2] / "docs/figures"


@dataclass(frozen=True)
class Figure:
    """`bad` of `total` trials broke `promise`; 0 is what is promised. `how` says in a sentence how each was made.

    `detail` is a further measurement in words ("512 MB/s"), `peers` the same trials on other tools, by name ("uv"),
    each in words ("131 of 349 broken"). `seconds` is how long the measuring took.
    """

    promise: str
    how: str
    total: int
    bad: int
    detail: str = ""
    peers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def save(section: str, figures: Iterable[Figure], about: dict[str, str]) -> None:
    """Keep what `section` measured; `about` says when and on what."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    record = {"about": about, "figures": [asdict(one) for one in figures]}
    text = _HOME.sub("~", json.dumps(record, indent=1, ensure_ascii=False)) + "\n"
    (FOLDER / f"{section}.json").write_text(text, "utf-8")


def load(section: str) -> tuple[dict[str, str], list[Figure]]:
    """Return what `section` measured last: about, figures; both empty where it never ran."""
    path = FOLDER / f"{section}.json"
    if not path.exists():
        return {}, []
    record = json.loads(path.read_text("utf-8"))
    return record["about"], [Figure(**one) for one in record["figures"]]
