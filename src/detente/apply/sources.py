"""Get the source tree of a distribution that has to be built: the first phase, with network, and all ours."""

import os
from collections.abc import Callable, Mapping

from detente.apply.archives import unpack
from detente.apply.git import checkout
from detente.errors import BuildError, Refused
from detente.model import Artifact

Fetch = Callable[[Artifact, str], None]


def obtain(
    artifact: Artifact, scratch: str, *, environ: Mapping[str, str], fetch: Fetch, log: Callable[[str], None]
) -> str:
    """Return the directory with the project of `artifact`: below `scratch`, or its own place for a directory.

    `fetch` writes the artifact's file to a path, checked against its hash. Raise IntegrityError for a hostile
    archive, BuildError where there is no Python project, Refused for version control other than git.
    """
    title = f"{artifact.name} {artifact.version}".rstrip()
    tree = os.path.join(scratch, "source")
    if artifact.kind == "directory":
        tree = artifact.location  # built in place, as pip and uv do: its version control and its siblings count
    elif artifact.kind == "vcs":
        _fetch_commit(artifact, tree, title, environ, log)
    else:
        archive = os.path.join(scratch, "archive")
        log(f"fetching {artifact.filename or title}")
        fetch(artifact, archive)
        tree = unpack(archive, tree, title)
    return _project(tree, artifact, title)


def _fetch_commit(
    artifact: Artifact, tree: str, title: str, environ: Mapping[str, str], log: Callable[[str], None]
) -> None:
    for other in ("hg+", "svn+", "bzr+"):
        if artifact.location.startswith(other):
            raise Refused(
                f"{title} comes from {other[:-1]}, and only git works",
                hint="fetch it by hand and install the directory: detente install ./DIRECTORY",
            )
    checkout(artifact.location, artifact.commit, tree, environ=environ, log=log)


def _project(tree: str, artifact: Artifact, title: str) -> str:
    root = os.path.realpath(tree)
    place = os.path.realpath(os.path.join(root, artifact.subdirectory)) if artifact.subdirectory else root
    if place != root and not place.startswith(root + "/"):
        raise BuildError(f"the subdirectory {artifact.subdirectory} of {title} lies outside its source", hint=None)
    if not os.path.isdir(place):
        where = f"the source of {title} has no directory {artifact.subdirectory}"
        gone = f"{artifact.location} is not a directory"
        raise BuildError(where if artifact.subdirectory else gone, hint="check the path")
    if not any(os.path.isfile(os.path.join(place, name)) for name in ("pyproject.toml", "setup.py")):
        names = sorted(os.listdir(place))
        inner = [name for name in names if os.path.isfile(os.path.join(place, name, "pyproject.toml"))]
        hint = "check the path"
        if inner:
            hint = f"the project may be in {', '.join(inner[:3])}: add #subdirectory={inner[0]} to the URL"
        raise BuildError(
            f"{title} is not a Python project: it has neither pyproject.toml nor setup.py",
            hint=hint,
        )
    return place
