"""The distro as a request sees it: what it has of what was typed, and what else the words may mean to it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from detente.api import Detente
from detente.errors import DetenteError, NotFound, Refused
from detente.host.paths import check_owner
from detente.names import key_of, normalized
from detente.plan import alternatives
from detente.plan import route as routing
from detente.plan.request import requirement_name
from detente.plan.route import DISTRO, INDEX, Told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detente.plan.request import Asked, Install
    from detente.plan.route import SystemOffer
    from detente.scan.system import System


class Choice(NamedTuple):
    """What was said of the way: `flag` by --from, `prefer`, and `ways` the configuration's word for single names.

    `typed` are the wishes in the order of the request, without what the configuration adds to them. `output` is the
    descriptor that takes what the package manager says, None for ours.
    """

    typed: tuple[Asked, ...]
    flag: str = ""
    prefer: str = INDEX
    ways: Mapping[str, str] = {}
    output: int | None = None

    def told(self, name: str) -> Told:
        """Return what was said of the way of `name`."""
        return Told(self.flag, self.ways.get(name, ""), self.prefer)


class DistroSide(Detente):
    """A profile that knows what the distro has."""

    _system: System | None = None
    _looked = False  # whether `_system` is known

    def distro(self) -> System | None:
        """Return the distro's facts, looked at once; None where there is no distro that we know."""
        if not self._looked:
            from detente.scan.system import system

            self._system, self._looked = system(self.environ, self.paths.cache), True
        return self._system

    def commands_of(self, keys: Sequence[str]) -> list[str]:
        """Return the commands that the applications `keys` expose."""
        from detente.store import generations

        items = generations.current(self.paths)[0].applications
        return [command for key in keys if key in items for command in items[key].commands]

    def check_removable(self, names: Sequence[str]) -> None:
        """Raise Refused, with the right command, for a name that is the distro's to remove, and not ours (any more)."""
        known, now = self.keys(past=True), self.keys()
        for name in names:
            if key_of(name, known) not in now:
                self._check_distro(name)

    def _check_distro(self, name: str) -> None:
        from detente.distro import apt_words
        from detente.host import escalate

        try:
            system = self.distro()
            if system is None:
                return
            offer = system.offers([normalized(name)], asking=False).get(normalized(name))
            package = offer.package if offer is not None and offer.installed else name
            if package not in system.installed() and not system.files(package):
                return
        except DetenteError:
            return  # what is broken there is no matter of ours
        typed = apt_words.typed_remove([package])
        raise Refused(
            f"{name} is no application of détente's, but a system package of {system.release.title}"
            + (f": {package}" if package != name else ""),
            hint=escalate.as_root(typed, escalate.seat(self.environ)),
        )

    def _respelled(self, choice: Choice) -> Choice:
        """Return `choice` with distributions in place of system packages' names, where the distro is demanded."""
        typed = []
        for asked in choice.typed:
            name = requirement_name(asked.requirement)
            told = choice.told(name)
            if name and (told.flag or told.override) == DISTRO and not routing.only_index(asked):
                check_owner(self.paths)
                system = self.distro()
                if system is not None:
                    from detente.scan import meant

                    known = meant.respelled(system, name, self._spelled(name))
                    typed.append(asked._replace(requirement=known + asked.requirement[len(name) :]))
                    continue
            typed.append(asked)
        return choice._replace(typed=tuple(typed))

    def _offers(self, choice: Choice) -> dict[str, SystemOffer]:
        """Return what the distro has of what was typed, as far as that can matter.

        The package manager is asked only where its answer may decide: else an install must not wait for it.
        """
        keys = self.keys()
        asking: list[str] = []
        at_hand: list[str] = []
        demanded = False
        for asked in choice.typed:
            name = requirement_name(asked.requirement)
            told = choice.told(name)
            if not name or routing.only_index(asked) or (not told.flag and name in keys):
                continue
            way = told.flag or told.override
            demanded = demanded or way == DISTRO
            (asking if way == DISTRO or (not way and told.prefer == DISTRO) else at_hand).append(name)
        if not asking and not at_hand:
            return {}
        check_owner(self.paths)  # what is learned is kept in the cache: not as root in another person's home
        try:
            system = self.distro()
            if system is None:
                return {}
            from detente.scan import offers

            found = offers.at_hand(system, at_hand) if at_hand else {}
            return {**found, **(offers.asked_for(system, asking) if asking else {})}
        except DetenteError as err:
            if demanded or err.exit_status == 2:
                raise
            self._progress.say(f"note: the distro was left out: {err.message}" + (f"; {err.hint}" if err.hint else ""))
            return {}

    def _true(self, offers: Mapping[str, SystemOffer]) -> Mapping[str, SystemOffer]:
        """Return `offers` as the package manager has them now: not all is there for every kind of machine."""
        if self._system is None or not offers:
            return offers
        from detente.scan.offers import asked_for

        with contextlib.suppress(DetenteError):
            return asked_for(self._system, offers)
        return offers

    def _name_what_is_meant(self, err: NotFound, request: Install) -> None:
        """Add to `err` which module or system package the word is that the index does not know."""
        known = err.hint
        for asked in request.asked:
            name = requirement_name(asked.requirement)
            system = self.distro() if name and alternatives.is_about(err, name) else None
            if system is not None and "--from distro" not in (known or ""):
                from detente.scan import meant

                meant.name_it(err, self._spelled(name), system, self.environ)

    def _spelled(self, name: str) -> str:
        """Return `name` (normalized) as it was typed: to the distro, docker.io and docker-io are two names."""
        words = (word.partition("=")[0].rstrip("<>!~ ") for word in self._command)
        return next((word for word in words if normalized(word) == name), name)

    def _unwanted(self) -> bool:
        from detente.scan import release

        return release.chosen(self.environ) is None

    def _say_once(self) -> None:
        """Say, once for all times, that this distro is not known."""
        from detente.host import fs

        mark = os.path.join(self.paths.state, "index-only")
        if not self._looked or self._system is not None or self._dry_run or os.path.exists(mark):
            return
        if not self._unwanted():
            self._progress.say("note: détente does not know this distro's package manager, and uses the index alone")
            with contextlib.suppress(DetenteError, OSError):
                fs.make_directory(self.paths.state)
                fs.replace_file(mark, b"")
