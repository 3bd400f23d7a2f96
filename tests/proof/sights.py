"""What a trial looks at: commands, links, the files of others, the store; without a line of the code that it tries."""

import base64
import csv
import hashlib
import io
import marshal
import os
from pathlib import Path
from typing import NamedTuple

from detente.host.fs import TEMPORARY
from proof.cases import State
from support.machine import Machine

_OWN = (".local/share/detente", ".cache/detente", ".local/state/detente")


class Sight(NamedTuple):
    """What a person sees: commands and their answers, our links outside, the names that detente keeps."""

    state: State
    links: dict[str, str]
    kept: frozenset[str]


def look(machine: Machine) -> Sight:
    """Run every command that a shell would find in our directory, and look at our links."""
    state, links = {}, {}
    for name in machine.commands():
        path = machine.bin / name
        # a name of ours that nobody calls: `leftovers` sees to it
        if name != "theirs" and not name.startswith(TEMPORARY) and os.path.exists(path):
            words = ("--version",) if name == "detente" else ()
            answer = machine.call(name, *words)
            said = answer.out.strip().replace("\n", ", ") if answer.status == 0 else f"broken: {answer.err[-300:]}"
            state[name] = "detente" if name == "detente" and said.startswith("detente ") else said
    share = machine.home / ".local/share"
    for top in (machine.bin, *(share / name for name in ("man", "bash-completion", "applications"))):
        for path in top.rglob("*"):
            if path.is_symlink() and "detente/current/" in os.readlink(path):
                links[str(path.relative_to(machine.home))] = os.readlink(path)
    kept = {str(path.relative_to(machine.data)) for path in machine.data.glob("[segb]*/[!.]*") if path.is_dir()}
    return Sight(state, links, frozenset(kept))


def outside(machine: Machine) -> dict[str, str]:
    """Return every file that is neither in detente's own directories nor one of its links: mode and content."""
    found = {}
    for folder, below, names in os.walk(machine.home):
        where = os.path.relpath(folder, machine.home)
        below[:] = [name for name in below if os.path.normpath(os.path.join(where, name)) not in _OWN]
        below[:] = [name for name in below if name != "__pycache__"]  # a source is built where it lies
        for name in (*names, *(one for one in below if os.path.islink(os.path.join(folder, one)))):
            path = Path(folder, name)
            if path.is_symlink():
                if "detente/current/" not in os.readlink(path):
                    found[os.path.normpath(os.path.join(where, name))] = f"-> {os.readlink(path)}"
            else:
                text = hashlib.sha256(path.read_bytes()).hexdigest()
                found[os.path.normpath(os.path.join(where, name))] = f"{path.stat().st_mode:o} {text}"
    return found


def leftovers(machine: Machine) -> list[str]:
    """Return what is still there under a temporary name of ours, or in transit, or open in the store."""
    found = [*machine.home.rglob(".detente-*"), *machine.data.glob("*/.staging-*"), *machine.data.glob("downloads/*")]
    opened = [path for path in machine.data.glob("store/[!.]*/**/") if path.stat().st_mode & 0o222]
    return sorted(below_home(str(path), machine.home) for path in (*found, *opened))


def damage(machine: Machine) -> list[str]:
    """Return what is wrong below detente's data: entries against RECORD, bytecode, links that lead nowhere."""
    found = []
    for entry in sorted(machine.data.glob("store/[!.]*")):
        found += [f"{entry.name}: {words}" for words in _wrong(entry)]
    for top in (*machine.data.glob("envs/[!.]*"), *machine.data.glob("generations/[!.]*")):
        for folder, below, names in os.walk(top):
            for name in (*below, *names):
                path = os.path.join(folder, name)
                if os.path.islink(path) and not os.path.exists(path):
                    found.append(f"{below_home(path, machine.home)} leads nowhere")
    current = machine.data / "current"
    if os.path.lexists(current) and not (current / "record.json").is_file():
        found.append(f"current leads to {os.readlink(current)}, which is no generation")
    return found


def _wrong(entry: Path) -> list[str]:
    records = list((entry / "lib").glob("*.dist-info/RECORD"))
    if len(records) != 1 or not (entry / "entry.json").is_file():
        return ["it has no RECORD or no entry.json"]
    found = []
    for name, digest, _ in csv.reader(io.StringIO(records[0].read_text("utf-8"))):
        scheme = name.split("/", 2) if name.partition("/")[0].endswith(".data") else ["", "lib", name]
        path = entry / scheme[1] / scheme[2]
        if digest and not path.is_file():
            found.append(f"{name} is missing")
        elif digest:
            real = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
            if digest != f"sha256={real}":
                found.append(f"{name} has not the bytes of RECORD")
    for mark in entry.glob("bytecode/*[!-]"):
        for source in entry.glob("lib/**/*.py") if "." not in mark.name else ():
            try:
                marshal.loads((source.parent / "__pycache__" / f"{source.stem}.{mark.name}.pyc").read_bytes()[16:])
            except (OSError, ValueError, EOFError, TypeError) as err:
                found.append(f"the bytecode of {source.name} is no good: {err}")
    return found


def difference(before: dict[str, str], after: dict[str, str]) -> str:
    gone = sorted(before.keys() - after.keys())
    come = sorted(after.keys() - before.keys())
    other = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    return f"missing {gone}, additional {come}, different {other}"


def below_home(text: str, home: Path) -> str:
    return text.replace(f"{home}/", "~/")
