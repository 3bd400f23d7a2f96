"""Bring wheels into the store: fetch or build, check, unpack, compile; then publish all of them at once.

Nothing of this is visible to anybody: a kill leaves staged directories that the next command sweeps away.
The caller holds the store's lock, shared.
"""

import contextlib
import os
import secrets
import threading
from collections.abc import Iterable

from detente.apply.build import build
from detente.apply.crew import work_off
from detente.apply.workshop import Workshop
from detente.errors import Interrupted, NetworkError
from detente.host import fs
from detente.host.net import Fetcher
from detente.model import Artifact, Interpreter, StoreEntry
from detente.plan.facts import Slot, slot
from detente.plan.plan import Build, Fetch, Plan
from detente.store import builds, wheels
from detente.store.bytecode import JOBS, Compiler
from detente.store.locks import DOWNLOADS

FETCHERS = 8


def acquire(plan: Plan, workshop: Workshop) -> dict[Slot, str]:
    """Run the Fetch and Build steps of `plan`; return the store entry that each slot got.

    All or nothing reaches the store; raise the first error of any step.
    """
    steps = [step for step in plan.steps if isinstance(step, (Fetch, Build))]
    paths = workshop.paths
    fs.make_directory(paths.store)
    fs.make_directory(os.path.join(paths.data, DOWNLOADS))
    hall = _Hall(workshop)
    try:
        fetches = [step for step in steps if isinstance(step, Fetch)]
        remote = [step.artifact for step in fetches if "://" in step.artifact.location]
        if workshop.offline and any(not item.location.startswith("file:") for item in remote):
            raise NetworkError(
                f"{remote[0].filename} is not in the store, and fetching is off",
                hint="repeat the command without --offline",
            )
        workshop.progress.expect(len(steps), sum(step.artifact.size for step in fetches))
        with _fetcher(workshop) as fetcher:
            hall.fetcher = fetcher
            hall.open_compilers({step.interpreter for step in steps})
            work_off(steps, hall.take, min(FETCHERS, len(steps)), workshop.stop)
        return hall.publish()
    except (KeyboardInterrupt, Interrupted):
        hall.end()  # whoever waits for the prompt does not wait for a clean-up: the next command sweeps
        raise
    except BaseException:
        hall.clear()
        raise


def _fetcher(workshop: Workshop) -> Fetcher:
    sources = workshop.sources
    return Fetcher(
        environ=workshop.environ,
        ca_file=sources.certificate,
        client_cert=sources.client_certificate,
        proxy=sources.proxy,
        insecure_hosts=sources.insecure_hosts,
        credentials=sources.credentials(),
    )


class _Hall:
    """The staged directories of one run, and the compilers that fill in their bytecode."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._lock = threading.Lock()
        self._staged: dict[Slot, tuple[fs.Staged, StoreEntry]] = {}
        self._open: list[fs.Staged] = []
        self._compilers: dict[Interpreter, Compiler] = {}
        self.fetcher: Fetcher

    def open_compilers(self, interpreters: Iterable[Interpreter]) -> None:
        """Start the workers that compile, from this thread: they die with the thread that started them."""
        for interpreter in interpreters:
            self._compilers[interpreter] = Compiler(interpreter, jobs=JOBS).__enter__()

    def take(self, step: Fetch | Build) -> None:
        """Fetch or build what `step` names, check it, and stage it."""
        artifact = step.artifact
        scratch = os.path.join(self._workshop.paths.data, DOWNLOADS, secrets.token_hex(8))
        try:
            if isinstance(step, Fetch):
                self._fetch(artifact, scratch)
                self._admit(step, scratch, artifact.filename, artifact.sha256, artifact.version)
            else:
                os.mkdir(scratch, 0o700)
                wheel = self._build(artifact, step.interpreter, scratch)
                filename = os.path.basename(wheel)
                version = artifact.version or filename.split("-")[1]
                self._admit(step, wheel, filename, fs.sha256(wheel), version)
        finally:
            with contextlib.suppress(FileNotFoundError):
                fs.remove_tree(scratch)
        self._workshop.progress.completed(artifact.name)

    def _fetch(self, artifact: Artifact, into: str) -> None:
        progress, stop = self._workshop.progress, self._workshop.stop
        self.fetcher.fetch(
            artifact.location,
            into,
            sha256=artifact.sha256,
            size=artifact.size,
            received=progress.received,
            cancelled=stop.is_set,
        )

    def _build(self, artifact: Artifact, interpreter: Interpreter, scratch: str) -> str:
        workshop = self._workshop
        if not artifact.editable and artifact.kind != "directory":
            workshop.progress.say(f"building {artifact.name} {artifact.version} from source")
        return build(
            artifact,
            interpreter,
            uv=workshop.uv,
            scratch=scratch,
            cache=workshop.paths.cache,
            sources=workshop.sources,
            environ=workshop.environ,
            fetch=self._fetch,
            log=workshop.progress.detail,
            offline=workshop.offline,
        )

    def _admit(self, step: Fetch | Build, wheel: str, filename: str, sha256: str, version: str) -> None:
        staged = fs.Staged(self._workshop.paths.store)
        with self._lock:
            self._open.append(staged)
        entry = wheels.unpack(
            wheel, staged.path, name=step.artifact.name, version=version, filename=filename, sha256=sha256
        )
        with self._lock:
            self._compilers[step.interpreter].add(staged.path)
            self._staged[slot(step.artifact, step.interpreter)] = staged, entry

    def publish(self) -> dict[Slot, str]:
        """Seal, sync once, and rename everything into the store; durable on return."""
        paths = self._workshop.paths
        self._workshop.progress.phase("compiling")
        for compiler in self._compilers.values():
            compiler.finish()
        for staged, _ in self._staged.values():
            fs.seal(staged.path)
        fs.sync_filesystem(paths.store)
        for staged, entry in self._staged.values():
            staged.publish(os.path.join(paths.store, entry.directory))
        fs.fsync_directory(paths.store)
        self._remember_builds()
        return {wanted: entry.directory for wanted, (_, entry) in self._staged.items()}

    def _remember_builds(self) -> None:
        paths = self._workshop.paths
        for wanted, (_, entry) in self._staged.items():
            link = builds.link_of(paths, wanted) if wanted[0].kind != "wheel" else ""
            if link:
                fs.make_directory(paths.builds)
                fs.switch(link, f"../store/{entry.directory}")

    def end(self) -> None:
        """Let nobody go on working."""
        for compiler in self._compilers.values():
            with contextlib.suppress(Exception):
                compiler.__exit__(None, None, None)

    def clear(self) -> None:
        """Take away what was staged; what cannot be taken now is swept by the next command."""
        self.end()
        for staged in self._open:
            with contextlib.suppress(OSError):
                staged.discard()
