"""Build a wheel from source (PEP 517, 518, 660), in two phases.

First our side, with network: the source tree (`apply.sources`) and a build environment that the engine fills.
Then the backend's: its hooks run in that environment, with variables that hold no secret and a home of its own.
Not done yet: the second phase runs with the person's rights and with network; `_run_backend` is the one place
that starts it, so that a sandbox has one place to stand in. The engine, too, still builds a build requirement
that has no wheel by itself.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from detente.apply.advice import hint_for
from detente.apply.sources import Fetch, obtain
from detente.engine import uv as engine
from detente.engine.sources import Sources
from detente.errors import BuildError
from detente.host import fs, proc
from detente.model import Artifact, Command, Interpreter
from detente.names import normalized

if TYPE_CHECKING:
    from pyproject_hooks import BuildBackendHookCaller

_LEGACY = ("setuptools.build_meta:__legacy__", ("setuptools>=40.8.0",))  # PEP 517 names both for old projects
_TAIL_LINES = 15
_TAIL_BYTES = 65536
# What people set to make a build work, and nothing else of theirs: other variables can hold tokens.
_KEPT = re.compile(
    r"(?:CC|CXX|CPP|FC|AR|LD|AS|NM|RANLIB|STRIP|(?:C|CXX|CPP|F|LD|MAKE|RUST)FLAGS|(?:LD_)?LIBRARY_PATH|CPATH"
    r"|C(?:PLUS)?_INCLUDE_PATH|PKG_CONFIG(?:_\w+)?|CMAKE_\w+|RUSTUP_TOOLCHAIN|CUDA_HOME|SETUPTOOLS_SCM_\w+"
    r"|SOURCE_DATE_EPOCH|TZ)\Z"
)


class _Bench(NamedTuple):
    """Where one build works: all paths are below `scratch`, which the caller removes."""

    title: str
    scratch: str
    interpreter: Interpreter
    environ: Mapping[str, str]
    log: Callable[[str], None]
    own: bool

    def place(self, name: str) -> str:
        return os.path.join(self.scratch, name)

    @property
    def python(self) -> str:
        return self.place("env/bin/python")


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
) -> str:
    """Build the wheel of `artifact` for `interpreter` and return its path below `scratch`.

    `scratch` is an empty directory that the caller removes afterwards; `cache` is where the engine's cache
    lies; `fetch` writes the artifact's file to a path, checked; `log` hears each step. With `offline` the
    requirements of the build come from the engine's cache alone.
    Raise BuildError with the backend's last words, IntegrityError for a hostile archive, ToolError or
    NetworkError where git or the engine fail.
    """
    title = f"{artifact.name} {artifact.version}".rstrip()
    bench = _Bench(title, scratch, interpreter, environ, log, artifact.kind == "directory")
    try:
        for name in ("home", "tmp", "wheel"):
            os.mkdir(bench.place(name), 0o700)
        tree = obtain(artifact, scratch, environ=environ, fetch=fetch, log=log)
        backend, path, requires = _build_system(tree, title)

        def install(requirements: Sequence[str], why: str) -> None:
            if requirements:
                log(f"installing {why} of {title}: {', '.join(requirements)}")
                asked = engine.install_into(
                    uv,
                    bench.python,
                    requirements,
                    cache=os.path.join(cache, "uv"),
                    sources=sources,
                    offline=offline,
                    environ=environ,
                )
                _run_engine(asked, f"the requirements to build {title} could not be installed")

        made = engine.create_environment(
            uv, bench.place("env"), interpreter.path, cache=os.path.join(cache, "uv"), environ=environ
        )
        _run_engine(made, f"no environment to build {title} could be made")
        install(requires, "the build requirements")
        hooks = _hooks(bench, tree, backend, path)
        kind = "editable" if artifact.editable else "wheel"
        install(_called(bench, hooks, f"get_requires_for_build_{kind}"), "more build requirements")
        log(f"building {title}")
        name = _called(bench, hooks, f"build_{kind}", bench.place("wheel"))
    except OSError as err:
        raise fs.disk_error(err, f"building {title}") from err
    return _checked(bench, artifact, name)


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
        raise _bad_table(title, "build-system is not a table")
    requires, path, backend = table.get("requires"), table.get("backend-path", []), table.get("build-backend", "")
    if not _is_texts(requires):
        raise _bad_table(title, "build-system.requires is missing or not a list of strings")
    if not _is_texts(path) or not isinstance(backend, str):
        raise _bad_table(title, "build-backend or backend-path has the wrong type")
    return backend or _LEGACY[0], tuple(path), tuple(requires)


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _bad_table(title: str, what: str) -> BuildError:
    return BuildError(f"the pyproject.toml of {title} cannot be used: {what}", hint="tell its authors")


def _run_engine(command: Command, message: str) -> None:
    answer = proc.run(command)
    if answer.returncode != 0:
        lines = [line for line in answer.stderr.splitlines() if line.strip()]
        raise BuildError(message, hint="see what is wrong below", context=tuple(lines[-_TAIL_LINES:]))


def _hooks(bench: _Bench, tree: str, backend: str, path: tuple[str, ...]) -> "BuildBackendHookCaller":
    from pyproject_hooks import BuildBackendHookCaller

    def runner(cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        _run_backend(bench, cmd, cwd or tree, extra_environ or {})

    try:
        return BuildBackendHookCaller(
            tree, backend, backend_path=path or None, runner=runner, python_executable=bench.python
        )
    except ValueError as err:
        raise _bad_table(bench.title, f"its backend-path: {err}") from err


def _called(bench: _Bench, hooks: "BuildBackendHookCaller", hook: str, *words: str) -> Any:
    """Call `hook` of the backend and return its answer; each way to fail is a BuildError."""
    import warnings

    import pyproject_hooks

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a backend warns of is for its project, and stands in the log
            answer = getattr(hooks, hook)(*words)
    except pyproject_hooks.HookMissing as err:
        if hook != "build_editable":
            raise _failed(bench, "its backend lacks a hook that every backend has: " + hook) from err
        raise BuildError(
            f"{bench.title} cannot be installed editable: its build backend does not offer that",
            hint="install it without -e",
        ) from err
    except pyproject_hooks.BackendUnavailable as err:
        raise _failed(bench, f"its backend {hooks.build_backend} cannot be imported", err.traceback) from err
    except pyproject_hooks.UnsupportedOperation as err:
        raise _failed(bench, "its backend says that it cannot build this here", err.traceback) from err
    except (OSError, ValueError, KeyError) as err:  # the answer of the hook is missing or no JSON
        raise _failed(bench, f"its backend gave no answer to {hook}") from err
    if not (isinstance(answer, str) if words else _is_texts(answer)):
        raise _failed(bench, f"its backend gave a senseless answer to {hook}")
    return answer


def _run_backend(bench: _Bench, argv: Sequence[str], cwd: str, more: Mapping[str, str]) -> None:
    """Run foreign build code: the one place that does, and where confinement belongs.

    Its output goes to a file, so that a flood costs no memory and a daemon that it leaves behind cannot keep
    us waiting. Raise BuildError with the end of that file where it fails.
    """
    log = bench.place("log")
    shell = 'log=$1; shift; exec "$@" >>"$log" 2>&1'
    environment = {**_environment(bench), **more}
    answer = proc.run(Command(("/bin/sh", "-c", shell, "sh", log, *argv), environment, cwd))
    if answer.returncode != 0:
        why = "it was killed, perhaps for want of memory" if answer.returncode in (-9, 137) else ""
        raise _failed(bench, why)


def _environment(bench: _Bench) -> dict[str, str]:
    """Return the variables of the backend: what a build needs to find its tools, and no secrets."""
    environ = bench.environ
    kept = {name: value for name, value in environ.items() if _KEPT.match(name)}
    rust = environ.get("RUSTUP_HOME") or os.path.join(environ.get("HOME", "/"), ".rustup")
    if os.path.isdir(rust):  # rustup's cargo looks for its toolchains below the home, which is another one here
        kept["RUSTUP_HOME"] = rust
    return kept | {
        "PATH": os.path.dirname(bench.python) + ":" + environ.get("PATH", os.defpath),
        "VIRTUAL_ENV": bench.place("env"),
        "HOME": bench.place("home"),
        "TMPDIR": bench.place("tmp"),
        "LANG": "C.UTF-8",
        "PYTHONNOUSERSITE": "1",
    }


def _failed(bench: _Bench, why: str = "", traceback: str | None = None) -> BuildError:
    text = _tail(bench) + (traceback or "")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    for line in lines:
        bench.log(line)
    tool = next((name for name in ("apt", "dnf", "pacman") if os.access(f"/usr/bin/{name}", os.X_OK)), "")
    return BuildError(
        f"building {bench.title} failed" + (f": {why}" if why else ""),
        hint=hint_for(text, bench.interpreter, tool, own=bench.own),
        context=tuple(lines[-_TAIL_LINES:]),
    )


def _tail(bench: _Bench) -> str:
    try:
        with open(bench.place("log"), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _checked(bench: _Bench, artifact: Artifact, name: str) -> str:
    """Return the path of the wheel `name` that the backend made, after a look at what it claims to be."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename
    from packaging.version import InvalidVersion, Version

    path = bench.place(os.path.join("wheel", os.path.basename(name)))
    if os.path.basename(name) != name or os.path.islink(path) or not os.path.isfile(path):
        raise _failed(bench, f"its backend says that it made {name!r}, and there is no such file")
    try:
        made, version, _, _ = parse_wheel_filename(name)
        wanted = Version(artifact.version) if artifact.version else version
    except (InvalidWheelFilename, InvalidVersion) as err:
        raise _failed(bench, f"what it made is not named as a wheel: {name}") from err
    if normalized(made) != normalized(artifact.name) or version != wanted:
        raise BuildError(
            f"building {bench.title} made a wheel of something else: {made} {version}",
            hint=f"ask for a release of {artifact.name}, or tell its authors",
        )
    return path
