"""Bring wheels into the store: fetch or build, check, unpack; then publish all of them at once.

Nothing of this is visible to anybody: a kill leaves staged directories that the next command sweeps away.
The caller holds the store's lock, shared.
"""

import contextlib
import os
import secrets
import threading
from collections.abc import Sequence

from detente.apply.crew import work_off
from detente.apply.workshop import Workshop
from detente.engine import uv
from detente.errors import BuildError, IntegrityError, Interrupted, NetworkError
from detente.host import fs, proc, space
from detente.host.net import Fetcher
from detente.model import Artifact, Interpreter, StoreEntry
from detente.plan.facts import Resolution, Slot, slot
from detente.plan.plan import Build, Fetch, Plan
from detente.store import builds, wheels, witness
from detente.store.locks import DOWNLOADS
from detente.store.replacement import publish_entry

FETCHERS = 8


def acquire(plan: Plan, workshop: Workshop, resolutions: Sequence[Resolution] = ()) -> dict[Slot, str]:
    """Run the Fetch and Build steps of `plan`; return the store entry that each slot got.

    All or nothing reaches the store; raise the first error of any step, and IntegrityError for a fetched wheel that
    requires what one of `resolutions` does not have.
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
        size = sum(step.artifact.size for step in fetches)
        space.check_room(paths.data, size)  # unpacked they take more: this much is certain
        workshop.progress.expect(len(steps), size)
        with _fetcher(workshop) as fetcher:
            hall.fetcher = fetcher
            work_off(steps, hall.take, min(FETCHERS, len(steps)), workshop.stop)
        hall.compare(resolutions)
        return hall.publish()
    except (KeyboardInterrupt, Interrupted):
        raise  # whoever waits for the prompt does not wait for a clean-up: the next command sweeps
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
        timeout=sources.patience,
        silence=sources.timeout,
        credentials=sources.credentials(),
    )


class _Hall:
    """The staged directories of one run."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._lock = threading.Lock()
        self._staged: dict[Slot, tuple[fs.Staged, StoreEntry]] = {}
        self._open: list[fs.Staged] = []
        self.fetcher: Fetcher

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
                try:
                    wheel = self._build(artifact, step.interpreter, scratch)
                except BuildError as err:
                    err.distribution = artifact.name if artifact.kind == "sdist" else ""
                    raise
                filename = os.path.basename(wheel)
                version = artifact.version or filename.split("-")[1]
                self._admit(step, wheel, filename, self._digest(step, wheel), version)
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

    def _digest(self, step: Build, wheel: str) -> str:
        """Return the digest of `wheel`; where its files are those of what was built before, of that one.

        Times in the archive differ from build to build. So an entry that is built anew has its old name again.
        """
        from hashlib import sha256
        from zipfile import ZipFile

        link = builds.link_of(self._workshop.paths, slot(step.artifact, step.interpreter))
        name = os.path.basename(fs.read_link(link) or "") if link else ""
        known = witness.read(self._workshop.paths, witness.STORE, name) if name else None
        if known is not None and known.wheel:
            with contextlib.suppress(Exception), ZipFile(wheel) as archive:  # what is wrong with it is said later
                records = [each for each in archive.namelist() if each.endswith(".dist-info/RECORD")]
                if [sha256(archive.read(each)).hexdigest() for each in records] == [known.wheel_record]:
                    return known.wheel
        return fs.sha256(wheel)

    def _build(self, artifact: Artifact, interpreter: Interpreter, scratch: str) -> str:
        from detente.apply.build import build
        from detente.apply.confinement import spoken

        workshop = self._workshop
        title = f"{artifact.name} {artifact.version}".rstrip()
        workshop.progress.say(f"building {title} from source, {spoken(workshop.policy)}")
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
            policy=workshop.policy,
        )

    def _admit(self, step: Fetch | Build, wheel: str, filename: str, sha256: str, version: str) -> None:
        staged = fs.Staged(self._workshop.paths.store)
        with self._lock:
            self._open.append(staged)
        entry = wheels.unpack(
            wheel, staged.path, name=step.artifact.name, version=version, filename=filename, sha256=sha256
        )
        with self._lock:
            self._staged[slot(step.artifact, step.interpreter)] = staged, entry

    def compare(self, resolutions: Sequence[Resolution]) -> None:
        """Raise IntegrityError where a wheel requires what its index did not say; let the engine forget that."""
        if self._workshop.sources.overridden:
            return
        from detente.apply.described import unmet

        for resolution in resolutions:
            for artifact in resolution.artifacts:
                staged = self._staged.get(slot(artifact, resolution.interpreter))
                if staged is None or artifact.kind != "wheel":
                    continue
                missing = unmet(staged[0].path, resolution.artifacts, resolution.interpreter)
                if missing:
                    cache = os.path.join(self._workshop.paths.cache, "uv")
                    proc.run(uv.forget(self._workshop.uv, artifact.name, cache=cache, environ=self._workshop.environ))
                    raise IntegrityError(
                        f"{artifact.name} {artifact.version} requires {missing}, which its index hid in the metadata",
                        hint="repeat the command; if it stays so, tell whoever runs the index",
                    )

    def publish(self) -> dict[Slot, str]:
        """Seal, sync once, and rename everything into the store; durable on return."""
        paths = self._workshop.paths
        for staged, _ in self._staged.values():
            fs.seal(staged.path)
        fs.sync_filesystem(paths.store)
        for staged, entry in self._staged.values():
            publish_entry(paths, staged, entry.directory)
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

    def clear(self) -> None:
        """Take away what was staged; what cannot be taken now is swept by the next command."""
        for staged in self._open:
            with contextlib.suppress(OSError):
                staged.discard()
