"""Store entries: their names, how a wheel becomes one, and what `entry.json` says of it.

lib/ is what goes to site-packages, scripts/ the scripts scheme as it came, data/ and headers/ those schemes,
bytecode/ marks the Python versions that lib/ was compiled for (bytecode.py), entry.json says what the wheel is.
"""

import json
import os
import re
from collections.abc import Mapping

from detente.errors import IntegrityError
from detente.host import fs
from detente.model import StoreEntry
from detente.names import normalized
from detente.store import distinfo
from detente.store.breach import refuse, shown
from detente.store.distinfo import WheelName

SCHEMA = 1
RECORD = "entry.json"

_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_TYPES = {key: getattr(kind, "__origin__", kind) for key, kind in StoreEntry.__annotations__.items()}


def entry_directory(name: str, version: str, filename: str, sha256: str) -> str:
    """Return the name in the store of the wheel `filename` with the digest `sha256`.

    Raise HostileWheel where `filename` is no wheel's file name.
    """
    return _entry_name(name, version, _parsed(filename).tag, sha256)


def _entry_name(name: str, version: str, tag: str, sha256: str) -> str:
    parts = (normalized(name)[:80], version[:40], tag[:60], sha256[:20])
    return _UNSAFE.sub("_", "-".join(parts)).lstrip(".")


def _parsed(filename: str) -> WheelName:
    try:
        return distinfo.parse_filename(filename)
    except ValueError as err:
        refuse(filename, [str(err)])


def unpack(archive: str, into: str, *, name: str, version: str, filename: str, sha256: str) -> StoreEntry:
    """Check the wheel file `archive` and unpack it into the empty directory `into`; return its entry.

    `sha256` is that of the file, compared by the caller. Files are 0444 or 0555, directories stay 0755 for the
    bytecode. Raise HostileWheel, naming each member at fault, where the wheel breaks a rule, and DiskError where
    the file system refuses; what then lies in `into` is worthless, and nothing lies outside.
    """
    from detente.store import layout, unpacking  # reading an entry must not pay for this
    from detente.store.archive import Archive

    wheel = _parsed(filename)
    try:
        with Archive(archive, filename) as opened:
            contents = layout.examine(opened, wheel, name, version, into)
            found = unpacking.write(opened, contents.places, into)
        entry = StoreEntry(
            directory=_entry_name(name, version, wheel.tag, sha256),
            name=normalized(name),
            version=version,
            tag=wheel.tag,
            sha256=sha256,
            commands=contents.commands,
            scripts=found.scripts,
            startup=found.startup,
            real=found.real,
            data=any(place.part == "data" for place in contents.places),
            files=len(contents.places),
            size=sum(place.member.size for place in contents.places),
        )
        _write_record(into, entry, {"filename": filename, **contents.described(), **found.noted()})
    except OSError as err:
        raise fs.disk_error(err, f"unpacking {shown(filename)}", near=into) from err
    return entry


def check(archive: str, store: str) -> None:
    """Raise HostileWheel where `unpack` would refuse the wheel file `archive` for `store`; nothing is written."""
    from detente.store import layout, unpacking
    from detente.store.archive import Archive

    filename = os.path.basename(archive)
    wheel = _parsed(filename)
    try:
        with Archive(archive, filename) as opened:
            contents = layout.examine(opened, wheel, wheel.name, wheel.version, store)
            unpacking.read(opened, contents.places)
    except OSError as err:
        raise fs.disk_error(err, f"reading {shown(filename)}") from err


def _write_record(into: str, entry: StoreEntry, more: Mapping[str, object]) -> None:
    from detente.store.unpacking import MODIFIED

    text = json.dumps({"schema": SCHEMA, **entry._asdict(), **more}, indent=1, sort_keys=True)
    path = os.path.join(into, RECORD)
    fs.write_file(path, (text + "\n").encode(), 0o444)
    os.utime(path, (MODIFIED, MODIFIED))


def read_entry(path: str) -> StoreEntry:
    """Read the entry at directory `path`; raise IntegrityError where it is damaged or from a newer detente."""
    try:
        return _load(path)
    except (OSError, ValueError, KeyError, TypeError) as err:
        if isinstance(err, OSError) and fs.is_passing(err):
            raise
        raise IntegrityError(
            f"the store entry {os.path.basename(path)} cannot be read",
            hint="make it anew: detente verify --repair",
            context=[f"{type(err).__name__}: {err}"],
        ) from err


def find_entry(path: str) -> StoreEntry | None:
    """Read the entry at directory `path`, None where it is missing or damaged; a newer one raises IntegrityError."""
    try:
        return _load(path)
    except (OSError, ValueError, KeyError, TypeError) as err:
        if isinstance(err, OSError) and fs.is_passing(err):
            raise
        return None


def _load(path: str) -> StoreEntry:
    file = os.path.join(path, RECORD)
    with open(file, encoding="utf-8") as stream:
        value = json.load(stream)
    schema = value["schema"]
    if type(schema) is int and schema > SCHEMA:
        raise IntegrityError(
            f"{file} was written by a newer detente", hint="use that one, or look with: detente history"
        )
    fields = {key: value[key] for key in StoreEntry._fields}
    for key, item in fields.items():
        if type(item) is not _TYPES[key]:
            raise ValueError(f"{key} is not what it must be")
    return StoreEntry(**fields)
