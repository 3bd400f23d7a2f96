"""Compare environments, generations and the links outside with what their records say of them."""

import os
from collections.abc import Callable

from detente.errors import IntegrityError
from detente.host import fs
from detente.host.paths import Paths
from detente.model import Generation, Interpreter
from detente.plan.damage import (
    CHANGED,
    ENTRY,
    ENVIRONMENT,
    EXTRA,
    FOREIGN,
    GENERATION,
    LINK,
    MISSING,
    MODE,
    OUTSIDE,
    UNREADABLE,
    Finding,
)
from detente.plan.environment import LAYOUT, specify
from detente.store import distro_farm, environments, exposures, generations, listing, witness
from detente.store.verify import UNSAFE, read_plain
from detente.store.wheels import read_entry

Says = Callable[[str, str, str], None]  # path, kind, what


def check_environment(paths: Paths, name: str) -> tuple[Finding, ...]:
    """Compare environment `name` with its record: farm, scripts, interpreter, and that all entries are there."""
    findings: list[Finding] = []

    def say(path: str, kind: str, what: str) -> None:
        findings.append(Finding(ENVIRONMENT, name, path, kind, what))

    top = os.path.join(paths.environments, name)
    if not os.path.isdir(top) or os.path.islink(top):
        say("", MISSING, "is missing" if not os.path.lexists(top) else "is no directory")
        return tuple(findings)
    try:
        text = read_plain(os.path.join(top, environments.RECORD))
        record = environments.record_of(paths, name)
        interpreter = Interpreter(**record["interpreter"])
        entries = tuple(map(str, record["entries"]))
        label, place, files = str(record["label"]), record["place"], record.get("files", "")
        distro = distro_farm.decode(record)
    except (OSError, IntegrityError, LookupError, TypeError, ValueError) as err:
        say(environments.RECORD, UNREADABLE, f"cannot be read ({err})")
        return tuple(findings)
    known = witness.read(paths, witness.ENVIRONMENTS, name)
    spec = specify(label, interpreter, entries, "", paths.data, distro=distro)
    named = spec.directory if record.get("layout") == LAYOUT else name
    if (known is not None and known.record != witness.digest(text)) or (place == top and named != name):
        say(environments.RECORD, CHANGED, "is not what it was when the environment was made")
        return tuple(findings)
    if place != top:
        say("", CHANGED, f"was made for {place}")
        return tuple(findings)
    for entry in entries:
        if not os.path.isdir(os.path.join(paths.store, entry)):
            findings.append(Finding(ENTRY, entry, "", MISSING, "is missing"))
    if not os.access(interpreter.path, os.X_OK):
        say("bin/python", LINK, f"leads to {interpreter.path}, which is gone")
    if files:
        _compare(paths, top, str(files), entries, interpreter, say)
    elif not environments.is_whole(paths, name):
        say("", MISSING, "lacks scripts or launchers")
    return tuple(findings)


def _compare(paths: Paths, top: str, files: str, entries: tuple[str, ...], interpreter: Interpreter, say: Says) -> None:
    try:
        text = read_plain(os.path.join(top, environments.FILES))
        wanted = listing.decode(text)
    except (OSError, ValueError) as err:
        say(environments.FILES, UNREADABLE, f"cannot be read ({err})")
        return
    if witness.digest(text) != files:
        say(environments.FILES, CHANGED, "is not what it was when the environment was made")
        return
    found = listing.of(top, without=environments.RECORD)
    found.pop(environments.FILES, None)
    shared = _shared(paths, entries) if listing.REAL in wanted.values() else {}
    for path in sorted(wanted.keys() | found.keys()):
        must, now = wanted.get(path), found.get(path)
        if must == now == listing.REAL or (must == listing.REAL and now is not None and not now.startswith(">")):
            info = os.lstat(os.path.join(top, path))
            same = any(f"/{path}".endswith(tail) for tail in shared.get((info.st_dev, info.st_ino), ()))
            if not same:
                say(path, CHANGED, "is not the file of the store any more")
        elif must is None:
            if not any(path.startswith(f"{folder}/") for folder in found.keys() - wanted.keys()):
                say(path, EXTRA, "was not there when the environment was made")
        elif now is None:
            say(path, MISSING, "is missing")
        elif must != now:
            say(path, *_difference(must, now))
    for path in (
        "",
        environments.RECORD,
        environments.FILES,
        *(path for path, kind in found.items() if kind == listing.FOLDER),
    ):
        if os.lstat(os.path.join(top, path)).st_mode & UNSAFE:
            say(path, MODE, "can be written")


def _difference(must: str, now: str) -> tuple[str, str]:
    """Return kind and words for an item that is `now` instead of `must`."""
    if must.startswith("> "):
        return LINK, f"leads to {now[2:]} instead of {must[2:]}" if now.startswith("> ") else "is no link any more"
    if now.startswith("> "):
        return LINK, f"is a link to {now[2:]}"
    if must != listing.FOLDER and must.partition(" ")[2] == now.partition(" ")[2]:
        return MODE, f"has the mode {now[:4]}"
    return CHANGED, "has other bytes than when the environment was made"


def _shared(paths: Paths, entries: tuple[str, ...]) -> dict[tuple[int, int], list[str]]:
    """Return the files of *real* entries by device and inode: the ends that a path to each may have."""
    found: dict[tuple[int, int], list[str]] = {}
    for name in entries:
        top = os.path.join(paths.store, name)
        try:
            if not read_entry(top).real:
                continue
        except IntegrityError:
            continue
        for folder, _, names in os.walk(top):
            for file in names:
                path = os.path.join(folder, file)
                info = os.lstat(path)
                part, _, rest = os.path.relpath(path, top).partition("/")
                end = f"/{rest}" if part != "scripts" else f"/bin/{rest}"
                found.setdefault((info.st_dev, info.st_ino), []).append(end)
    return found


def check_generation(paths: Paths, number: int) -> tuple[tuple[Finding, ...], Generation | None]:
    """Compare generation `number` with its record; return the findings, and the generation where it can be read."""
    findings: list[Finding] = []

    def say(path: str, kind: str, what: str) -> None:
        findings.append(Finding(GENERATION, str(number), path, kind, what))

    top = os.path.join(paths.generations, str(number))
    try:
        text = read_plain(os.path.join(top, generations.RECORD))
        generation = generations.load(paths, number)
    except (OSError, IntegrityError) as err:
        say(generations.RECORD, UNREADABLE, f"cannot be read ({err})")
        return tuple(findings), None
    known = witness.read(paths, witness.GENERATIONS, str(number))
    if known is not None and known.record != witness.digest(text):
        say(generations.RECORD, CHANGED, "is not what it was when the generation was made")
        return tuple(findings), None
    if os.lstat(os.path.join(top, generations.RECORD)).st_mode & UNSAFE:
        say(generations.RECORD, MODE, "can be written")
    wanted = generations.links(generation)
    found = {path: item for path, item in listing.of(top, without=generations.RECORD).items() if item != listing.FOLDER}
    for path in sorted(wanted.keys() | found.keys()):
        if path not in wanted:
            say(path, EXTRA, "was not there when the generation was made")
        elif path not in found:
            say(path, MISSING, "is missing")
        elif found[path] != f"> {wanted[path]}":
            say(path, LINK, _difference(f"> {wanted[path]}", found[path])[1])
    return tuple(findings), generation


def check_outside(paths: Paths, generation: Generation) -> tuple[Finding, ...]:
    """Compare the links outside with those that the current `generation` wants."""
    findings = []
    for link, target in exposures.places(paths, generation).items():
        text = fs.read_link(link)
        if text is None:
            gone = not os.path.lexists(link)
            if not gone and os.path.dirname(link) != paths.bin:
                continue  # a manual page of somebody else stays, and was told of when it was met
            kind, what = (MISSING, "is missing") if gone else (FOREIGN, "is somebody else's file now")
        elif not exposures.is_ours(paths, link):
            kind, what = FOREIGN, f"leads to {text}, which is not ours"
        elif os.path.realpath(os.path.join(os.path.dirname(link), text)) != os.path.realpath(target):
            kind, what = LINK, f"leads to {text}"
        else:
            continue
        findings.append(Finding(OUTSIDE, link, "", kind, what))
    return tuple(findings)
