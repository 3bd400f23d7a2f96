"""Call the hooks of a build backend (PEP 517, PEP 660), confined, and believe nothing that comes back."""

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from detente.apply import confinement
from detente.apply.advice import hint_for, refusal_in
from detente.apply.confinement import Cell
from detente.apply.needs import supplier
from detente.errors import BuildError
from detente.model import Artifact, Interpreter
from detente.names import normalized

if TYPE_CHECKING:
    from pyproject_hooks import BuildBackendHookCaller

TAIL_LINES = 15
_TAIL_BYTES = 65536
_LARGEST_ANSWER = 1 << 20
_SENSELESS = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
_LIMITED = "ask its authors; if it must be so, builds without limits are: --build-confinement none"


class Bench(NamedTuple):
    """Where one build works: all paths are below the cell's `scratch`, which the caller removes."""

    title: str
    interpreter: Interpreter
    cell: Cell
    log: Callable[[str], None]
    own: bool

    def place(self, name: str) -> str:
        """Return the path of `name` in the scratch."""
        return os.path.join(self.cell.scratch, name)

    @property
    def python(self) -> str:
        """The interpreter of the build's environment."""
        return self.place("env/bin/python")


def hooks_of(bench: Bench, tree: str, backend: str, path: tuple[str, ...]) -> "BuildBackendHookCaller":
    """Return what calls the hooks of `backend` in `tree`; BuildError where its path leads outside."""
    from pyproject_hooks import BuildBackendHookCaller

    def runner(cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        _run_backend(bench, cmd, cwd or tree, extra_environ or {})

    try:
        return BuildBackendHookCaller(
            tree, backend, backend_path=path or None, runner=runner, python_executable=bench.python
        )
    except ValueError as err:
        raise bad_table(bench.title, f"its backend-path: {err}") from err


def called(bench: Bench, hooks: "BuildBackendHookCaller", hook: str, *words: str) -> Any:
    """Call `hook` of the backend and return its answer; each way to fail is a BuildError."""
    import warnings

    import pyproject_hooks

    # What a backend warns of is for its project, and stands in the log. Other threads build too: no filter of a block.
    warnings.filterwarnings("ignore", category=pyproject_hooks.BuildBackendWarning)
    try:
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
    except _SENSELESS as err:  # the answer of the hook is missing, no JSON, or JSON of another shape
        raise _failed(bench, f"its backend gave no answer to {hook}") from err
    if not (isinstance(answer, str) if words else is_texts(answer)):
        raise _failed(bench, f"its backend gave a senseless answer to {hook}")
    return answer


def _run_backend(bench: Bench, argv: Sequence[str], cwd: str, more: Mapping[str, str]) -> None:
    """Run foreign build code: the one place that does.

    The hook's question and answer lie in a directory of the library's own, the last word of `argv`; what is run
    gets a copy of it. Raise BuildError with the end of what it said where it fails.
    """
    import shutil

    python, script, hook, control = argv
    ours = bench.place(f"control-{hook}")
    os.mkdir(ours, 0o700)
    for source, name in ((script, "hook.py"), (os.path.join(control, "input.json"), "input.json")):
        shutil.copyfile(source, os.path.join(ours, name))
    cell = bench.cell._replace(out=(*bench.cell.out, ours))
    ended = confinement.run(cell, (python, os.path.join(ours, "hook.py"), hook, ours), cwd, more, bench.place("log"))
    if ended.limit:
        raise _failed(bench, ended.limit, hint=_LIMITED)
    if ended.status != 0:
        why = "it was killed, perhaps for want of memory" if ended.status == 137 else ""
        raise _failed(bench, why)
    answer = read_plain(os.path.join(ours, "output.json"), _LARGEST_ANSWER)
    if answer is not None:
        with open(os.path.join(control, "output.json"), "wb") as file:
            file.write(answer)


def read_plain(path: str, most: int) -> bytes | None:
    """Return the bytes of the regular file at `path`; None for anything else, absent, linked, or larger than `most`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > most:
            return None
        return file.read(most)


def _failed(bench: Bench, why: str = "", traceback: str | None = None, hint: str = "") -> BuildError:
    text = _tail(bench) + str(traceback or "")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    for line in lines:
        bench.log(line)
    refused, way_out = refusal_in(text) if bench.cell.way != "none" and not why and not hint else ("", "")
    why = why or refused
    return BuildError(
        f"building {bench.title} failed" + (f": {why}" if why else ""),
        hint=hint or way_out or hint_for(text, bench.interpreter, supplier(), own=bench.own),
        context=tuple(lines[-TAIL_LINES:]),
    )


def _tail(bench: Bench) -> str:
    try:
        with open(bench.place("log"), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _is_plain(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def checked(bench: Bench, artifact: Artifact, name: str) -> str:
    """Return the path of the wheel `name` that the backend made, after a look at what it claims to be."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename
    from packaging.version import InvalidVersion, Version

    path = bench.place(os.path.join("wheel", os.path.basename(name)))
    if os.path.basename(name) != name or not _is_plain(path):
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


def is_texts(value: object) -> TypeGuard[list[str]]:
    """Say whether `value` is a list of strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def bad_table(title: str, what: str) -> BuildError:
    """Return the error of a pyproject.toml that says `what` wrongly."""
    return BuildError(f"the pyproject.toml of {title} cannot be used: {what}", hint="tell its authors")
