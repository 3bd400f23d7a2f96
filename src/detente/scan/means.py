"""What there is to make damaged things anew from: the locks that name where entries came from, and the records."""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from detente.engine import lock
from detente.errors import DetenteError
from detente.host.paths import Paths
from detente.model import Application, Artifact, Interpreter
from detente.plan.damage import (
    BYTECODE,
    CHANGED,
    ENTRY,
    ENVIRONMENT,
    GENERATION,
    LINK,
    NEEDS,
    Finding,
    Means,
    Report,
    needs_wheel,
)
from detente.plan.environment import specify
from detente.plan.facts import slot
from detente.plan.plan import EnvironmentSpec
from detente.plan.request import command_of
from detente.scan.distro_modules import today
from detente.scan.inventory import Inventory
from detente.store import builds, distro_farm, environments, generations, witness
from detente.store.wheels import entry_directory, find_entry


def look(paths: Paths, environ: Mapping[str, str], report: Report) -> Means:
    """Return what there is to mend what `report` found."""
    try:
        basis = generations.current(paths)[1]
    except DetenteError:
        basis = ""
    entries: dict[str, list[Finding]] = {}
    for item in report.findings:
        if item.place == ENTRY:
            entries.setdefault(item.name, []).append(item)
    applications = _applications(paths)
    specs = {name: _spec(paths, name, applications.get(name)) for name in _environments(paths, report)}
    specs = {name: spec if spec and os.access(spec.interpreter.path, os.X_OK) else None for name, spec in specs.items()}
    damaged = {item.name for item in report.findings if item.place == ENVIRONMENT and item.kind != NEEDS}
    anew = {name for name, found in entries.items() if any(item.kind in (BYTECODE, CHANGED, LINK) for item in found)}
    anew |= {name for name, found in entries.items() if needs_wheel(found)}
    shared = {name for name in anew if not (entry := find_entry(os.path.join(paths.store, name))) or entry.real}
    again = {
        name: _linked_anew(spec, environ, paths)
        for name, spec in specs.items()
        if spec and (name in damaged or not shared.isdisjoint(spec.entries))
    }
    lost = {name for name, found in entries.items() if needs_wheel(found)}
    linked = {entry for spec in specs.values() if spec for entry in spec.entries}
    return Means(
        basis,
        _origins(paths, lost, [spec for spec in specs.values() if spec]),
        again,
        frozenset(_known(paths, report)),
        frozenset(lost - linked) if all(specs.values()) else frozenset(),
    )


def _environments(paths: Paths, report: Report) -> list[str]:
    """Return every environment that is there, or that a finding says should be."""
    there = os.listdir(paths.environments) if os.path.isdir(paths.environments) else []
    missing = [item.name for item in report.findings if item.place == ENVIRONMENT]
    return sorted({name for name in (*there, *missing) if not name.startswith(".")})


def _applications(paths: Paths) -> dict[str, Application]:
    """Return an application for each environment that a readable generation names."""
    found: dict[str, Application] = {}
    for number in generations.numbers(paths):
        generation = generations.recorded(paths, number)
        if generation is None:
            continue
        found |= {item.environment: item for item in generation.applications.values()}
    return found


def _spec(paths: Paths, name: str, application: Application | None) -> EnvironmentSpec | None:
    """Return what environment `name` is to be, None where neither its witness nor its own records say so.

    Its name digests what it runs from: records that do not lead to it are not believed.
    """
    again = command_of(application.wish) if application else ""
    known = witness.read(paths, witness.ENVIRONMENTS, name)
    for texts in (known.texts if known else None, _own(paths, name)):
        try:
            record: dict[str, Any] = json.loads((texts or {})[environments.RECORD])
            interpreter = Interpreter(**record["interpreter"])
            entries = tuple(map(str, record["entries"]))
            spec = specify(
                str(record["label"]),
                interpreter,
                entries,
                (texts or {})[environments.LOCK],
                paths.data,
                again,
                distro_farm.decode(record),
            )
        except (LookupError, TypeError, ValueError):
            continue
        if spec.directory == name:
            return spec
    return None


def _linked_anew(spec: EnvironmentSpec, environ: Mapping[str, str], paths: Paths) -> EnvironmentSpec:
    """Return `spec` with the links to the distro that it is to have today, as far as that is known."""
    if spec.distro is None:
        return spec
    return spec._replace(distro=today(spec.distro, spec.interpreter.cache_tag, environ, paths.cache))


def _own(paths: Paths, name: str) -> dict[str, str]:
    texts = {}
    for file in environments.RECORDS:
        try:
            with open(os.path.join(paths.environments, name, file), encoding="utf-8") as stream:
                texts[file] = stream.read()
        except (OSError, ValueError):
            continue
    return texts


def _origins(
    paths: Paths, names: Iterable[str], specs: Iterable[EnvironmentSpec]
) -> dict[str, tuple[Artifact, Interpreter]]:
    """Return where the entries `names` came from, by the locks of the environments that link them."""
    wanted = set(names)
    found: dict[str, tuple[Artifact, Interpreter]] = {}
    inventory = Inventory(os.path.join(paths.cache, "interpreters.json"))
    for spec in specs:
        mine = (wanted & set(spec.entries)) - found.keys()
        if not mine:
            continue
        try:
            probe = inventory.probe(spec.interpreter.path)
            base = os.path.join(paths.cache, "locks")
            artifacts = lock.artifacts(spec.lock, base=base, tags=probe.tags, markers=probe.markers)
        except DetenteError:
            continue
        for artifact in artifacts:
            for name in mine & _candidates(paths, artifact, spec.interpreter, mine):
                found[name] = artifact, spec.interpreter
    return found


def _candidates(paths: Paths, artifact: Artifact, interpreter: Interpreter, names: set[str]) -> set[str]:
    """Return which of the entries `names` came from `artifact`."""
    if artifact.kind == "wheel":
        return {entry_directory(artifact.name, artifact.version, artifact.filename, artifact.sha256)}
    name = builds.entry_of(paths, slot(artifact, interpreter))
    return {name} if name else {each for each in names if each.startswith(f"{artifact.name}-")}


def _known(paths: Paths, report: Report) -> Iterable[str]:
    """Yield the damaged generations whose records are known."""
    for name in {item.name for item in report.findings if item.place == GENERATION}:
        if name.isdigit() and generations.recorded(paths, int(name)) is not None:
            yield name
