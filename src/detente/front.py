"""One front door: each wish goes its way, to the index or to the distro, and both ways together are one plan."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from detente.api import Detente, Outcome
from detente.errors import Collision, DetenteError, Interrupted, NotFound, Refused, ResolutionError
from detente.host.paths import check_owner
from detente.names import key_of, normalized
from detente.plan import alternatives, system_packages
from detente.plan import route as routing
from detente.plan.commands import LIBRARY
from detente.plan.plan import Plan
from detente.plan.request import requirement_name
from detente.plan.route import DISTRO, INDEX, Route, Told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detente.plan.plan import SystemChange
    from detente.plan.request import Asked, Install
    from detente.plan.route import SystemOffer
    from detente.scan.system import System
    from detente.system_part import SystemPart

Routes = tuple[tuple["Asked", Route], ...]


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


class Result(NamedTuple):
    """What became of a request that may go two ways.

    `outcome` is that of the index's part (for a dry run with the plan of both); `routes` are in the order of the
    request; `installed` is what the package manager installed, with the version it has now. `failures` are the parts
    that failed although another one stands.
    """

    outcome: Outcome
    routes: Routes
    installed: tuple[SystemChange, ...] = ()
    failures: tuple[DetenteError, ...] = ()
    title: str = ""  # the distro's
    remarks: tuple[str, ...] = ()  # on what the package manager did


_NOTHING = Outcome(Plan(""), False, {})


class Front(Detente):
    """A profile, and the distro beside it."""

    _system: System | None = None
    _looked = False  # whether `_system` is known
    _part: SystemPart | None = None
    _running = False  # ours has been confirmed, and is not undone any more by what fails elsewhere
    _confirmed = False  # the distro's part has been

    def obtain(self, request: Install, choice: Choice) -> Result:
        """Have what `request` asks for, each wish its way.

        What cannot be planned stops all before anything is changed. Once something runs, the parts stand alone: a
        part that fails while another stands is in `failures`; an error is raised where nothing stands.
        """
        offers = self._offers(choice)
        routes = tuple((asked, self._route(asked, offers, choice)) for asked in choice.typed)
        chosen = [asked for asked, (_, way) in zip(request.asked, routes, strict=True) if way.way == INDEX]
        ours = request._replace(asked=tuple(chosen), beside=alternatives.beside(routes, offers))
        self._part = self._planned(routes, choice)
        ask, self._confirm = self._confirm, self._confirm_both
        self._ask = ask
        failures: list[DetenteError] = []
        outcome = _NOTHING
        try:
            outcome = self._have(ours, offers) if chosen else _NOTHING
        except Interrupted:
            raise
        except DetenteError as err:
            if self._part is None or not self._running:
                raise
            failures.append(err)
        if self._part is None or self._dry_run:
            plan = outcome.plan if self._part is None else system_packages.together(outcome.plan, self._part.plan)
            result = Result(outcome._replace(plan=plan), routes)
        else:
            installed: tuple[SystemChange, ...] = ()
            try:
                installed = self._run(self._part)
            except DetenteError as err:
                if not chosen or failures:
                    raise
                failures.append(err)
            remarks = self._part.plan.warnings if installed else ()
            result = Result(outcome, routes, installed, tuple(failures), self._part.title, remarks)
        self._say_once()
        return result

    def check_removable(self, names: Sequence[str]) -> None:
        """Raise NotFound, with the right command, for a name that is the distro's to remove and was never ours."""
        known = self.keys(past=True)
        for name in names:
            if key_of(name, known) not in known:
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
            if package not in system.installed():
                return
        except DetenteError:
            return  # what is broken there is no matter of ours
        typed = apt_words.typed_remove([package])
        raise NotFound(
            f"{name} is no application of détente's, but a system package of {system.release.title}"
            + (f": {package}" if package != name else ""),
            hint=escalate.as_root(typed, escalate.seat(self.environ)),
        )

    def distro(self) -> System | None:
        """Return the distro's facts, looked at once; None where there is no distro that we know."""
        if not self._looked:
            from detente.scan.system import system

            self._system, self._looked = system(self.environ, self.paths.cache), True
        return self._system

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

    def _route(self, asked: Asked, offers: Mapping[str, SystemOffer], choice: Choice) -> Route:
        name = requirement_name(asked.requirement)
        title = self._system.release.title if self._system is not None else ""
        ours = name + asked.suffix in self.keys()
        if choice.flag == DISTRO and self._looked and not title and self._unwanted():
            raise Refused(
                "the distro is not looked at: DETENTE_DISTRO, or `distro` in the configuration, is none",
                hint=f"DETENTE_DISTRO=auto {routing.from_distro(asked)}",
            )
        found = routing.route(asked, offers.get(name), choice.told(name), title=title, ours=ours)
        if found.way == DISTRO and ours:
            found = found._replace(remark=f"détente's own {name} stays, and its commands come first on PATH")
        return found

    def _planned(self, routes: Routes, choice: Choice) -> SystemPart | None:
        """Return the part of the package manager, with its own simulation; None where no route leads there."""
        theirs = [way for _, way in routes if way.way == DISTRO]
        system = self.distro() if theirs else None
        if system is None:
            return None
        from detente.system_part import SystemPart

        self._progress.phase("asking the package manager")
        return SystemPart(
            system,
            tuple(dict.fromkeys(way.package for way in theirs)),
            self.environ,
            self.paths.cache,
            reasons=[f"{way.package}: {way.reason}" for way in theirs],
            remarks=[way.remark for way in theirs if way.remark],
            output=choice.output,
        )

    def _have(self, request: Install, offers: Mapping[str, SystemOffer]) -> Outcome:
        """Install from the index; where it has no such application, say what the distro has."""
        try:
            return self.install(request)
        except Collision as err:
            alternatives.name_the_index(err, request.asked, offers)
            raise
        except (NotFound, ResolutionError, Refused) as err:
            if not isinstance(err, Refused) or LIBRARY in err.message:
                alternatives.name_the_distros(err, request.asked, offers)
            raise

    def _confirm_both(self, plan: Plan) -> None:
        """Ask once for both parts, before the first of them runs."""
        part = self._part
        if part is not None and part.refusal is None and not self._confirmed:
            self._ask(system_packages.together(plan, part.plan))
            self._confirmed = True
        else:
            self._ask(plan)
        self._running = True

    def _run(self, part: SystemPart) -> tuple[SystemChange, ...]:
        if part.refusal is None and not self._confirmed:
            self._ask(part.plan)
        self._progress.end()
        try:
            return part.run()
        except Interrupted:
            if part.terminal:
                self._progress.say("")  # the package manager was in the middle of a line
            raise

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
