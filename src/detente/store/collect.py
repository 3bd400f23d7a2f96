"""What the store holds, who reaches it, and its removal. Only this module removes entries and environments."""

import os
import re
from collections.abc import Iterable

from detente.errors import IntegrityError, Interrupted
from detente.host import fs
from detente.host.paths import Paths
from detente.plan.facts import Holdings
from detente.plan.plan import Discard
from detente.store import environments, generations, witness


def holdings(paths: Paths) -> Holdings:
    """Look at everything in the store; an environment whose record is broken reaches what its links lead to."""
    chain = generations.history(paths)
    if not chain and generations.numbers(paths):
        raise IntegrityError(
            f"there are generations, but {paths.current} does not say which is current",
            hint=f"say it: ln -sfn generations/{generations.numbers(paths)[-1]} {paths.current}",
        )
    named = {number: frozenset[str]() for number in generations.numbers(paths)}  # whoever is not in the chain goes
    for one in chain:
        named[one.number] = frozenset(item.environment for item in one.applications.values())
    linked = {}
    for name in _names(paths.environments):
        try:
            linked[name] = frozenset(environments.entries_of(paths, name))
        except IntegrityError:
            linked[name] = _linked(paths, name)
    entries = frozenset(_names(paths.store))
    return Holdings(
        basis=generations.current(paths)[1],
        current=generations.current_number(paths),
        chain=tuple(item.number for item in chain),
        generations=named,
        environments=linked,
        entries=entries,
        in_use=in_use(paths),
    )


def _linked(paths: Paths, name: str) -> frozenset[str]:
    """Return the entries that links of environment `name` lead to: it may run although its record is lost."""
    found = set()
    for folder, below, files in fs.walk(os.path.join(paths.environments, name)):
        for item in (*below, *files):
            target = fs.read_link(os.path.join(folder, item)) or ""
            if target.startswith(paths.store + "/"):
                found.add(target[len(paths.store) + 1 :].partition("/")[0])
    return frozenset(found)


def _names(path: str) -> list[str]:
    try:
        return [name for name in os.listdir(path) if not name.startswith(".")]
    except FileNotFoundError:
        return []


def in_use(paths: Paths) -> frozenset[str]:
    """Return the environment and entry directories that running processes name or have mapped (proc(5)).

    Of other people's processes only the command line can be read; that is where a script's path stands.
    """
    found: set[str] = set()
    places = {paths.environments, paths.store}
    made_at = (environments.made_at(paths, name) for name in _names(paths.environments))
    places |= {os.path.dirname(place) for place in made_at if place}  # as HOME was spelled when it was made
    places |= {os.path.realpath(place) for place in places}  # as the kernel names what is mapped
    pattern = re.compile(
        b"(?:%s)/([^/:\\0\\n]+)" % b"|".join(re.escape(os.fsencode(place)) for place in sorted(places))
    )
    me = str(os.getpid())
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or pid == me:
            continue
        for source in ("cmdline", "maps", "environ"):
            try:
                with open(f"/proc/{pid}/{source}", "rb") as stream:
                    text = stream.read()
            except OSError as err:
                if fs.is_passing(err):
                    raise  # who cannot look does not know that it is not in use
                continue
            found.update(os.fsdecode(name) for name in pattern.findall(text))
        for link in ("exe", "cwd", *_open_files(pid)):
            try:
                text = os.fsencode(os.readlink(f"/proc/{pid}/{link}")) + b"/"
            except OSError:
                continue
            found.update(os.fsdecode(name) for name in pattern.findall(text))
    return frozenset(found)


def _open_files(pid: str) -> list[str]:
    try:
        return [f"fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError as err:
        if fs.is_passing(err):
            raise
        return []


def size_of(path: str) -> int:
    """Return the bytes that removing `path` frees: blocks of files with no other link."""
    total = 0
    for folder, _, names in os.walk(path):
        total += os.lstat(folder).st_blocks * 512
        for name in names:
            info = os.lstat(os.path.join(folder, name))
            if info.st_nlink == 1:
                total += info.st_blocks * 512
    return total


def discard(paths: Paths, step: Discard) -> int:
    """Remove what `step` names, generations first, so that nothing kept ever points into a hole.

    Return the bytes freed. Each directory loses its name before its content, so a kill leaves no half one. An error
    or an interrupt says whether a part was removed already.
    """
    doomed = [os.path.join(paths.generations, str(number)) for number in step.generations]
    doomed += [os.path.join(paths.environments, name) for name in step.environments]
    doomed += [os.path.join(paths.store, name) for name in step.entries]
    try:
        freed = sum(map(_bury, doomed))
        _forget_builds(paths, step.entries)
        witness.forget(paths, witness.STORE, step.entries)
        witness.forget(paths, witness.ENVIRONMENTS, step.environments)
        witness.forget(paths, witness.GENERATIONS, map(str, step.generations))
        for parent in (paths.generations, paths.environments, paths.store):
            if os.path.isdir(parent):
                fs.fsync_directory(parent)
    except OSError as err:
        raise fs.disk_error(err, "removing what nothing needs", _how_far(doomed)) from err
    except Interrupted as err:
        raise Interrupted(err.exit_status - 128, _how_far(doomed)) from err
    return freed


def _bury(path: str) -> int:
    """Remove the directory `path`; return the bytes freed."""
    freed = size_of(path)
    grave = os.path.join(os.path.dirname(path), f"{fs.STAGING}dead-{os.path.basename(path)}")
    os.rename(path, grave)
    fs.remove_tree(grave)
    return freed


def _how_far(doomed: Iterable[str]) -> str:
    """Say, from what is there, how far it came: half a removal does no harm, but it is not nothing."""
    if all(map(os.path.lexists, doomed)):
        return "nothing was changed"
    return "a part of it was removed, and the same command removes the rest"


def _forget_builds(paths: Paths, entries: Iterable[str]) -> None:
    gone = set(entries)
    for name in _names(paths.builds):
        link = os.path.join(paths.builds, name)
        if (fs.read_link(link) or "").rpartition("/")[2] in gone:
            os.unlink(link)
