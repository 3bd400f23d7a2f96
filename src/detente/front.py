"""One front door: each wish goes its way, to the index or to the distro, and both ways together are one plan."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from detente.api import Outcome
from detente.distro_side import Choice, DistroSide
from detente.errors import BuildError, Collision, DetenteError, Interrupted, NotFound, Refused, ResolutionError
from detente.plan import alternatives, system_packages
from detente.plan import route as routing
from detente.plan.commands import LIBRARY
from detente.plan.plan import Plan
from detente.plan.request import requirement_name
from detente.plan.route import DISTRO, INDEX, Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detente.plan.plan import SystemChange
    from detente.plan.request import Asked, Install
    from detente.plan.route import SystemOffer
    from detente.system_part import SystemPart

Routes = tuple[tuple["Asked", Route], ...]


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


class Front(DistroSide):
    """A profile, and the distro beside it."""

    _part: SystemPart | None = None
    _running = False  # ours has been confirmed, and is not undone any more by what fails elsewhere
    _confirmed = False  # the distro's part has been

    def obtain(self, request: Install, choice: Choice) -> Result:
        """Have what `request` asks for, each wish its way.

        What cannot be planned stops all before anything is changed. Once something runs, the parts stand alone: a
        part that fails while another stands is in `failures`; an error is raised where nothing stands.
        """
        choice = self._respelled(choice)
        offers = self._offers(choice)
        routes = tuple((asked, self._route(asked, offers, choice)) for asked in choice.typed)
        chosen = [asked for asked, (_, way) in zip(request.asked, routes, strict=True) if way.way == INDEX]
        ours = request._replace(
            asked=tuple(chosen),
            beside=alternatives.beside(routes, offers),
            doubts=alternatives.doubts(routes, offers),
        )
        self._part = self._planned(routes, choice, offers)
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
                if isinstance(err, Interrupted) and (done := [effect.key for effect in outcome.plan.effects]):
                    err.message += f"; {', '.join(done)} had been installed before"
                failures.append(err)
            remarks = self._part.plan.warnings if installed else ()
            result = Result(outcome, routes, installed, tuple(failures), self._part.title, remarks)
        self._say_once()
        return result

    def _route(self, asked: Asked, offers: Mapping[str, SystemOffer], choice: Choice) -> Route:
        name = requirement_name(asked.requirement)
        title = self._system.release.title if self._system is not None else ""
        ours = name + asked.suffix in self.keys()
        if choice.flag == DISTRO and self._looked and not title and self._unwanted():
            raise Refused(
                "the distro is not looked at: DETENTE_DISTRO, or `distro` in the configuration, is none",
                hint=f"DETENTE_DISTRO=auto {routing.from_distro(asked)}",
            )
        told = choice.told(name)
        demanded = told.flag == DISTRO or (not told.flag and told.override == DISTRO and not ours)
        if self._system is not None and demanded and name not in offers and not routing.only_index(asked):
            from detente.scan import meant

            meant.check_package(self._system, self._spelled(name), self.environ)
        found = routing.route(asked, offers.get(name), told, title=title, ours=ours)
        if found.way == DISTRO and ours:
            found = found._replace(remark=f"détente's own {name} stays, and its commands come first on PATH")
        return found

    def _planned(self, routes: Routes, choice: Choice, offers: Mapping[str, SystemOffer]) -> SystemPart | None:
        """Return the part of the package manager, with its own simulation; None where no route leads there."""
        theirs = [way for _, way in routes if way.way == DISTRO]
        system = self.distro() if theirs else None
        if system is None:
            return None
        from detente.system_part import SystemPart, check_privileges

        packages = tuple(dict.fromkeys(way.package for way in theirs))
        offered = {offer.package for offer in offers.values() if offer.candidate}
        if len(theirs) == len(routes) and offered.issuperset(packages) and not self._dry_run and not system.root:
            check_privileges(packages, self.environ)  # before the simulation, which takes its time
        self._progress.phase("asking the package manager")
        try:
            return SystemPart(
                system,
                packages,
                self.environ,
                self.paths.cache,
                reasons=[f"{way.package}: {way.reason}" for way in theirs],
                remarks=[way.remark for way in theirs if way.remark],
                output=choice.output,
            )
        except NotFound as err:
            from detente.scan import meant

            for asked, way in routes:
                if way.package in err.message.split():
                    meant.check_offered(system, way.package, err, routing.from_index(asked))
            raise

    def _have(self, request: Install, offers: Mapping[str, SystemOffer]) -> Outcome:
        """Install from the index; where it has no such application, say what the distro has."""
        try:
            outcome = self.install(request)
            if outcome.plan.pending and not request.force:
                self._check_commands(request)
            return outcome
        except BuildError as err:
            from detente.scan import built

            built.name_the_distros(err, request.asked, self.environ, self.paths.cache)
            raise
        except Collision as err:
            alternatives.name_the_index(err, request.asked, offers)
            raise
        except (NotFound, ResolutionError, Refused) as err:
            if not isinstance(err, Refused) or LIBRARY in err.message:
                alternatives.name_the_distros(err, request.asked, self._true(offers))
            if isinstance(err, NotFound):
                self._name_what_is_meant(err, request)
            raise

    def _check_commands(self, request: Install) -> None:
        """Raise the Collision with the distro's commands that a dry run cannot see in what is not fetched yet."""
        from detente.plan.commands import check_names
        from detente.scan import foreign, offers
        from detente.store import generations

        system = self.distro()
        plain = [requirement_name(asked.requirement) for asked in request.asked if not asked.suffix]
        for name, offer in offers.at_hand(system, filter(None, plain)).items() if system is not None else ():
            if offer.identity == "same" and offer.installed and offer.package not in request.beside:
                assert system is not None
                there = system.installed()[offer.package].commands
                found = foreign.commands(self.paths, map(os.path.basename, there), self.environ)
                owners = foreign.owners(found.values(), self.paths, self.environ)
                current = generations.current(self.paths)[0].applications
                check_names(name, dict.fromkeys(found, ""), current, found, owners, force=False)

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
