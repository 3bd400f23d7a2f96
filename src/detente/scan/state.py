"""The look at our own state: generations, store, environments, and what stands in the way on PATH."""

import os
import time
from collections.abc import Container, Mapping, Sequence

from detente.host.paths import Paths
from detente.model import DistroModules, StoreEntry
from detente.plan.facts import Facts, Resolution, Slot, slot
from detente.scan import foreign
from detente.store import builds, environments, exposures, generations
from detente.store.wheels import entry_directory, find_entry


def look(
    paths: Paths,
    environ: Mapping[str, str],
    command: Sequence[str],
    resolutions: Sequence[Resolution] = (),
    built: Mapping[Slot, str] | None = None,
    *,
    past: bool = False,
    damaged: Container[str] = (),
) -> Facts:
    """Return the snapshot that the planner needs for `resolutions`.

    `built` names the store entries of local sources that this very command has built: they are looked at anew
    each time, so no earlier build counts for them. Without `past` the history stays empty.
    Entries in `damaged` count as absent, and so do those that cannot be read.
    """
    generation, basis = generations.current(paths)
    numbers = generations.numbers(paths)
    entries = _entries(paths, resolutions, built or {}, damaged)
    shared = {}
    names: set[str] = set()
    for resolution in resolutions:
        for artifact in resolution.artifacts:
            entry = entries.get(slot(artifact, resolution.interpreter))
            if entry is None:
                continue
            if entry.name == resolution.name and entry.data and not resolution.wish.suffix:
                commands = frozenset((*entry.commands, *entry.scripts))
                shared[entry.directory] = exposures.shown_files(os.path.join(paths.store, entry.directory), commands)
            if entry.name == resolution.name or entry.name in resolution.wish.commands_from:
                names |= {name + resolution.wish.suffix for name in (*entry.commands, *entry.scripts)}
    found = foreign.commands(paths, sorted(names), environ)
    return Facts(
        basis=basis,
        data=paths.data,
        generation=generation,
        history=generations.history(paths) if past else (),
        highest=numbers[-1] if numbers else 0,
        resolutions=tuple(resolutions),
        entries=entries,
        shared=shared,
        compiled=_compiled(paths, resolutions, entries),
        environments=_environments(paths, {resolution.key: resolution.distro for resolution in resolutions}),
        foreign=found,
        owners=foreign.owners(found.values(), paths, environ) if found else {},
        bin=paths.bin,
        now=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        user=_user(),
        command=tuple(command),
    )


def _environments(paths: Paths, labels: Mapping[str, DistroModules | None]) -> frozenset[str]:
    """Return the environments called after `labels` that are whole: a broken one is made anew, as if it were not.

    So is one whose links to the distro are not those that it is to have now.
    """
    try:
        names = {name: name.rpartition("-")[0] for name in os.listdir(paths.environments)}
    except FileNotFoundError:
        return frozenset()
    return frozenset(
        name for name, label in names.items() if label in labels and environments.is_whole(paths, name, labels[label])
    )


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _entries(
    paths: Paths, resolutions: Sequence[Resolution], built: Mapping[Slot, str], damaged: Container[str]
) -> dict[Slot, StoreEntry]:
    found: dict[Slot, StoreEntry] = {}
    for resolution in resolutions:
        for artifact in resolution.artifacts:
            wanted = slot(artifact, resolution.interpreter)
            if wanted in found:
                continue
            if artifact.kind == "wheel":
                name = entry_directory(artifact.name, artifact.version, artifact.filename, artifact.sha256)
            else:
                name = built.get(wanted) or builds.entry_of(paths, wanted)
            entry = find_entry(os.path.join(paths.store, name)) if name and name not in damaged else None
            if entry is not None:
                found[wanted] = entry
    return found


def _compiled(
    paths: Paths, resolutions: Sequence[Resolution], entries: Mapping[Slot, StoreEntry]
) -> frozenset[tuple[str, str]]:
    from detente.store.bytecode import compiled_tags

    found = set()
    for resolution in resolutions:
        cache_tag = resolution.interpreter.cache_tag
        for artifact in resolution.artifacts:
            entry = entries.get(slot(artifact, resolution.interpreter))
            if entry and cache_tag in compiled_tags(os.path.join(paths.store, entry.directory)):
                found.add((entry.directory, cache_tag))
    return frozenset(found)
