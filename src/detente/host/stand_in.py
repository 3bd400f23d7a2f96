"""The engine's interpreter is a stand-in, so that no foreign code runs through the engine.

uv starts a Python twice: to ask what it is, and to call the hooks of a source's build backend, in an environment
whose `bin/python` is a link to what that answer named. So uv is given a small program that answers for the real
interpreter and names itself (`apply.hooks`). Each hook that uv calls arrives there, and runs confined.
"""

import contextlib
import json
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from detente.engine import uv
from detente.errors import Interrupted, Refused
from detente.host import fs, proc, runtime
from detente.model import BuildPolicy, Command, Completed
from detente.names import fingerprint

ROOM = "DETENTE_HOOKS_ROOM"  # variable: a directory that `apply.hooks` may make, and the caller removes
EAR = "DETENTE_HOOKS_EAR"  # variable: the descriptor of a pipe that `apply.hooks` speaks into, JSON line by line
POLICY = "DETENTE_HOOKS_POLICY"  # variable: what build code may do (`BuildPolicy`), as JSON
ANSWER = ".interpreter.json"  # in an environment that is lent: what uv was told of it
_STALE = 86400  # seconds
_PATIENCE = 0.3
_TORN = re.compile(r"Failed to install: \S+\.whl \(([A-Za-z0-9._-]+)==")  # uv 0.13
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from detente.apply.hooks import main; main()"


def stand_in(cache: str, interpreter: str, version: str) -> str:
    """Return the path of the stand-in for `interpreter`, below `cache`, made where it is missing or another.

    uv keeps what it was answered as long as the file stays as it is: so it names what the answer depends on.
    "" where programs below `cache` may not be executed. Raise DiskError where it cannot be written.
    """
    library = runtime.library()
    name = f"{os.path.basename(interpreter)}-{version}-{fingerprint(repr((interpreter, sys.executable, library)), 12)}"
    path = os.path.join(cache, "stand-ins", name)
    real = os.stat(interpreter)
    words = (sys.executable, "-I", "-S", "-c", _START, library, path, interpreter)
    text = (
        f"#!/bin/sh\n# What uv is given for {interpreter} ({real.st_size} bytes of {real.st_mtime_ns}).\n"
        f'exec {" ".join(map(_quoted, words))} "$0" "$@"\n'
    ).encode("utf-8", "surrogateescape")
    try:
        with open(path, "rb") as file:
            same = file.read() == text
    except FileNotFoundError:
        same = False
    if not same:
        try:
            fs.make_directory(os.path.dirname(path))
            fs.replace_file(path, text, 0o755)
        except OSError as err:
            raise fs.disk_error(err, "preparing uv's interpreter") from err
    return path if os.access(path, os.X_OK) else ""


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"  # `shlex` would be one import more for every resolution


@contextlib.contextmanager
def lent(environment: str, substitute: str) -> Iterator[None]:
    """Let `bin/python` of `environment` be `substitute`, where it is not empty, for the time of a `with` block."""
    if not substitute:
        yield
        return
    link = os.path.join(environment, "bin/python")
    own = os.readlink(link)
    fs.switch(link, substitute)
    try:
        yield
    finally:
        fs.switch(link, own)


class Outcome(NamedTuple):
    """What uv answered; and where a hook that was run confined failed, of which source, why, and what to do."""

    answer: Completed
    failed: str = ""
    why: str = ""
    hint: str = ""


def run(
    command: Command,
    cache: str,
    policy: BuildPolicy,
    building: Callable[[str, str], None],
    *,
    meanwhile: Callable[[], None] | None = None,
    watch: Callable[[int], None] | None = None,
) -> Outcome:
    """Run uv's `command`, which was given a stand-in, and return what came of it.

    `building` hears of each source (name, version where known) and how it is confined, once; `meanwhile` and `watch`
    are as for `proc.run`. Raise Refused where a hook was refused, and what `proc.run` raises.
    A wheel that is torn in uv's cache, as a power cut can leave it, is forgotten there, and `command` is run again.
    """
    outcome = _run(command, cache, policy, building, meanwhile=meanwhile, watch=watch)
    torn = _TORN.findall(outcome.answer.stderr) if outcome.answer.returncode != 0 else []
    if not torn:
        return outcome
    environ = command.environment or os.environ
    for name in sorted(set(torn)):
        proc.run(uv.forget(command.argv[0], name, cache=os.path.join(cache, "uv"), environ=environ))
    return _run(command, cache, policy, building, meanwhile=None, watch=watch)


def _run(
    command: Command,
    cache: str,
    policy: BuildPolicy,
    building: Callable[[str, str], None],
    *,
    meanwhile: Callable[[], None] | None = None,
    watch: Callable[[int], None] | None = None,
) -> Outcome:
    rooms = os.path.join(cache, "rooms")
    room = os.path.join(rooms, os.urandom(8).hex())
    ear, mouth = os.pipe()
    heard: list[dict[str, str]] = []

    def listen() -> None:
        with open(ear, encoding="utf-8") as lines:
            for line in lines:
                said = json.loads(line)
                if said not in heard:
                    heard.append(said)
                    if "building" in said:
                        building(said["building"], said["how"])

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    environment = {**(command.environment or os.environ), ROOM: room, EAR: str(mouth), POLICY: json.dumps(policy)}
    try:
        spoken = command._replace(environment=environment)
        answer = proc.run(spoken, pass_fds=(mouth,), meanwhile=meanwhile, watch=watch)
    except (KeyboardInterrupt, Interrupted):
        # whoever waits for the prompt does not wait long for a clean-up: what is left, a later command takes
        cleaner = threading.Thread(target=_leave, args=(rooms, room), daemon=True)
        cleaner.start()
        cleaner.join(_PATIENCE)
        raise
    except BaseException:
        _leave(rooms, room)
        raise
    finally:
        os.close(mouth)
    listener.join(timeout=1)
    _leave(rooms, room)
    for said in heard if answer.returncode != 0 else ():
        if "refused" in said:
            raise Refused(said["refused"], hint=said["hint"] or None)
        if "failed" in said:
            return Outcome(answer, said["failed"], said["why"], said["hint"])
    return Outcome(answer)


def _leave(rooms: str, room: str) -> None:
    """Remove `room`, where a hook made it, and with it what killed commands left."""
    if not os.path.isdir(room):
        return
    with contextlib.suppress(OSError):
        fs.remove_tree(room)
        for name in os.listdir(rooms):
            other = os.path.join(rooms, name)
            if os.stat(other).st_mtime < time.time() - _STALE:
                fs.remove_tree(other)
