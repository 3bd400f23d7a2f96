"""What the engine starts in place of an interpreter (`host.stand_in`): an answer, or a build hook, confined.

A process of its own: words in, status out. What a person should hear of goes as JSON lines into the pipe that the
variable EAR names. Anything that is neither uv's question nor a hook is refused, so that a uv which works in another
way builds nothing rather than unconfined.
"""

import ast
import contextlib
import json
import os
import re
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from detente.apply.advice import missing_in, refusal_in
from detente.apply.backend import read_plain
from detente.apply.build import repository
from detente.apply.confinement import Cell, run, spoken
from detente.apply.needs import supplier
from detente.errors import DetenteError
from detente.host import fs, proc
from detente.host.stand_in import ANSWER, EAR, POLICY, ROOM, lent
from detente.model import BuildPolicy, Command, Interpreter
from detente.names import is_name

REFUSED = 77
_LARGEST = 1 << 30  # bytes of one file that a hook makes
_TAIL = 65536  # bytes of a hook's output that uv is told
_QUESTION = re.compile(
    r"import sys; sys\.path = \[[^\]\n]*\] \+ sys\.path; from python\.get_interpreter_info import main; main\(\)\Z"
)
_HOOK = re.compile(r"^(?:from \S+ )?import \S+ as backend$", re.MULTILINE)
_BACKEND = re.compile(r" as backend$", re.MULTILINE)
_PLACE = re.compile(r'__import__\("os"\)\.fsdecode\((b"(?:[^"\\]|\\.)*")\)')
_QUIET_FILES = {"_virtualenv.py", "_virtualenv.pth", "__pycache__"}  # what `uv venv` itself puts into an environment


def main() -> NoReturn:
    """Run with the words: the stand-in's path, the real interpreter, what we were called as, and what is wanted."""
    own, real, called, *words = sys.argv[1:]
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    if len(words) == 4 and words[:3] == ["-I", "-B", "-c"] and _QUESTION.match(words[3]):
        sys.exit(_answer(own, real, called, words))
    if len(words) == 2 and words[0] == "-c" and _HOOK.search(words[1]):
        try:
            sys.exit(_hook(own, real, called, words[1]))
        except OSError as err:
            error = fs.disk_error(err, "preparing a build")
            _refuse(error.message, error.hint or "")
        except DetenteError as err:
            _refuse(err.message, err.hint or "")
    _refuse("uv starts its Python in a way that is not known: DETENTE_UV should not name another version of it")


def _refuse(why: str, hint: str = "") -> NoReturn:
    _tell(refused=why, hint=hint)
    sys.stderr.write(f"detente: {why}\n")
    sys.exit(REFUSED)


def _end_with(parent: int) -> None:
    """End this process, and by that all that it started, soon after uv has gone."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def _tell(**said: object) -> None:
    """Say something to the command that waits for uv."""
    ear = os.environ.get(EAR, "")
    if ear.isdigit():
        with contextlib.suppress(OSError):
            os.write(int(ear), json.dumps(said).encode() + b"\n")


def _answer(own: str, real: str, called: str, words: Sequence[str]) -> int:
    """Print what uv asks of the real interpreter, with ourselves as the executable.

    An environment is asked while it is empty, and that is remembered: later its start-up files would be foreign code.
    """
    environment = _environment_of(called)
    kept = os.path.join(environment, ANSWER)
    if environment and os.path.exists(kept):
        with open(kept, encoding="utf-8") as file:
            sys.stdout.write(file.read())
        return 0
    program = real
    if environment:
        if not _is_fresh(environment):
            _refuse(f"the environment {environment} is in use already, and uv asks about it")
        program = os.path.join(environment, "bin", ".real")
        os.symlink(real, program)
    try:
        answer = proc.run(Command((program, *words), timeout=60))
    finally:
        if environment:
            os.unlink(program)
    sys.stderr.write(answer.stderr)
    try:
        facts: dict[str, Any] = json.loads(answer.stdout)
    except ValueError:
        return answer.returncode or REFUSED  # uv says that there was no answer
    facts |= {"sys_executable": called, "sys_base_executable": own, "standalone": False}
    text = json.dumps(facts)
    if environment and answer.returncode == 0:
        with open(kept, "w", encoding="utf-8") as file:
            file.write(text)
    sys.stdout.write(text)
    return answer.returncode


def _environment_of(called: str) -> str:
    """Return the environment whose `bin/python` leads to the stand-in that was called, "" where it was itself."""
    return os.path.dirname(os.path.dirname(os.path.abspath(called))) if os.path.islink(called) else ""


def _is_fresh(environment: str) -> bool:
    from glob import escape, glob

    found = glob(os.path.join(escape(environment), "lib*/python*/site-packages/*"))
    return {os.path.basename(path) for path in found} <= _QUIET_FILES


def _hook(own: str, real: str, called: str, script: str) -> int:
    """Run the hook that `script` calls, confined, and bring what it made to where uv looks for it."""
    environment = _environment_of(called)
    if not environment or os.path.exists(os.path.join(environment, ANSWER)):
        _refuse("builds need an environment of their own: take no-build-isolation out of uv's configuration")
    room = os.path.join(os.environ[ROOM], os.urandom(8).hex())
    out = os.path.join(room, "out")
    os.makedirs(out, 0o700)
    policy = BuildPolicy(*json.loads(os.environ[POLICY]))
    folder = os.getcwd()
    title = _title(folder)
    _tell(building=title, how=spoken(policy))
    places: dict[str, str] = {}
    builds = os.path.realpath(os.path.dirname(environment)) + "/"  # of uv's: its cache has one directory for all

    def inside(match: re.Match[str]) -> str:
        place = os.fsdecode(ast.literal_eval(match[1]))
        if not os.path.realpath(place).startswith(builds):  # an earlier hook may have named it
            _refuse(f"the build of {title} names {place!r} as a directory of its own")
        places[place] = os.path.join(out, str(len(places)), os.path.basename(place))
        os.makedirs(os.path.dirname(places[place]))
        if os.path.isdir(place):
            _copy(place, places[place])
        return f'__import__("os").fsdecode({os.fsencode(places[place])!r})'

    theirs, ours = _parted(script)
    words = [os.path.join(environment, "bin/python"), "-c", theirs + _PLACE.sub(inside, ours)]
    project, shown = _project(folder, os.path.realpath(os.environ["UV_CACHE_DIR"]))
    cell = Cell(policy, dict(os.environ), real, environment, room, project, shown, (out,))
    log = os.path.join(room, "log")
    with _real_python(environment, own, real):
        ended = run(cell, words, folder, {}, log)
    if ended.status == 0 and not ended.limit:
        for place, made in places.items():
            _copy(made, place)
        return 0
    text = (read_plain(log, _LARGEST) or b"")[-_TAIL:].decode("utf-8", "replace")
    sys.stderr.write(text)
    why, way_out = refusal_in(text) if cell.way != "none" else ("", "")
    way_out = way_out or ("" if ended.limit else missing_in(text, _interpreter(environment, real), supplier()))
    _tell(failed=title, why=ended.limit or why, hint=way_out)
    return ended.status or 1


def _parted(script: str) -> tuple[str, str]:
    """Return `script` in two: up to its import of the backend, and what uv says itself behind that.

    The backend's name stands there as the source wrote it, code and all: the paths in it are none of uv's.
    """
    end = max(match.end() for match in _BACKEND.finditer(script))
    return script[:end], script[end:]


def _project(folder: str, cache: str) -> tuple[str, str]:
    """Return the tree that the source in `folder` is part of, and a directory around it that belongs to it.

    What uv unpacked or checked out into its `cache` is one tree, of which a subdirectory may be built.
    """
    parts = os.path.relpath(folder, cache).split("/")
    if parts[0].startswith("sdists-") and "src" in parts:
        return os.path.join(cache, *parts[: parts.index("src") + 1]), ""
    if parts[0].startswith("git-") and parts[1:2] == ["checkouts"]:
        return os.path.join(cache, *parts[:4]), ""
    return folder, repository(folder)


@contextlib.contextmanager
def _real_python(environment: str, own: str, real: str) -> Iterator[None]:
    """Let the scripts of `environment` start the interpreter itself, while the hook runs that cannot write there."""
    path = os.path.join(environment, "pyvenv.cfg")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    home = re.sub(r"(?m)^home = .*$", lambda _: f"home = {os.path.dirname(real)}", text)
    if home != text:
        fs.replace_file(path, home.encode())
    with lent(environment, real):
        yield


def _interpreter(environment: str, real: str) -> Interpreter:
    """Return the interpreter `real`, as far as its version is known from what uv wrote into `environment`."""
    with open(os.path.join(environment, "pyvenv.cfg"), encoding="utf-8") as file:
        said = re.search(r"(?m)^version(?:_info)? = (\d+\.\d+[\w.]*)$", file.read())
    version = said[1] if said else "3.0"
    return Interpreter(real, version, "", "", "", "")


def _copy(place: str, to: str) -> None:
    """Copy the file or directory at `place`, of which nothing is believed, over what is at `to`."""
    try:
        mode = os.lstat(place).st_mode
        if stat.S_ISREG(mode) and (data := read_plain(place, _LARGEST)) is not None:
            fs.replace_file(to, data)
            return
        if stat.S_ISDIR(mode):
            os.makedirs(to, exist_ok=True)
            for name in os.listdir(place):
                _copy(os.path.join(place, name), os.path.join(to, name))
            return
    except FileNotFoundError:
        return  # uv says what is missing
    _refuse(f"the build made something that is neither a file nor a directory, or too large: {os.path.basename(place)}")


def _title(folder: str) -> str:
    """Return what to call the source in `folder`: name and version as it says itself, else the directory's name."""
    try:
        with open(os.path.join(folder, "PKG-INFO"), encoding="utf-8") as file:
            head = file.read(4096)
    except (OSError, ValueError):
        head = ""
    found = [re.search(rf"(?m)^{key}: ([\w.!+-]{{1,200}})$", head, re.ASCII) for key in ("Name", "Version")]
    said = " ".join(match[1] for match in found if match) or _project_name(folder)
    return said or re.sub(r"[^\w.+-]", "?", os.path.basename(folder), flags=re.ASCII)


def _project_name(folder: str) -> str:
    import tomllib

    try:
        with open(os.path.join(folder, "pyproject.toml"), "rb") as file:
            name = tomllib.load(file).get("project", {}).get("name", "")
    except (OSError, ValueError, AttributeError):
        return ""
    return name if isinstance(name, str) and is_name(name) else ""
