"""What the index has of a distribution, asked through the engine without installing, fetching or building anything.

Answers are kept for some minutes, so that looking twice asks once.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from detente.errors import DetenteError, Interrupted, NetworkError, NotFound, ResolutionError, ToolError
from detente.host.paths import check_owner
from detente.names import fingerprint, normalized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from detente.engine.sources import Sources
    from detente.host.paths import Paths
    from detente.model import Wish
    from detente.scan.inventory import Probe

FRESH = 600.0  # seconds
SCHEMA = 1
_AT_ONCE = 6
_TIMEOUT = 30.0  # seconds
_SILENCE = 6.0  # seconds without a byte
_YANKED = " were yanked"  # uv's words


class Answer(NamedTuple):
    """What the index said of one requirement (`httpie`, `httpie==3.2.1`).

    `version` is the newest that fits the requirement and this machine's Python, "" where there is none: then
    `problem` says why, and is "" where the index does not know the name. `uploaded` is ISO 8601 in UTC, `size` in
    bytes of the one file that would be fetched; "" and 0 where the index does not say. `learned` is seconds since the
    epoch.
    """

    name: str
    version: str
    uploaded: str = ""
    size: int = 0
    wheel: bool = True
    problem: str = ""
    learned: float = 0.0


class Newest:
    """Asks the index, as `environ`, the configuration of pip and uv, and `wish`, where it names one, describe it.

    `clock` gives the time.
    """

    def __init__(
        self,
        paths: Paths,
        environ: Mapping[str, str],
        *,
        offline: bool,
        clock: Callable[[], float],
        engine: str,
        wish: Wish | None = None,
    ) -> None:
        self._paths = paths
        self._environ = environ
        self._offline = offline
        self._clock = clock
        self._engine = engine
        self._wish = wish
        self._sources: Sources | None = None
        self.trouble: DetenteError | None = None
        """Why a requirement has no answer: the network, the configuration, a missing engine."""

    def ask(self, requirements: Sequence[str]) -> dict[str, Answer]:
        """Return requirement to answer: a fresh one, else an old one, and none where neither could be had.

        `requirements` are names, alone or with `==VERSION`. What kept one from being answered is in `trouble`.
        """
        found: dict[str, Answer] = {}
        old: dict[str, Answer] = {}
        try:
            for requirement in requirements:
                kept = self._kept(requirement)
                if kept is not None:
                    fresh = 0 <= self._clock() - kept.learned < FRESH
                    (found if fresh else old)[requirement] = kept
            missing = [requirement for requirement in requirements if requirement not in found]
            if missing and not self._offline:
                check_owner(self._paths)  # the engine keeps what it fetches
                self._ask_all(missing, found)
        except Interrupted:
            raise
        except DetenteError as err:
            self.trouble = err
        return {**old, **found}

    def _ask_all(self, requirements: Sequence[str], found: dict[str, Answer]) -> None:
        def one(requirement: str) -> None:
            try:
                found[requirement] = answer = self._asked(requirement)
                self._keep(requirement, answer)
            except DetenteError as err:
                self.trouble = err if isinstance(err, Interrupted) else self.trouble or err

        if len(requirements) == 1:
            one(requirements[0])
            self._end_if_interrupted()
            return
        from threading import Thread

        for start in range(0, len(requirements), _AT_ONCE):
            threads = [Thread(target=one, args=(each,), daemon=True) for each in requirements[start : start + _AT_ONCE]]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self._end_if_interrupted()
            if isinstance(self.trouble, NetworkError):
                return

    def _end_if_interrupted(self) -> None:
        """Raise where the engine was interrupted, which it may notice before we do."""
        if isinstance(self.trouble, Interrupted):
            raise self.trouble

    def _asked(self, requirement: str) -> Answer:
        from detente.engine import explain, offered, uv
        from detente.host import fs, proc, stand_in
        from detente.host.watch import Watch
        from detente.scan import ways
        from detente.scan.interpreters import Inventory, choose

        inventory = Inventory(os.path.join(self._paths.cache, "interpreters.json"))
        interpreter = choose(None, environ=self._environ, inventory=inventory)
        folder = os.path.join(self._paths.cache, "locks")
        fs.make_directory(folder)
        output = os.path.join(folder, f"pylock.{os.urandom(8).hex()}.toml")
        sources = self._told()
        command = uv.resolve(
            self._engine,
            [requirement],
            interpreter=stand_in.stand_in(self._paths.cache, interpreter.path, interpreter.version) or interpreter.path,
            output=output,
            cache=os.path.join(self._paths.cache, "uv"),
            # somebody waits, and the answer has another half: no second try, and less patience than for an install
            sources=sources._replace(retries=sources.retries or 0, timeout=min(sources.timeout or _SILENCE, _SILENCE)),
            prerelease=self._wish is not None and self._wish.prerelease,
            offline=False,
            environ=self._environ,
            dependencies=False,
        )
        name = normalized(requirement.partition("=")[0])
        try:
            watch = Watch(ways.whom(sources), patience=sources.patience)
            environment = {**(command.environment or {}), **self._quiet()}
            answer = proc.run(command._replace(timeout=_TIMEOUT, environment=environment), watch=watch)
            if answer.returncode != 0:
                if _YANKED in answer.stderr:
                    withdrawn = f"every release of {name} that fits was withdrawn by its authors (yanked)"
                    return Answer(name, "", problem=withdrawn, learned=self._clock())
                raise ways.by_proxy(explain.explain(answer, [requirement], sources), sources, self._environ)
            with open(output, encoding="utf-8") as stream:
                text = stream.read()
        except NotFound:
            return Answer(name, "", learned=self._clock())
        except ResolutionError as err:
            return Answer(name, "", problem=err.message, learned=self._clock())
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(output)
        one = offered.offered(text, name)
        if one is None:
            raise ToolError(f"the engine's answer names no version of {name}", hint="report this as a bug")
        size = self._size(text, inventory.probe(interpreter.path)) if one.wheel else 0
        return Answer(name, one.version, one.uploaded, size, one.wheel, learned=self._clock())

    def _size(self, text: str, probe: Probe) -> int:
        """Return the size of the file that would be fetched, 0 where it is not known or none fits."""
        from detente.engine import lock

        try:
            chosen = lock.artifacts(text, base="/", tags=probe.tags, markers=probe.markers)
        except DetenteError:
            return 0
        return chosen[0].size if chosen else 0

    def _quiet(self) -> dict[str, str]:
        """Return what keeps uv from making a place for logins in the home of somebody who has none there."""
        data = self._environ.get("XDG_DATA_HOME") or os.path.join(self._paths.home, ".local/share")
        if "UV_CREDENTIALS_DIR" in self._environ or os.path.exists(os.path.join(data, "uv/credentials")):
            return {}
        return {"UV_CREDENTIALS_DIR": os.path.join(self._paths.cache, "uv/credentials")}

    def _told(self) -> Sources:
        if self._sources is None:
            from detente.engine.sources import Sources, merged
            from detente.scan.sources import read_sources

            told = read_sources(self._environ, self._paths.home, cwd=os.getcwd())
            if self._wish is not None:
                wish = self._wish
                said = Sources(wish.index_url or "", wish.extra_index_urls, wish.find_links)
                told = merged(said, told, ())
            self._sources = told
        return self._sources

    def _file(self, requirement: str) -> str:
        """Return where the answer to `requirement` is kept: named by all that it depends on, save the index itself."""
        told = sorted(item for item in self._environ.items() if item[0].startswith("UV_"))
        early = self._wish is not None and self._wish.prerelease
        value = repr((SCHEMA, requirement, early, list(map(str, self._told())), told, self._configured()))
        return os.path.join(self._paths.cache, "newest", fingerprint(value, 32) + ".json")

    def _configured(self) -> list[int]:
        """Return when uv's own files were changed: what they say of indexes only uv reads."""
        home = self._environ.get("XDG_CONFIG_HOME") or os.path.join(self._paths.home, ".config")
        found = []
        for path in (os.path.join(home, "uv/uv.toml"), "/etc/xdg/uv/uv.toml", "/etc/uv/uv.toml"):
            with contextlib.suppress(OSError):
                found.append(os.stat(path).st_mtime_ns)
        return found

    def _kept(self, requirement: str) -> Answer | None:
        import json

        try:
            with open(self._file(requirement), encoding="utf-8") as stream:
                return Answer(*json.load(stream))
        except (OSError, ValueError, TypeError):
            return None

    def _keep(self, requirement: str, answer: Answer) -> None:
        import json

        from detente.host import fs

        with contextlib.suppress(OSError):  # a cache that cannot be written is no reason to fail
            path = self._file(requirement)
            fs.make_directory(os.path.dirname(path))
            fs.replace_file(path, json.dumps(list(answer)).encode(), 0o600)
