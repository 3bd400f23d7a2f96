"""Ask the engine what each application's requirements resolve to, for the interpreter it will have.

Resolving is a way of looking: it changes nothing but caches. An answer is kept, so that without network the
same question still has one.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence

from detente.engine import formats, lock, uv
from detente.engine.sources import Sources, merged
from detente.errors import DetenteError, DiskError, NetworkError, NotFound, Refused, UsageError
from detente.host import fs, space, stand_in
from detente.host.paths import Paths
from detente.host.watch import Watch
from detente.model import CONFINED, Artifact, BuildPolicy, DistroModules, Interpreter, Wish
from detente.names import fingerprint
from detente.plan.facts import Resolution
from detente.plan.request import is_direct, requirement_name, without_login
from detente.progress import Progress
from detente.scan import given_wheels, ways
from detente.scan.interpreters import Inventory, Probe, choose

_NO_MATTER = frozenset({"UV_CACHE_DIR", "UV_OFFLINE", "UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES", "UV_HTTP_CONNECT_TIMEOUT"})
_TIMEOUT = 600.0  # seconds: a resolution may build a source distribution for its metadata


class Resolver:
    """Resolves wishes one at a time, from any thread; `meanwhile` is called while the engine works.

    `policy` says what the code of sources may do that are built to learn what they need.
    """

    def __init__(
        self,
        paths: Paths,
        engine: str,
        sources: Sources,
        environ: Mapping[str, str],
        progress: Progress,
        *,
        offline: bool,
        policy: BuildPolicy = CONFINED,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        self._paths = paths
        self._engine = engine
        self._sources = sources
        self._environ = environ
        self._progress = progress
        self._offline = offline
        self._policy = policy
        self._meanwhile = meanwhile
        self._inventory = Inventory(os.path.join(paths.cache, "interpreters.json"))

    def resolve(self, wish: Wish) -> Resolution:
        """Return what `wish` resolves to.

        Raise NotFound, ResolutionError, NetworkError, BuildError or UsageError with the engine's explanation,
        HostileWheel where a wheel of this machine that the wish names breaks a rule, and Refused or NotFound where
        modules of the distro cannot be had.
        """
        for requirement in (wish.requirement, *wish.added):
            given_wheels.check(requirement, self._paths.store)
        interpreter = choose(wish.python, environ=self._environ, inventory=self._inventory)
        distro = self._of_distro(wish, interpreter)
        probe = self._inventory.probe(interpreter.path)
        asked = _for_engine(wish.requirement)
        requirements = [f"-e {asked}" if wish.editable else asked, *map(_for_engine, wish.added)]
        text, age = self._lock(wish, probe, requirements)
        artifacts = lock.artifacts(text, base=self._base(), tags=probe.tags, markers=probe.markers)
        formats.check(artifacts, self._sources_for(wish))
        ways.check_encrypted(artifacts, self._sources_for(wish), requirements)
        name = _primary(wish, artifacts)
        return Resolution(name, wish, probe.interpreter, artifacts, text, age, distro)

    def _of_distro(self, wish: Wish, interpreter: Interpreter) -> DistroModules | None:
        if not wish.with_distro:
            return None
        from detente.scan.distro_modules import find

        return find(wish.with_distro, interpreter, self._environ, self._paths.cache)

    def _base(self) -> str:
        return os.path.join(self._paths.cache, "locks")

    def _lock(self, wish: Wish, probe: Probe, requirements: Sequence[str]) -> tuple[str, float]:
        """Return the lock's text and its age in seconds: 0 for a fresh one."""
        sources = self._sources_for(wish)
        kept = os.path.join(self._base(), f"{_question(requirements, wish, probe, sources, self._environ)}.toml")
        if self._offline and (found := _read(kept)):
            return found
        try:
            text = self._ask(wish, probe, requirements, sources, offline=self._offline)
        except NetworkError:
            if self._offline:
                raise
            if found := _read(kept):
                self._progress.say(f"no answer from the index: using what {wish.requirement} resolved to before")
                return found
            try:
                text = self._ask(wish, probe, requirements, sources, offline=True)
            except DetenteError:
                text = ""
            if not text:
                raise
        with contextlib.suppress(OSError):  # a cache that cannot be written is no reason to fail
            fs.replace_file(kept, without_login(text).encode(), 0o600)
        return text, 0.0

    def _sources_for(self, wish: Wish) -> Sources:
        said = Sources(
            index_url=wish.index_url or "", extra_index_urls=wish.extra_index_urls, find_links=wish.find_links
        )
        return formats.with_only_binary(merged(said, self._sources, ()), wish.only_binary)

    def _ask(self, wish: Wish, probe: Probe, requirements: Sequence[str], sources: Sources, *, offline: bool) -> str:
        fs.make_directory(self._base())
        output = os.path.join(self._base(), f"pylock.{os.urandom(8).hex()}.toml")
        real = probe.interpreter
        substitute = stand_in.stand_in(self._paths.cache, real.path, real.version)
        if not substitute and wish.editable:
            raise self._unbuildable()
        command = uv.resolve(
            self._engine,
            requirements,
            interpreter=substitute or real.path,
            output=output,
            cache=os.path.join(self._paths.cache, "uv"),
            sources=sources,
            prerelease=wish.prerelease,
            offline=offline,
            environ=self._environ,
            builds=bool(substitute),
        )
        try:
            timed = command._replace(timeout=_TIMEOUT)
            watch = Watch(ways.whom(sources), patience=sources.patience)
            outcome = stand_in.run(
                timed, self._paths.cache, self._policy, self._building, meanwhile=self._meanwhile, watch=watch
            )
            answer = outcome.answer
            if answer.returncode != 0:
                from detente.engine.explain import explain

                error = explain(answer, requirements, sources, because=(outcome.why, outcome.hint))
                if not substitute and formats.ALLOW in (error.hint or ""):
                    raise self._unbuildable()
                raise ways.by_proxy(self._explained(error), sources, self._environ)
            for line in answer.stderr.splitlines():
                if line.startswith("warning: ") and "extra named" in line:
                    self._progress.say(line)
            with open(output, encoding="utf-8") as stream:
                return stream.read()
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(output)

    def _explained(self, error: DetenteError) -> DetenteError:
        """Return `error` of the engine; where the disk is full, with how full it is."""
        if not isinstance(error, DiskError) or not error.message.startswith("the disk is full"):
            return error
        what, left = space.lack(self._paths.cache)
        sentence = f"{what} while resolving: {left}; nothing was changed"
        return DiskError(sentence, hint=error.hint, context=error.context)

    def _unbuildable(self) -> Refused:
        return Refused(
            f"no source can be asked what it needs, because programs below {self._paths.cache} may not be executed",
            hint="let XDG_CACHE_HOME name a directory on a file system that is not mounted noexec",
        )

    def _building(self, title: str, how: str) -> None:
        self._progress.say(f"building {title} to learn what it needs, {how}")


def _for_engine(requirement: str) -> str:
    """Return `requirement` as the engine takes it whatever characters it has: a path as a URL (RFC 8089)."""
    if not requirement.startswith("/"):
        return requirement
    from urllib.parse import quote

    path, bracket, extras = requirement.partition("[")
    return f"file://{quote(path.encode('utf-8', 'surrogateescape'))}{bracket}{extras}"


def _question(
    requirements: Sequence[str], wish: Wish, probe: Probe, sources: Sources, environ: Mapping[str, str]
) -> str:
    """Digest everything that an answer depends on, save what the index holds today."""
    told = sorted(item for item in environ.items() if item[0].startswith("UV_") and item[0] not in _NO_MATTER)
    value = [1, list(requirements), wish.prerelease, list(probe.interpreter), list(map(str, sources)), told]
    return fingerprint(json.dumps(value), 32)


def _read(path: str) -> tuple[str, float] | None:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read(), max(time.time() - os.fstat(stream.fileno()).st_mtime, 1.0)
    except OSError:
        return None


def _primary(wish: Wish, artifacts: Sequence[Artifact]) -> str:
    """Return the name of the distribution that was asked for, among what it resolved to."""
    stated = requirement_name(wish.requirement)
    names = {artifact.name for artifact in artifacts}
    if stated in names:
        return stated
    if is_direct(wish.requirement):
        place = wish.requirement.partition("#")[0].removeprefix("git+").removeprefix("file://").rstrip("/")
        for artifact in artifacts:
            if artifact.location.removeprefix("file://").rstrip("/") in (place, place.rpartition("@")[0]):
                return artifact.name
        direct = [artifact.name for artifact in artifacts if artifact.kind in ("directory", "vcs", "archive")]
        if len(direct) == 1:
            return direct[0]
        raise UsageError(
            f"which distribution {wish.requirement} is cannot be told",
            hint="name it: detente install 'NAME @ " + wish.requirement + "'",
        )
    if not artifacts:
        raise UsageError(
            f"{wish.requirement} does not apply to this Python or platform (its marker is false)",
            hint="leave out what follows the semicolon",
        )
    raise NotFound(f"{wish.requirement} is not in the lock that it resolved to", hint="report this as a bug")
