"""Before entries are linked into a new environment: what was changed since it was found whole is never linked.

An entry whose witness says that nothing has changed costs a look at its directory; any other one is read and compared.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from detente.apply.crew import work_off
from detente.host import fs
from detente.host.paths import Paths
from detente.plan.damage import MODE, Finding, needs_wheel
from detente.store import replacement, verify, witness
from detente.store.bytecode import JOBS, compile_staged
from detente.store.environments import interpreters_of

if TYPE_CHECKING:
    from detente.model import Interpreter

Damage = dict[str, tuple[Finding, ...]]


def examined(paths: Paths, names: Iterable[str]) -> Damage:
    """Read the entries `names` whole, several at a time; return what is wrong with those that are damaged."""
    found: Damage = {}

    def one(name: str) -> None:
        findings = verify.check(paths, name).findings
        if findings:
            found[name] = findings

    todo = list(names)
    if len(todo) == 1:
        one(todo[0])
    elif todo:
        work_off(todo, one, min(JOBS, len(todo)), threading.Event())
    return found


def settled(paths: Paths, names: Iterable[str], on_wait: Callable[[], None]) -> Damage:
    """Do what `examined` does, and look at what was found again while nobody changes the profile.

    What another command was just compiling is no damage.
    """
    found = examined(paths, names)
    if found:
        with contextlib.suppress(OSError), fs.lock(os.path.join(paths.data, "profile.lock"), on_wait=on_wait):
            found = examined(paths, found)
    return found


def mend(paths: Paths, names: Iterable[str], on_wait: Callable[[], None]) -> None:
    """Give the entries `names` the modes and the bytecode they should have, from their own files.

    Holds the profile's lock, so that what another command is just compiling is not taken for damage. What needs a
    wheel is left as it is.
    """
    with fs.lock(os.path.join(paths.data, "profile.lock"), on_wait=on_wait):
        damaged = examined(paths, names)
        for name, findings in damaged.items():
            if not needs_wheel(findings) and any(item.kind == MODE for item in findings):
                replacement.set_modes(paths, name, [item for item in findings if item.kind == MODE])
        damaged = {name: found for name, found in examined(paths, damaged).items() if not needs_wheel(found)}
        _compile_anew(paths, damaged)


def _compile_anew(paths: Paths, damaged: Damage) -> None:
    """Replace each entry by a copy of its files with new bytecode, for every Python whose environments link it."""
    staged: dict[str, fs.Staged] = {}
    try:
        wanted: dict[Interpreter, list[str]] = {}
        for name in damaged:
            staged[name] = replacement.stage_without_bytecode(paths, name)
            for interpreter in interpreters_of(paths, name):
                wanted.setdefault(interpreter, []).append(name)
        for interpreter, names in wanted.items():
            compile_staged(interpreter, [staged[name].path for name in names], jobs=JOBS)
        for item in staged.values():
            fs.seal(item.path)
        if staged:
            fs.sync_filesystem(paths.store)
        for name, item in staged.items():
            replacement.put_in_place(paths, item, os.path.join(paths.store, name), damaged[name])
            witness.attest_entry(paths, name)
    except BaseException:
        for item in staged.values():
            item.discard()
        raise
    if staged:
        fs.fsync_directory(paths.store)
