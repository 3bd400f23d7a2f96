"""What every section is given: where to work, how much to do, and the peers to compare with."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Lab:
    """`scratch` is an empty directory of this section's own; `quick` asks for a sample instead of the whole.

    `jobs` is how many trials may run at once; `only` names one kind of trial, where a section has several.
    """

    scratch: Path
    quick: bool = False
    jobs: int = os.cpu_count() or 1
    only: str = ""

    def peer(self, name: str) -> str | None:
        """Return the path of the peer's program ("uv", "pipx", "pip"), None where it is not there."""
        folder = os.environ.get("DETENTE_PEERS")
        return shutil.which(name, path=folder) if folder else None

    def wants(self, kind: str) -> bool:
        """Say whether trials of this kind are asked for."""
        return self.only in ("", kind)

    def say(self, words: str) -> None:
        """Tell whoever waits how far it is."""
        print(f"  {words}", file=sys.stderr, flush=True)

    def sample(self, count: int, every: int) -> list[int]:
        """Return 1 to `count`; of a quick run each `every`-th and the last."""
        return [n for n in range(1, count + 1) if not self.quick or n % every == 0 or n == count]
