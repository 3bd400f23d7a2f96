"""What everything that changes the disk works with."""

import threading
from collections.abc import Mapping
from typing import NamedTuple

from detente.engine.sources import Sources
from detente.host.paths import Paths
from detente.model import BuildPolicy
from detente.progress import Progress


class Workshop(NamedTuple):
    """Places, the outside world as it was told to us, and where to tell of progress.

    `policy` says what build code may do. `stop` is set when the work should end early; whoever works in a thread looks
    at it.
    """

    paths: Paths
    environ: Mapping[str, str]
    uv: str
    sources: Sources
    progress: Progress
    stop: threading.Event
    offline: bool = False
    policy: BuildPolicy = BuildPolicy()
