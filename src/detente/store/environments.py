"""Environments: a prefix whose interpreter imports what its lock lists, made of links, never changed again.

pyvenv.cfg  environment.json  pylock.toml
bin/        python, and every distribution's scripts
launch/     launchers of the commands that may be exposed
lib/…/site-packages, include/, share/ …    the farm
distro/     the modules of the distro's Python that it was to have
"""

import json
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from detente.errors import Collision, IntegrityError
from detente.host import fs
from detente.host.paths import Paths
from detente.model import DistroModules, Interpreter, StoreEntry
from detente.plan.environment import LAYOUT
from detente.store import distro_farm, farm, launchers, listing, witness
from detente.store.wheels import RECORD as RECORD_OF_ENTRY
from detente.store.wheels import read_entry
from detente.store.witness import MARKS

if TYPE_CHECKING:
    from detente.plan.plan import Compile, EnvironmentSpec

SCHEMA = 1
RECORD = "environment.json"
LOCK = "pylock.toml"
RECORDS = (RECORD, LOCK)  # what it can be made anew from
FILES = "files.json"  # what the environment consists of, for `verify`; the record has its digest


def stage(paths: Paths, spec: "EnvironmentSpec") -> fs.Staged:
    """Build the environment `spec` beside its siblings, sealed; raise Collision where entries contradict."""
    staged = fs.Staged(paths.environments)
    try:
        entries = [read_entry(os.path.join(paths.store, name)) for name in spec.entries]
        _fill(staged.path, os.path.join(paths.environments, spec.directory), paths, spec, entries)
        fs.seal(staged.path)
    except BaseException:
        staged.discard()
        raise
    return staged


def _fill(root: str, final: str, paths: Paths, spec: "EnvironmentSpec", entries: list[StoreEntry]) -> None:
    interpreter = spec.interpreter
    python = _interpreter_links(root, final, interpreter)
    site = os.path.join(root, interpreter.site)

    def trees(part: str) -> list[farm.Tree]:
        found = []
        for entry in entries:
            path = os.path.join(paths.store, entry.directory, part)
            if os.path.isdir(path):
                found.append(farm.Tree(entry.name, path, bool(entry.real)))
        return found

    scripts = _scripts(root, python, paths, entries)
    _write_record(root, final, spec, scripts)
    farm.plant(site, trees("lib"))
    headers = trees("headers")
    # real before the data is planted: what is written below it must not go through a link into the store
    include = os.path.join(root, "include", "site", os.path.basename(os.path.dirname(interpreter.site)))
    for tree in headers:
        farm.plant(os.path.join(include, tree.owner), [tree])
    data = trees("data")
    for tree in data:
        for name in ("launch", *([distro_farm.FOLDER] if spec.distro else [])):
            if os.path.lexists(os.path.join(tree.path, name)):
                raise Collision(
                    f"two distributions own {name}: {tree.owner} and the environment itself",
                    hint=f"ask for another version of {tree.owner}, and tell its authors",
                )
    if data:
        farm.plant(root, data)
    if spec.distro:
        distro_farm.plant(root, interpreter.site, spec.distro)
    os.mkdir(os.path.join(root, "launch"), 0o755)
    made = launchers.for_commands(scripts, spec.again, final, interpreter.path, interpreter.site, spec.label)
    for name, text in made.items():
        fs.write_file(os.path.join(root, "launch", name), text, 0o555)
    if os.path.lexists(os.path.join(root, FILES)):
        raise Collision(
            f"two distributions own {FILES}: {data[0].owner if data else spec.label} and the environment itself",
            hint="tell the authors of that one",
        )
    files = listing.encode(listing.of(root, without=RECORD))
    fs.write_file(os.path.join(root, FILES), files, 0o444)
    os.unlink(os.path.join(root, RECORD))
    _write_record(root, final, spec, scripts, witness.digest(files))


def _interpreter_links(root: str, final: str, interpreter: Interpreter) -> str:
    """Write pyvenv.cfg and the interpreter's names; return the path that scripts start with (PEP 405)."""
    home = os.path.dirname(interpreter.path)
    config = (
        f"home = {home}\ninclude-system-site-packages = false\nversion = {interpreter.version}\n"
        f"executable = {interpreter.path}\nprompt = {os.path.basename(final).rpartition('-')[0]}\n"
    )
    fs.write_file(os.path.join(root, "pyvenv.cfg"), launchers.encoded(config), 0o444)
    os.mkdir(os.path.join(root, "bin"), 0o755)
    os.chmod(os.path.join(root, "bin"), 0o755)
    os.symlink(interpreter.path, os.path.join(root, "bin", "python"))
    major, minor = interpreter.minor
    for name in (f"python{major}", f"python{major}.{minor}"):
        os.symlink("python", os.path.join(root, "bin", name))
    fs.make_directory(os.path.join(root, interpreter.site))
    os.symlink("lib", os.path.join(root, "lib64"))
    return os.path.join(final, "bin", "python")


def _write_record(root: str, final: str, spec: "EnvironmentSpec", scripts: Sequence[str] = (), files: str = "") -> None:
    record = {
        "schema": SCHEMA,
        "layout": LAYOUT,
        "label": spec.label,
        "place": final,
        "interpreter": spec.interpreter._asdict(),
        "entries": list(spec.entries),
        "scripts": list(scripts),
        "files": files,
        **({"distro": distro_farm.encode(spec.distro)} if spec.distro else {}),
    }
    fs.write_file(os.path.join(root, RECORD), (json.dumps(record, indent=1) + "\n").encode(), 0o444)
    if not files:
        fs.write_file(os.path.join(root, LOCK), spec.lock.encode(), 0o444)


def _scripts(root: str, python: str, paths: Paths, entries: list[StoreEntry]) -> list[str]:
    """Write bin/ of all entries; return the names that start with the environment's Python."""
    made: dict[str, str] = {}
    names = []
    for entry in entries:
        for name, target in entry.commands.items():
            if _claim(made, name, entry):
                fs.write_file(os.path.join(root, "bin", name), launchers.entry_point(python, target), 0o555)
                names.append(name)
        for name, is_python in entry.scripts.items():
            if name in entry.commands or not _claim(made, name, entry):
                continue
            source = os.path.join(paths.store, entry.directory, "scripts", name)
            place = os.path.join(root, "bin", name)
            if is_python:
                with open(source, "rb") as stream:
                    fs.write_file(place, launchers.rewritten(python, stream.read()), 0o555)
                names.append(name)
            else:
                farm.show_file(farm.Tree(entry.name, source, bool(entry.real)), place)
    return names


def _claim(made: dict[str, str], name: str, entry: StoreEntry) -> bool:
    """Say whether `entry` gets the script `name`: the first owner keeps it, and python* is the environment's."""
    if name in made or name == "python" or (name.startswith("python") and name[6:].replace(".", "").isdigit()):
        return False
    made[name] = entry.name
    return True


def entries_of(paths: Paths, directory: str) -> tuple[str, ...]:
    """Return the store entries that environment `directory` links; raise IntegrityError without its record."""
    return tuple(record_of(paths, directory)["entries"])


def interpreters_of(paths: Paths, entry: str) -> list[Interpreter]:
    """Return one interpreter for each Python version whose environments link `entry`, of those that are there."""
    found = {}
    for name in os.listdir(paths.environments) if os.path.isdir(paths.environments) else ():
        try:
            record = record_of(paths, name)
            interpreter = Interpreter(**record["interpreter"])
        except (IntegrityError, LookupError, TypeError):
            continue
        if entry in record["entries"] and os.access(interpreter.path, os.X_OK):
            found[interpreter.cache_tag] = interpreter
    return list(found.values())


def uncompiled(paths: Paths, directories: Iterable[str]) -> "tuple[Compile, ...]":
    """Return what is left to be compiled for the environments `directories`: a kill may have come before that."""
    from detente.plan.plan import Compile

    found = []
    for directory in directories:
        record = record_of(paths, directory)
        interpreter = Interpreter(**record["interpreter"])
        tag = interpreter.cache_tag
        bare = [name for name in record["entries"] if not os.path.exists(os.path.join(paths.store, name, MARKS, tag))]
        if tag and bare:
            found.append(Compile(interpreter, tuple(bare)))
    return tuple(found)


def is_whole(paths: Paths, directory: str, distro: DistroModules | None = None) -> bool:
    """Say whether environment `directory` can run: where it was made, with interpreter, scripts and entries there.

    So are the distro's modules that it has; and with `distro` given, they must be just those.
    """
    place = os.path.join(paths.environments, directory)
    try:
        record = record_of(paths, directory)
        needed = [os.path.join(paths.store, name, RECORD_OF_ENTRY) for name in record["entries"]]
        needed += [os.path.join(place, part, name) for name in record["scripts"] for part in ("bin", "launch")]
        found = distro_farm.decode(record)
        if found and (distro_farm.dangling(found) or (distro and not distro_farm.same_links(found, distro))):
            return False
        return (
            record["place"] == place
            and os.access(os.path.join(place, "bin", "python"), os.X_OK)
            and all(map(os.path.exists, needed))
        )
    except (IntegrityError, KeyError, TypeError):
        return False


def made_at(paths: Paths, directory: str) -> str:
    """Return the path that environment `directory` was made for; "" where its record is lost."""
    try:
        return str(record_of(paths, directory).get("place", ""))
    except IntegrityError:
        return ""


def record_of(paths: Paths, directory: str) -> dict[str, Any]:
    """Return the record of environment `directory`; raise IntegrityError where it cannot be read."""
    path = os.path.join(paths.environments, directory, RECORD)
    try:
        with open(path, encoding="utf-8") as stream:
            value: dict[str, Any] = json.load(stream)
        if value["schema"] > SCHEMA:
            raise IntegrityError(f"{path} was written by a newer detente", hint="use that one")
        if not isinstance(value["entries"], list):
            raise TypeError("entries are no list")
        return value
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as err:
        if isinstance(err, OSError) and fs.is_passing(err):
            raise
        raise IntegrityError(
            f"the environment {directory} cannot be read", hint="go back: detente rollback", context=[str(err)]
        ) from err
