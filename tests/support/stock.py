"""What fault trials install, and how they look at what became of it: without a line of the code they try."""

import base64
import csv
import hashlib
import io
import marshal
import os
from pathlib import Path

from support.machine import Machine
from support.wheels import make_wheel

PARTS = 40  # modules that must all be of one version

_MAIN = """\
import importlib, sys


def main():
    for n in range({parts}):
        found = importlib.import_module(f"{name}.part{{n:02}}").VERSION
        if found != "{version}":
            sys.exit(f"part {{n}} is of {{found}}")
    print("{name} {version}")
"""


def fill(folder: Path, *, heavy: int = 0) -> Path:
    """Put app 1.0 and 2.0 (which need dep) and other 1.0 into `folder`; `heavy` random bytes go into app 2.0 too."""
    folder.mkdir(parents=True, exist_ok=True)
    for version in ("1.0", "2.0"):
        files: dict[str, bytes | str] = _modules("app", version)
        if heavy and version == "2.0":
            files["app/heavy.bin"] = os.urandom(heavy)
        make_wheel(folder, "app", version, files=files, commands={"app": "app.main:main"}, requires=["dep"])
    make_wheel(folder, "dep", "1.0", files=_modules("dep", "1.0"))
    make_wheel(folder, "other", "1.0", files=_modules("other", "1.0"), commands={"other": "other.main:main"})
    return folder


def _modules(name: str, version: str) -> dict[str, bytes | str]:
    text = "".join(f"WORD_{n} = 'word {n} of {name}'\n" for n in range(60))
    files: dict[str, bytes | str] = {f"{name}/part{n:02}.py": f'VERSION = "{version}"\n{text}' for n in range(PARTS)}
    return {
        **files,
        f"{name}/__init__.py": "",
        f"{name}/main.py": _MAIN.format(name=name, version=version, parts=PARTS),
    }


def answers(machine: Machine) -> dict[str, str]:
    """Return what each command says; "broken: …" where it does not run, no key where it is not there.

    A link that leads nowhere is no command: no shell finds it.
    """
    said = {}
    for name in ("app", "linked", "other"):
        if os.path.exists(machine.bin / name):
            try:
                answer = machine.call(name)
            except (OSError, AssertionError) as err:
                said[name] = f"broken: {err}"
                continue
            said[name] = answer.out.strip() if answer.status == 0 else f"broken: {answer.err.strip()[-200:]}"
    return said


def damage(data: Path) -> list[str]:
    """Return what is wrong with each published store entry below `data`: files against RECORD, bytecode, records."""
    found = []
    store = data / "store"
    for entry in sorted(store.iterdir()) if store.is_dir() else ():
        if not entry.name.startswith("."):
            found += [f"{entry.name}: {words}" for words in _wrong(entry)]
    return found


def _wrong(entry: Path) -> list[str]:
    if not (entry / "entry.json").is_file() or not (entry / "entry.json").stat().st_size:
        return ["no entry.json"]
    records = list((entry / "lib").glob("*.dist-info/RECORD"))
    if len(records) != 1:
        return ["no RECORD"]
    found = []
    for name, digest, _ in csv.reader(io.StringIO(records[0].read_text("utf-8"))):
        if not digest:
            continue
        path = entry / _place(name)
        algorithm, _, expected = digest.partition("=")
        if not path.is_file():
            found.append(f"{name} is missing")
            continue
        real = base64.urlsafe_b64encode(hashlib.new(algorithm, path.read_bytes()).digest()).rstrip(b"=").decode()
        if real != expected:
            found.append(f"{name} has {path.stat().st_size} bytes, and not those of RECORD")
    for mark in (entry / "bytecode").glob("[!.]*") if (entry / "bytecode").is_dir() else ():
        found += [words for source in (entry / "lib").rglob("*.py") if (words := _bytecode(source, mark.name))]
    return found


def _place(name: str) -> str:
    """Return where in an entry the member `name` of a wheel is."""
    top, _, rest = name.partition("/")
    return rest if top.endswith(".data") else f"lib/{name}"


def _bytecode(source: Path, tag: str) -> str:
    compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
    try:
        marshal.loads(compiled.read_bytes()[16:])
    except (OSError, ValueError, EOFError, TypeError) as err:
        return f"the bytecode of {source.name} is no good: {err}"
    return ""


def staged(machine: Machine) -> list[str]:
    """Return what commands left under temporary names."""
    found = [*machine.data.glob("*/.staging-*"), *machine.data.glob("**/.detente-*")]
    return sorted({str(path.relative_to(machine.data)) for path in found})
