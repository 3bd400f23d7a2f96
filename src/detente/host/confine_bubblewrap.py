"""The command line of bubblewrap for a box.

bubblewrap itself starts with no variables at all: those of its process 1 can be read inside (/proc/1/environ).
"""

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from detente.host.processes import runs
from detente.model import Command

if TYPE_CHECKING:
    from detente.host.box import Box, Mount

_PROGRAMS = ("/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap", "/run/current-system/sw/bin/bwrap")
_OPTIONS = {"ro": "--ro-bind", "rw": "--bind", "link": "--symlink"}
_PATIENCE = 5.0  # seconds
_SHELL = 'cd "$1" && shift && exec "$@"'
_OWN = ("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")


def program() -> str | None:
    """Return the path of bubblewrap, None where it is not installed."""
    return next((path for path in _PROGRAMS if os.access(path, os.X_OK)), None)


def command(
    box: "Box",
    argv: Sequence[str],
    environment: Mapping[str, str],
    cwd: str,
    *,
    ceilings: Mapping[str, int],
    rules: int | None = None,
    told: int | None = None,
) -> Command:
    """Return what runs `argv` in `box`; `ceilings` are resource limits as prlimit(1) names them.

    `rules` is the descriptor that holds the filter of system calls; to `told` the pid of process 1 is written.
    """
    words = [program() or _PROGRAMS[0], "--die-with-parent", "--new-session", *_OWN]
    if not box.network:
        words.append("--unshare-net")
    if box.user is None:
        words.append("--unshare-user")
    else:  # we are root: no user is mapped, but changed for good inside, where nothing else of root's is left
        words += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    words += ["--proc", "/proc", "--dev", "/dev"]
    for mount, above in _with_parents(box.mounts):
        for place in above if box.user is not None else ():
            words += ["--perms", "0755", "--dir", place]  # else they would be root's alone
        words += [_OPTIONS[mount.kind], mount.source, mount.target]
    words += ["--remount-ro", "/", "--chdir", "/"]
    for name, value in environment.items():
        words += ["--setenv", name, value]
    if rules is not None:
        words += ["--seccomp", str(rules)]
    if told is not None:
        words += ["--info-fd", str(told)]
    words += ["--", "/usr/bin/prlimit", *(f"--{name}={most}:{most}" for name, most in ceilings.items()), "--"]
    if box.user is not None:
        uid, gid = box.user
        words += ["/usr/bin/setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--inh-caps=-all", "--"]
    # Root without its powers may not go everywhere, so it is the user who goes there.
    return Command((*words, "/bin/sh", "-c", _SHELL, "sh", cwd, *argv), {}, "/")


def _with_parents(mounts: "Iterable[Mount]") -> "Iterator[tuple[Mount, list[str]]]":
    """Yield `mounts`, each with the directories above it that no mount before brings along, the outer ones first."""
    made: set[str] = set()
    held: tuple[str, ...] = ()
    for mount in mounts:
        parts = mount.target.split("/")
        above = ["/".join(parts[:count]) for count in range(2, len(parts))]
        lacking = [place for place in above if place not in made and not (place + "/").startswith(held)]
        yield mount, lacking
        made.update(lacking, (mount.target,))
        if mount.source == mount.target:
            held += (mount.target + "/",)


def wait_for_the_last(told: int) -> None:
    """Wait until process 1 of the box that wrote to `told` is gone, and with it all others.

    bubblewrap itself ends as soon as the program has, and leaves the rest to the kernel.
    """
    try:
        said = os.read(told, 4096)
    except BlockingIOError:
        return  # it never came so far
    found = re.search(rb'"child-pid": *([0-9]+)', said)
    end = time.monotonic() + _PATIENCE
    while found and runs(int(found[1])) and time.monotonic() < end:
        time.sleep(0.001)
