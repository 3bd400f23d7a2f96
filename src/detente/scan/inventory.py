"""Facts about interpreters, asked once each and kept: one child per interpreter, later one small file.

The file holds what reading commands need. The wheel tags, fifteen hundred for each interpreter, lie in a file
of their own each, beside it, and are read only where wheels are chosen.
"""

import contextlib
import json
import os
import threading
from typing import Any, NamedTuple

from detente.errors import ToolError, UsageError
from detente.host import fs, proc
from detente.model import Command, Interpreter
from detente.names import fingerprint
from detente.scan.tags import musl_version, tags

SCHEMA = 1
ANSWER_SECONDS = 10.0
_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe_script.py")


class Probe(NamedTuple):
    """What an interpreter is and takes.

    `tags` are the wheel tags it takes, best first; `markers` is its PEP 508 environment;
    `externally_managed` says whether PEP 668 marks it.
    """

    interpreter: Interpreter
    tags: tuple[str, ...]
    markers: dict[str, str]
    externally_managed: bool


class Inventory:
    """The interpreters asked so far, kept in `cache_file` (JSON; made anew where broken or missing)."""

    def __init__(self, cache_file: str) -> None:
        self._file = cache_file
        self._records: dict[str, dict[str, Any]] | None = None
        self._lock = threading.Lock()  # one inventory serves all threads of a command

    def interpreter(self, path: str) -> Interpreter:
        """Return what the interpreter at `path` is, under exactly this path.

        Raises UsageError where `path` is no Python that works. Reads one small file once it is known.
        """
        return _interpreter(path, self._record(path)["facts"])

    def probe(self, path: str) -> Probe:
        """Return all about the interpreter at `path`; raises as `interpreter` does."""
        record = self._record(path)
        facts = record["facts"]
        return Probe(
            interpreter=_interpreter(path, facts),
            tags=self._tags(facts, record["musl"]),
            markers=_markers(facts),
            externally_managed=os.path.exists(os.path.join(facts["stdlib"], "EXTERNALLY-MANAGED")),
        )

    def executable(self, path: str) -> str:
        """Return the executable that the script `path`, a shim, starts today; never kept. Raises as `interpreter`."""
        return os.path.abspath(_text(_ask(path)["executable"]))

    def _record(self, path: str) -> dict[str, Any]:
        with self._lock:
            return self._known(path)

    def _known(self, path: str) -> dict[str, Any]:
        if self._records is None:
            self._records = self._read()
        stamp = _stamp(path)
        record = self._records.get(path)
        if record is None or record["stamp"] != stamp:
            facts = _ask(path)
            record = {"stamp": stamp, "facts": facts, "musl": _musl(facts["musl_loader"])}
            self._records[path] = record
            self._write()
        return record

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            with open(self._file, encoding="utf-8") as file:
                content = json.load(file)
            if content["schema"] != SCHEMA or content["system"] != _system():
                return {}
            records: dict[str, dict[str, Any]] = content["interpreters"]
            for path, record in records.items():  # a damaged record is met here, not in the middle of a change
                _interpreter(path, record["facts"])
                _markers(record["facts"])
                if not isinstance(record["stamp"], list) or not isinstance(record["musl"], str):
                    return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
        return records

    def _write(self) -> None:
        records = {path: record for path, record in (self._records or {}).items() if os.path.exists(path)}
        self._keep(self._file, {"schema": SCHEMA, "system": _system(), "interpreters": records})

    def _keep(self, path: str, content: object) -> None:
        with contextlib.suppress(OSError):  # a cache that cannot be written costs time, nothing else
            fs.make_directory(os.path.dirname(path))
            fs.replace_file(path, json.dumps(content, separators=(",", ":")).encode())

    def _tags(self, facts: dict[str, Any], musl: str) -> tuple[str, ...]:
        from packaging import __version__

        basis = json.dumps([SCHEMA, __version__, musl, facts], sort_keys=True)
        digest = fingerprint(basis, 64)
        path = os.path.join(os.path.dirname(self._file), f"tags-{digest[:16]}.json")
        try:
            with open(path, encoding="utf-8") as file:
                kept = json.load(file)
            if kept["basis"] == digest and kept["tags"] and all(isinstance(tag, str) for tag in kept["tags"]):
                return tuple(kept["tags"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        found = tags(facts, musl)
        self._keep(path, {"basis": digest, "tags": found})
        return found


def _system() -> list[str]:
    """Return what besides the executable decides about wheels: a new C library means new tags."""
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (OSError, ValueError):
        libc = ""
    return [os.uname().machine, libc]


def _stamp(path: str) -> list[int]:
    try:
        info = os.stat(path)
    except OSError as err:
        raise UsageError(f"cannot use the interpreter {path}: {err.strerror}", hint=None) from err
    return [info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns]


def _ask(path: str) -> dict[str, Any]:
    """Run the probe; raise UsageError with the program's own words where it does not answer as a Python."""
    hint = "name another interpreter, for example --python /usr/bin/python3"
    try:
        answer = proc.run(_command((path, "-I", "-S", "-B", _SCRIPT)))
    except ToolError as err:
        raise UsageError(f"{path} is not a Python that works", hint=hint, context=(err.message,)) from err
    try:
        facts: dict[str, Any] = json.loads(answer.stdout.rstrip("\n").rpartition("\n")[2])
        _interpreter(path, facts)
        _markers(facts)
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        old = _old_version(path)
        if old:
            return _nothing_but(old)
        said = tuple(line for line in answer.stderr.splitlines() if line.strip())[-3:]
        raise UsageError(f"{path} is not a Python that works", hint=hint, context=said) from err
    return facts


def _old_version(path: str) -> str:
    """Return the version of a Python too old for the probe, so that the refusal can name it; else an empty text."""
    code = "import sys; sys.stdout.write('python %d.%d.%d' % tuple(sys.version_info[:3]))"
    try:
        answer = proc.run(_command((path, "-E", "-s", "-S", "-c", code)))
    except ToolError:
        return ""
    name, _, version = answer.stdout.partition(" ")
    parts = version.split(".")
    known = name == "python" and len(parts) == 3 and all(part.isdecimal() for part in parts)
    return version if known and (int(parts[0]), int(parts[1])) < (3, 6) else ""


def _nothing_but(version: str) -> dict[str, Any]:
    texts = "implementation implementation_version implementation_title cache_tag extension site stdlib platform"
    more = "glibc musl_loader executable os_name sys_platform machine system"
    facts: dict[str, Any] = dict.fromkeys(f"{texts} {more}".split(), "")
    return facts | {
        "version": version,
        "full_version": version,
        "elf": [0, 0, 0, 0],
        "refused": [],
        "wide": True,
        "debug": False,
        "free_threaded": False,
    }


def _musl(loader: str) -> str:
    if not loader:
        return ""
    try:
        return musl_version(proc.run(_command((loader,))).stderr)
    except ToolError:
        return ""


def _command(argv: tuple[str, ...]) -> Command:
    """Return a command that neither PYTHON* variables nor our own environment can bend."""
    return Command(argv, {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, "/", timeout=ANSWER_SECONDS)


def _interpreter(path: str, facts: dict[str, Any]) -> Interpreter:
    return Interpreter(
        path=path,
        version=_text(facts["version"]),
        implementation=_text(facts["implementation"]),
        cache_tag=_text(facts["cache_tag"]),
        site=_text(facts["site"]),
        platform=_text(facts["platform"]),
    )


def _markers(facts: dict[str, Any]) -> dict[str, str]:
    kernel = os.uname()  # not kept: it changes with each update of the kernel
    return {
        "implementation_name": _text(facts["implementation"]),
        "implementation_version": _text(facts["implementation_version"]),
        "os_name": _text(facts["os_name"]),
        "platform_machine": _text(facts["machine"]),
        "platform_python_implementation": _text(facts["implementation_title"]),
        "platform_release": kernel.release,
        "platform_system": _text(facts["system"]),
        "platform_version": kernel.version,
        "python_full_version": _text(facts["full_version"]),
        "python_version": ".".join(_text(facts["version"]).split(".")[:2]),
        "sys_platform": _text(facts["sys_platform"]),
    }


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
