"""Run foreign build code confined: what a hook of a build backend sees, may write, and is told in variables."""

import os
import re
import stat
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from detente.errors import Refused
from detente.host import confine, fs
from detente.host.box import Box, Ended, Limits, Mount
from detente.host.confine_view import accounts, holds, interpreter, ordered, system, toolchains
from detente.model import BuildPolicy

_OWN = ("home", "tmp", "shm", "box")  # private directories in the scratch
# What people set to make a build work, and nothing else of theirs: other variables can hold tokens.
_KEPT = re.compile(
    r"(?:CC|CXX|CPP|FC|AR|LD|AS|NM|RANLIB|STRIP|(?:C|CXX|CPP|F|LD|MAKE|RUST)FLAGS|(?:LD_)?LIBRARY_PATH|CPATH"
    r"|C(?:PLUS)?_INCLUDE_PATH|PKG_CONFIG(?:_\w+)?|CMAKE_\w+|RUSTUP_TOOLCHAIN|CUDA_HOME|SETUPTOOLS_SCM_\w+"
    r"|SOURCE_DATE_EPOCH|TZ)\Z"
)


class Cell(NamedTuple):
    """Where one build runs. `scratch` is ours; `project` is the source tree, `environment` the build's own.

    `shown` is a directory around the project that is to be seen as well, or empty. `out` may be written too.
    `keep` brings back what the build changed in a project that it could only be given a copy of.
    """

    policy: BuildPolicy
    environ: Mapping[str, str]
    interpreter: str
    environment: str
    scratch: str
    project: str
    shown: str = ""
    out: tuple[str, ...] = ()
    keep: bool = False

    @property
    def way(self) -> str:
        """The way that is taken on this machine; Refused where there is none."""
        return confine.chosen(self.policy.confinement)


def spoken(policy: BuildPolicy) -> str:
    """Return how builds are confined here, to be said to a person; Refused where they cannot be."""
    way = confine.chosen(policy.confinement)
    if way == "none":
        return "NOT confined: its code may do whatever you may"
    words = "namespaces" if way == "namespaces" else "Landlock" if way == "landlock" else way
    return f"confined by {words}" + (", with network" if policy.network else "")


def variables(cell: Cell) -> dict[str, str]:
    """Return the variables of the backend: what a build needs to find its tools, and no secrets."""
    environ = cell.environ
    kept = {name: value for name, value in environ.items() if _KEPT.match(name)}
    rust = environ.get("RUSTUP_HOME") or os.path.join(_home(cell), ".rustup")
    if os.path.isdir(rust):  # rustup's cargo looks for its toolchains below the home, which is another one here
        kept["RUSTUP_HOME"] = rust
    return kept | {
        "PATH": os.path.join(cell.environment, "bin") + ":" + environ.get("PATH", os.defpath),
        "VIRTUAL_ENV": cell.environment,
        "HOME": os.path.join(cell.scratch, "home"),
        "TMPDIR": os.path.join(cell.scratch, "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONNOUSERSITE": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        # git refuses repositories of another user, which the build may be; nothing of git's can be reached from here
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


def run(cell: Cell, argv: Sequence[str], cwd: str, more: Mapping[str, str], output: str) -> Ended:
    """Run the hook `argv` in `cell`, with `more` variables; what it says is appended to the file `output`.

    Nobody of it is left when this returns. Raise Refused where nothing here can confine it.
    """
    way = cell.way
    if way != "none" and holds(cell.project, _home(cell)):
        raise Refused(
            f"{cell.project} is to be built, and your home is in it: code that builds would see all of it",
            hint="move the project into a directory of its own",
        )
    for name in _OWN:  # anew for each hook: the one before may have left traps there for whoever makes the next box
        place = os.path.join(cell.scratch, name)
        if os.path.lexists(place):
            fs.remove_tree(place)
        os.mkdir(place, 0o700)
    environment = {**variables(cell), **more}
    limits = Limits(seconds=60.0 * cell.policy.minutes)
    if way == "none":
        box = Box((), os.path.join(cell.scratch, "box"), limits=limits, watched=_written(cell))
        return confine.run(way, box, argv, environment, cwd, output=output)
    user, project = None, cell.project
    if os.geteuid() == 0:
        user, project = _as_whom(cell, way)
        _open_up(cell.environment)
        for place in (*_written(cell), project):
            if place.startswith(cell.scratch + "/"):
                _hand_over(place, user)
        if way == "landlock":  # it shows each thing at its own path alone
            cwd = project + cwd.removeprefix(cell.project)
            environment |= {name: value.replace(cell.project, project) for name, value in more.items()}
            cell = cell._replace(project=project)
    box = Box(
        _mounts(cell, user, environment, project),
        os.path.join(cell.scratch, "box"),
        user,
        cell.policy.network,
        limits,
        tuple({*_written(cell), project}),
    )
    ended = confine.run(way, box, argv, environment, cwd, output=output)
    if project != cell.project and cell.keep:
        _bring_back(project, cell.project)
    return ended


def _home(cell: Cell) -> str:
    return cell.environ.get("HOME") or "/"


def _written(cell: Cell) -> tuple[str, ...]:
    return (*(os.path.join(cell.scratch, name) for name in _OWN[:3]), cell.project, *cell.out)


def _as_whom(cell: Cell, way: str) -> tuple[tuple[int, int], str]:
    """Return which user a build is when we are root, and where the project lies that it works on.

    The owner of the project, or nobody. Root's own project nobody could write: then it gets a copy, seen at the
    same path. Where that cannot be, and the path counts, it stays root without any of root's powers.
    """
    if cell.project.startswith(cell.scratch + "/"):
        return confine.NOBODY, cell.project
    owner = os.stat(cell.project)
    if owner.st_uid != 0:
        return (owner.st_uid, owner.st_gid), cell.project
    if way == "landlock" and cell.keep:
        return (0, 0), cell.project
    copy = os.path.join(cell.scratch, "copy")
    if not os.path.isdir(copy):
        import shutil

        shutil.copytree(cell.project, copy, symlinks=True, ignore=_no_specials)
    return confine.NOBODY, copy


def _no_specials(folder: str, names: list[str]) -> list[str]:
    """Return which of `names` are neither files, directories nor links: reading them would hang."""
    modes = {name: os.lstat(os.path.join(folder, name)).st_mode for name in names}
    return [
        name for name, mode in modes.items() if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))
    ]


def _hand_over(place: str, user: tuple[int, int]) -> None:
    """Make `user` the owner of everything at `place`: before anything foreign was there, and never again."""
    if os.lstat(place).st_uid == user[0]:
        return
    for here, folders, names in os.walk(place):
        for name in (*folders, *names):
            os.chown(os.path.join(here, name), *user, follow_symlinks=False)
    os.chown(place, *user, follow_symlinks=False)


def _open_up(place: str) -> None:
    """Let everybody read what is at `place`, which only we wrote, whatever the umask was."""
    for here, _, names in os.walk(place):
        for path in (here, *(os.path.join(here, name) for name in names)):
            mode = os.lstat(path).st_mode
            wanted = mode | 0o444 | (0o111 if mode & 0o100 else 0)
            if wanted != mode and not stat.S_ISLNK(mode):
                os.chmod(path, stat.S_IMODE(wanted))


def _mounts(
    cell: Cell, user: tuple[int, int] | None, environment: Mapping[str, str], project: str
) -> tuple[Mount, ...]:
    home, scratch = _home(cell), cell.scratch
    named = [value for name, value in environment.items() if _KEPT.match(name)]
    found = [
        *system(network=cell.policy.network),
        *accounts(scratch, user or (os.getuid(), os.getgid()), os.path.join(scratch, "home")),
        *interpreter(cell.interpreter, home),
        *toolchains(cell.environ, named, home),
        Mount("ro", cell.environment, cell.environment),
        Mount("rw", os.path.join(scratch, "tmp"), "/tmp"),  # noqa: S108 - it is another one inside
        Mount("rw", os.path.join(scratch, "tmp"), "/var/tmp"),  # noqa: S108
        Mount("rw", os.path.join(scratch, "shm"), "/dev/shm"),  # noqa: S108
    ]
    if cell.shown and not holds(cell.shown, home):
        found.append(Mount("ro", cell.shown, cell.shown))
    found += [Mount("rw", place, place) for place in _written(cell) if place != cell.project]
    found.append(Mount("rw", project, cell.project))
    repository = os.path.join(project, ".git")
    if not cell.project.startswith(scratch + "/") and os.path.exists(repository) and not os.path.islink(repository):
        found.append(Mount("ro", repository, os.path.join(cell.project, ".git")))  # git runs what is planted there
    return ordered(found)


def _bring_back(copy: str, project: str) -> None:
    """Put the files that a build made or changed in `copy` into `project`: regular ones, never over a link."""
    for here, folders, names in os.walk(copy):
        target = os.path.join(project, os.path.relpath(here, copy))
        folders[:] = [name for name in folders if not os.path.islink(os.path.join(target, name))]
        os.makedirs(target, exist_ok=True)
        for name in names:
            made, own = os.path.join(here, name), os.path.join(target, name)
            if os.path.islink(own) or not stat.S_ISREG(os.lstat(made).st_mode):
                continue
            descriptor = os.open(made, os.O_RDONLY | os.O_NOFOLLOW)
            with open(descriptor, "rb") as file:
                data, mode = file.read(), os.fstat(descriptor).st_mode & 0o755
            if _content(own) != data:
                fs.replace_file(own, data, mode)


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
