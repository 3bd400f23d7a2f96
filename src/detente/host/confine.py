"""Run a program that nobody vouches for, so that it sees and changes only what it was given.

Three ways, the first that works here is taken (`chosen`): bubblewrap; namespaces of our own; Landlock with a filter
of system calls. In each: no network, no home, no variables but the given ones, nothing outside to write, nobody to
signal; never as root; limits on time, disk, output and processes; and nobody survives its end.
The first two hide what is not given, the third refuses it.
"""

import functools
import marshal
import os
import stat
import sys
import time
from collections.abc import Mapping, Sequence

from detente.errors import Refused
from detente.host import fs, landlock, proc
from detente.host.box import Box, Ended, Limits, Mount
from detente.model import Command

WAYS = ("bubblewrap", "namespaces", "landlock")
NOBODY = (65534, 65534)
STAGE = "detente.host.confine_stage"
_PATIENCE = 10.0  # seconds for a probe
_LOOK = 2.0  # seconds between two looks at how much was written


@functools.cache
def chosen(wish: str = "auto") -> str:
    """Return the way that is used here for `wish` (`auto` or one of WAYS), each probed by running; `none` stays.

    Raise Refused where there is none, with what could be done.
    """
    if wish == "none":
        return wish
    for way in WAYS if wish == "auto" else (wish,):
        if _works(way):
            return way
    what = "builds from source cannot be confined on this machine" if wish == "auto" else f"{wish} does not work here"
    raise Refused(
        what,
        hint="install bubblewrap (bwrap), or let build code do what you may: --build-confinement none",
    )


def run(way: str, box: Box, argv: Sequence[str], environment: Mapping[str, str], cwd: str, *, output: str) -> Ended:
    """Run `argv` in `box` to its end, by `way`; its output is appended to the file `output`, as far as it may be.

    Raise ToolError where the way itself cannot be started.
    """
    from detente.host.confine_rules import rules
    from detente.host.filters import assemble, supported

    if way == "none":
        return _followed(Command(tuple(argv), dict(environment), cwd), (), box, output)
    abi = landlock.abi() if way == "landlock" else 0
    program = assemble(rules(way, network=box.network, abi=abi)) if supported() else b""
    if way == "bubblewrap":
        return _bubblewrapped(box, program, argv, environment, cwd, output)
    return _followed(_staged(way, box, program, argv, environment, cwd), (), box, output)


def _bubblewrapped(
    box: Box, program: bytes, argv: Sequence[str], environment: Mapping[str, str], cwd: str, output: str
) -> Ended:
    from detente.host.confine_bubblewrap import command, wait_for_the_last
    from detente.host.filters import descriptor

    heard, told = os.pipe()
    os.set_blocking(heard, False)
    opened = [heard, told]
    try:
        found = descriptor(program) if program else None
        opened += [] if found is None else [found]
        words = command(box, argv, environment, cwd, ceilings=_ceilings(box.limits), rules=found, told=told)
        return _followed(words, opened[1:], box, output)
    finally:
        wait_for_the_last(heard)
        for one in opened:
            os.close(one)


def _staged(
    way: str, box: Box, program: bytes, argv: Sequence[str], environment: Mapping[str, str], cwd: str
) -> Command:
    told = {
        "way": way,
        "mounts": tuple(map(tuple, box.mounts)),
        "filter": program,
        "scratch": box.scratch,
        "user": box.user,
        "network": box.network,
        "ceilings": _ceilings(box.limits),
        "argv": list(argv),
        "environment": {str(name): str(value) for name, value in environment.items()},
        "cwd": cwd,
    }
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    start = f"import sys; sys.path.insert(0, sys.argv[1]); from {STAGE} import main; main()"
    bytecode = ("-X", f"pycache_prefix={sys.pycache_prefix}") if sys.pycache_prefix else ("-B",)  # none beside it
    stage = (sys.executable, "-I", "-S", *bytecode, "-c", start, source)
    return Command(stage, {}, "/", marshal.dumps(told).hex())


def _ceilings(limits: Limits) -> dict[str, int]:
    """Return the kernel's own limits for one process, never above those that we have."""
    import resource

    asked = {"nproc": limits.processes, "fsize": limits.disk, "core": 0}
    ours = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name.upper()))[1] for name in asked}
    return {
        name: most if ours[name] == resource.RLIM_INFINITY else min(most, ours[name]) for name, most in asked.items()
    }


def _followed(command: Command, descriptors: Sequence[int], box: Box, output: str) -> Ended:
    limits = box.limits
    began = looked = time.monotonic()
    written, limit = 0, ""
    before = sum(map(_size, box.watched))  # a project of the person's may hold any amount of data
    with open(output, "ab") as log:

        def heard(data: bytes) -> None:
            nonlocal written
            log.write(data[: max(0, limits.output - written)])
            written += len(data)

        def enough() -> bool:
            nonlocal looked, limit
            now = time.monotonic()
            if now - began > limits.seconds:
                limit = f"it ran for more than {limits.seconds:g} s"
            elif now - looked > _LOOK:
                if sum(map(_size, box.watched)) - before > limits.disk:
                    limit = f"it wrote more than {limits.disk >> 20} MB"
                looked = time.monotonic()
            return bool(limit)

        status = proc.follow(command, heard, enough, pass_fds=descriptors)
        cut = written > limits.output
        if cut:
            log.write(f"\n[output cut: {written} bytes, of which {limits.output} are kept]\n".encode())
    return Ended(status if status >= 0 else 128 - status, limit, cut)


def _size(place: str) -> int:
    """Return how many bytes of disk are in use below `place`; what goes away meanwhile counts as nothing."""
    total, open_places = 0, [place]
    while open_places:
        try:
            with os.scandir(open_places.pop()) as found:
                for entry in found:
                    status = entry.stat(follow_symlinks=False)
                    total += status.st_blocks * 512
                    if stat.S_ISDIR(status.st_mode):
                        open_places.append(entry.path)
        except OSError:
            continue
    return total


def _works(way: str) -> bool:
    """Say whether `way` does here what it says: /bin/sh runs in it and cannot see (or read) a file of ours."""
    import tempfile

    from detente.host.confine_bubblewrap import program
    from detente.host.confine_view import system

    if way == "bubblewrap" and program() is None:
        return False
    scratch = tempfile.mkdtemp(prefix="detente-probe-")
    try:
        for name in ("box", "given", "kept"):
            os.mkdir(os.path.join(scratch, name), 0o755)
        given, kept = os.path.join(scratch, "given"), os.path.join(scratch, "kept")
        with open(os.path.join(kept, "file"), "w", encoding="ascii"):
            pass
        user = NOBODY if os.geteuid() == 0 else None
        limits = Limits(seconds=_PATIENCE, output=4096)
        box = Box((*system(), Mount("rw", given, given)), os.path.join(scratch, "box"), user, False, limits)
        code = 'cat "$1/kept/file" 2>/dev/null && exit 1; cd "$1/given" && exit 42'
        argv = ("/bin/sh", "-c", code, "sh", scratch)
        output = os.path.join(scratch, "output")
        return run(way, box, argv, {"PATH": "/usr/bin:/bin"}, "/", output=output).status == 42
    except OSError:
        return False
    finally:
        fs.remove_tree(scratch)
