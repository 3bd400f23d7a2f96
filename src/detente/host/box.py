"""What a confined program gets, as values: what is seen of the files, which user, how much of everything."""

from typing import NamedTuple


class Mount(NamedTuple):
    """One thing to be seen at `target`: `kind` is `ro`, `rw` or `link` (`source` is its text)."""

    kind: str
    source: str
    target: str


class Limits(NamedTuple):
    """Seconds of the clock, bytes on disk, bytes of output, processes and threads at once."""

    seconds: float = 3600.0
    disk: int = 20 << 30
    output: int = 20 << 20
    processes: int = 4096


class Box(NamedTuple):
    """What the program gets: files, which user it is (uid and gid, where we are root), whether the network.

    `scratch` is an empty directory of ours, for the making of the box. `watched` are directories whose size counts.
    """

    mounts: tuple[Mount, ...]
    scratch: str
    user: tuple[int, int] | None = None
    network: bool = False
    limits: Limits = Limits()
    watched: tuple[str, ...] = ()


class Ended(NamedTuple):
    """How it ended: the status (128 + signal where killed), and which limit ended it, if one did."""

    status: int
    limit: str = ""
    cut: bool = False
