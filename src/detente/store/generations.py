"""Generations on disk: read the current one, stage the next, switch. Readers need no lock.

`current` is a symbolic link to `generations/<n>`; replacing it is the one atomic change of every command.
"""

import json
import os
import re
from typing import Any

from detente.errors import DiskError, IntegrityError
from detente.host import fs
from detente.host.paths import Paths
from detente.model import EMPTY_GENERATION, Application, Generation, Wish
from detente.store import witness

SCHEMA = 1
RECORD = "record.json"
RECORDS = (RECORD,)
BASIS_OF_NOTHING = "0"
_NUMBER = re.compile(r"[0-9]+")


def current_number(paths: Paths) -> int:
    """Return the number that `current` points to, 0 where there is no generation yet."""
    target = fs.read_link(paths.current)
    if target is None and not os.path.lexists(paths.current):
        return 0
    name = (target or "").rpartition("/")[2]
    if not _NUMBER.fullmatch(name):
        raise IntegrityError(
            f"{paths.current} does not point to a generation", hint=f"look where it points: ls -l {paths.current}"
        )
    return int(name)


def current(paths: Paths) -> tuple[Generation, str]:
    """Return the current generation and its basis: a text that changes whenever the generation does."""
    number = current_number(paths)
    return (EMPTY_GENERATION, BASIS_OF_NOTHING) if number == 0 else _load(paths, number)


def history(paths: Paths) -> tuple[Generation, ...]:
    """Return the generations from the current one back along their parents, newest first.

    It ends where collect removed the parent, or at the empty beginning. Generations that were made but never
    switched to (a kill in between) are not among them.
    """
    found: list[Generation] = []
    number = current_number(paths)
    while number > 0 and (not found or os.path.isdir(os.path.join(paths.generations, str(number)))):
        found.append(_load(paths, number)[0])
        number = found[-1].parent
    return tuple(found)


def numbers(paths: Paths) -> list[int]:
    """Return every generation number on disk, ascending."""
    try:
        return sorted(int(name) for name in os.listdir(paths.generations) if _NUMBER.fullmatch(name))
    except FileNotFoundError:
        return []


def load(paths: Paths, number: int) -> Generation:
    """Return generation `number`; raise IntegrityError where its record cannot be read."""
    return _load(paths, number)[0]


def _load(paths: Paths, number: int) -> tuple[Generation, str]:
    import zlib

    path = os.path.join(paths.generations, str(number), RECORD)
    try:
        with open(path, "rb") as stream:
            text = stream.read()
        value = json.loads(text)
        if value["schema"] > SCHEMA:
            raise IntegrityError(
                f"generation {number} was written by a newer detente",
                hint="use that one, or go back to a generation before it: detente history",
            )
        generation = _decode(value)
        if generation.number != number or generation.parent >= number:
            raise ValueError(f"it says generation {generation.number} after {generation.parent}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        if isinstance(err, OSError) and fs.is_passing(err):
            raise
        older = [item for item in numbers(paths) if item < number]
        known = witness.read(paths, witness.GENERATIONS, str(number))
        raise IntegrityError(
            f"the record of generation {number} cannot be read: {path}",
            hint="make it anew: detente verify --repair"
            if known and known.texts
            else f"point to an earlier one: ln -sfn generations/{older[-1]} {paths.current}"
            if older
            else f"begin anew, and install again what you need: rm {paths.current}",
            context=[str(err)],
        ) from err
    return generation, f"{number}:{zlib.crc32(text):08x}"


def recorded(paths: Paths, number: int) -> Generation | None:
    """Return generation `number` as its witness has it, else as its own record says; None where neither can be read."""
    known = witness.read(paths, witness.GENERATIONS, str(number))
    try:
        if known and known.texts:
            return _decode(json.loads(known.texts[RECORD]))
        return _load(paths, number)[0]
    except (IntegrityError, ValueError, LookupError, TypeError, AttributeError):
        return None


def encode(generation: Generation) -> bytes:
    """Return the bytes of a record."""
    applications = {
        key: {**item._asdict(), "wish": item.wish._asdict()} for key, item in generation.applications.items()
    }
    value = {"schema": SCHEMA, **generation._asdict(), "applications": applications}
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def _decode(value: dict[str, Any]) -> Generation:
    value = {name: item for name, item in value.items() if name != "schema"}
    applications = {}
    for key, item in value.pop("applications").items():
        wish: dict[str, Any] = {
            name: tuple(part) if isinstance(part, list) else part for name, part in item.pop("wish").items()
        }
        applications[key] = Application(wish=Wish(**wish), **item)
    return Generation(applications=applications, command=tuple(value.pop("command")), **value)


def stage(paths: Paths, generation: Generation) -> fs.Staged:
    """Build `generation` beside its siblings: its record, and the links that it exposes."""
    staged = fs.Staged(paths.generations)
    try:
        fs.write_file(os.path.join(staged.path, RECORD), encode(generation), 0o444)
        for path, target in links(generation).items():
            place = os.path.join(staged.path, path)
            fs.make_directory(os.path.dirname(place))
            os.symlink(target, place)
    except BaseException:
        staged.discard()
        raise
    return staged


def exposures(generation: Generation) -> dict[str, str]:
    """Return every path that `generation` exposes, below itself, to a path below the environments."""
    found: dict[str, str] = {}
    for item in generation.applications.values():
        for name, target in item.commands.items():
            found[f"bin/{name}"] = f"{item.environment}/{target}"
        for path, target in item.files.items():
            found.setdefault(path, f"{item.environment}/{target}")
    return found


def links(generation: Generation) -> dict[str, str]:
    """Return every path that `generation` exposes, below itself, to what the link there says."""
    return {path: "../" * (path.count("/") + 2) + f"envs/{target}" for path, target in exposures(generation).items()}


def switch(paths: Paths, number: int) -> None:
    """Make generation `number` the current one: one rename, durable on return."""
    fs.switch(paths.current, f"generations/{number}")
    try:
        fs.fsync_directory(paths.data)
    except OSError as err:
        raise DiskError(
            f"the change is made, but the disk did not confirm it: {err.strerror}",
            hint="look at the disk (dmesg), and repeat the command",
        ) from err
