"""Asking the engine what wishes resolve to, and what is needed for that: made once for each command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from detente.host import runtime, space
from detente.model import CONFINED, BuildPolicy
from detente.plan.request import Asked, merged, requirement_name, without_login, without_logins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detente.apply.workshop import Workshop
    from detente.engine.sources import Sources
    from detente.host.paths import Paths
    from detente.model import Application, Wish
    from detente.plan.facts import Resolution
    from detente.progress import Progress


class Inquiry:
    """The engine and the indexes, as one command was told of them."""

    def __init__(
        self,
        environ: Mapping[str, str],
        paths: Paths,
        progress: Progress,
        *,
        offline: bool,
        only_binary: Sequence[str] = (),
        policy: BuildPolicy = CONFINED,
    ) -> None:
        self._environ = environ
        self._paths = paths
        self._progress = progress
        self._offline = offline
        self._only_binary = only_binary
        self._policy = policy
        self._shop: Workshop | None = None

    def resolve(self, asked: Sequence[Asked], current: Mapping[str, Application]) -> list[Resolution]:
        """Return what each of `asked` resolves to, laid over what is remembered of it in `current`."""
        from detente.scan.resolution import Resolver

        space.check_executable(self._paths.data)
        workshop = self.workshop()
        self._progress.phase("resolving")
        resolver = Resolver(
            self._paths,
            workshop.uv,
            workshop.sources,
            self._environ,
            self._progress,
            offline=self._offline,
            policy=self._policy,
            meanwhile=_load_what_follows,
        )
        found: dict[int, Resolution] = {}
        logins: dict[str, tuple[str, str]] = {}

        def one(place: int) -> None:
            said = asked[place]
            wish = merged(said, current.get(requirement_name(said.requirement) + said.suffix))
            logins.update(_named(wish).credentials())
            resolution = resolver.resolve(wish)
            again: Wish = merged(said, current.get(resolution.key))
            if again != wish:
                resolution = resolver.resolve(again)
            found[place] = resolution._replace(
                wish=without_logins(resolution.wish), lock=without_login(resolution.lock)
            )

        if len(asked) == 1:
            one(0)
        else:
            from detente.apply.crew import work_off

            work_off(range(len(asked)), one, min(4, len(asked)), workshop.stop)
        self._shop = workshop._replace(sources=self._with_logins(workshop.sources, logins))
        return [found[place] for place in range(len(asked))]

    def suits(self, item: Application) -> bool:
        """Say whether the modules that `item` has from the distro are, if any, as their system packages want them."""
        if not item.wish.with_distro:
            return True
        from detente.scan import distro_modules

        return distro_modules.as_asked(self._paths, item.environment, self._environ)

    def _with_logins(self, sources: Sources, more: Mapping[str, tuple[str, str]]) -> Sources:
        """Return `sources` with the logins of the wishes' own indexes and of the keyring: files need them, too."""
        known = {**sources.credentials(), **more}
        if sources.keyring == "subprocess":
            from detente.host.keyring import password_of

            for host, (name, password) in known.items():
                if not password:
                    known[host] = name, password_of(host, name, sources.index_url, self._environ)
        return sources._replace(logins=tuple((host, *login) for host, login in known.items()))

    def workshop(self) -> Workshop:
        """Return what everything that fetches and builds works with."""
        if self._shop is None:
            from threading import Event

            from detente.apply.workshop import Workshop

            self._shop = Workshop(
                self._paths,
                self._environ,
                runtime.uv_path(),
                self._read_sources(),
                self._progress,
                Event(),
                self._offline,
                self._policy,
            )
        return self._shop

    def _read_sources(self) -> Sources:
        from detente.scan.sources import read_sources

        sources = read_sources(self._environ, self._paths.home, cwd=os.getcwd())
        for link in sources.missing_links:
            self._progress.say(f"note: the find-links place {link} of pip's configuration does not exist")
        if self._only_binary:
            from detente.engine.formats import with_only_binary

            sources = with_only_binary(sources, self._only_binary)
        return sources


def _named(wish: Wish) -> Sources:
    """Return the indexes that `wish` itself names."""
    from detente.engine.sources import Sources

    return Sources(index_url=wish.index_url or "", extra_index_urls=wish.extra_index_urls, find_links=wish.find_links)


def _load_what_follows() -> None:
    """Import what a resolution is followed by, while the engine works on it."""
    from importlib import import_module

    for name in ("ctypes", "tomllib", "detente.apply.executor", "detente.plan.planner", "detente.scan.state"):
        import_module(name)
