"""Build a wheel from source (PEP 517, 518, 660), in two phases.

First our side, with network: the source tree (`apply.sources`) and a build environment that the engine fills
(`apply.filling`).
Then the backend's: its hooks run in that environment, confined (`apply.backend`, `apply.confinement`): without
network, the person's files and variables, and as nobody where we are root.
"""

import os
from collections.abc import Callable, Mapping

from detente.apply.backend import Bench, bad_table, called, checked, hooks_of, is_texts
from detente.apply.confinement import Cell
from detente.apply.filling import Filling
from detente.apply.sources import Fetch, obtain
from detente.engine.sources import Sources
from detente.errors import BuildError
from detente.host import fs
from detente.model import CONFINED, Artifact, BuildPolicy, Interpreter

_LEGACY = ("setuptools.build_meta:__legacy__", ("setuptools>=40.8.0",))  # PEP 517 names both for old projects


def build(
    artifact: Artifact,
    interpreter: Interpreter,
    *,
    uv: str,
    scratch: str,
    cache: str,
    sources: Sources,
    environ: Mapping[str, str],
    fetch: Fetch,
    log: Callable[[str], None],
    offline: bool = False,
    policy: BuildPolicy = CONFINED,
) -> str:
    """Build the wheel of `artifact` for `interpreter` and return its path below `scratch`.

    `scratch` is an empty directory that the caller removes afterwards; `cache` is where the engine's cache
    lies; `fetch` writes the artifact's file to a path, checked; `log` hears each step. With `offline` the
    requirements of the build come from the engine's cache alone. `policy` says what its code may do.
    Raise BuildError with the backend's last words, IntegrityError for a hostile archive, ToolError or
    NetworkError where git or the engine fail.
    """
    scratch = os.path.realpath(scratch)  # what is confined sees one path alone for each thing
    title = f"{artifact.name} {artifact.version}".rstrip()
    environment, wheel = os.path.join(scratch, "env"), os.path.join(scratch, "wheel")
    try:
        os.mkdir(wheel, 0o700)
        tree = obtain(artifact, scratch, environ=environ, fetch=fetch, log=log)
        own = artifact.kind == "directory"
        project = tree if own else os.path.join(scratch, "source")
        shown = repository(tree) if own else ""
        cell = Cell(
            policy, environ, interpreter.path, environment, scratch, project, shown, (wheel,), keep=artifact.editable
        )
        bench = Bench(title, interpreter, cell, log, own)
        backend, path, requires = _build_system(tree, title)

        filling = Filling(title, environment, interpreter, uv, cache, sources, environ, policy, offline, log)
        filling.create()
        filling.install(requires, "the build requirements")
        hooks = hooks_of(bench, tree, backend, path)
        kind = "editable" if artifact.editable else "wheel"
        filling.install(called(bench, hooks, f"get_requires_for_build_{kind}"), "more build requirements")
        log(f"building {title}")
        name = called(bench, hooks, f"build_{kind}", wheel)
    except OSError as err:
        raise fs.disk_error(err, f"building {title}") from err
    return checked(bench, artifact, name)


def _build_system(tree: str, title: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return backend, backend-path and requires as `pyproject.toml` says (PEP 518), or those of old projects."""
    import tomllib

    try:
        with open(os.path.join(tree, "pyproject.toml"), "rb") as file:
            table = tomllib.load(file).get("build-system")
    except FileNotFoundError:
        table = None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise BuildError(
            f"the pyproject.toml of {title} is not TOML", hint="tell its authors", context=(str(err),)
        ) from err
    if table is None:
        return _LEGACY[0], (), _LEGACY[1]
    if not isinstance(table, dict):
        raise bad_table(title, "build-system is not a table")
    requires, path, backend = table.get("requires"), table.get("backend-path", []), table.get("build-backend", "")
    if not is_texts(requires):
        raise bad_table(title, "build-system.requires is missing or not a list of strings")
    if not is_texts(path) or not isinstance(backend, str):
        raise bad_table(title, "build-backend or backend-path has the wrong type")
    return backend or _LEGACY[0], tuple(path), tuple(requires)


def repository(tree: str) -> str:
    """Return the repository that the directory `tree` is in, for what asks it for a version; "" for none."""
    place = tree
    while place != "/":
        if os.path.exists(os.path.join(place, ".git")):
            return place if place != tree else ""
        place = os.path.dirname(place)
    return ""
