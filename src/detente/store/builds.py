"""Which entry a source was built to: one link per source and Python, so that nothing is built twice."""

import os

from detente.host.paths import Paths
from detente.names import normalized
from detente.plan.facts import Slot


def link_of(paths: Paths, wanted: Slot) -> str:
    """Return the path of the link for `wanted`; "" for what is built anew each time (local and editable sources)."""
    artifact, python = wanted
    source = artifact.sha256 or artifact.commit
    if not source or artifact.editable:
        return ""
    below = f"-{normalized(artifact.subdirectory.replace('/', '-'))}" if artifact.subdirectory else ""
    return os.path.join(paths.builds, f"{artifact.name}-{source[:40]}{below}-{python}")


def entry_of(paths: Paths, wanted: Slot) -> str:
    """Return the name of the entry that `wanted` was built to before, or ""."""
    link = link_of(paths, wanted)
    return os.path.basename(os.path.realpath(link)) if link and os.path.isdir(link) else ""
