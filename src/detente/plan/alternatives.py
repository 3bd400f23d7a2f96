"""The way not taken: what an error says of it, and whose commands may be hidden by who took the other. Pure."""

from collections.abc import Mapping, Sequence
from shlex import quote

from detente.errors import BuildError, DetenteError
from detente.plan.request import Asked, requirement_name
from detente.plan.route import (
    DEFAULT,
    FLAG,
    INDEX,
    OVERRIDE,
    Route,
    SystemOffer,
    alternative,
    from_distro,
    from_index,
    only_index,
    satisfies,
)


def beside(routes: Sequence[tuple[Asked, Route]], offers: Mapping[str, SystemOffer]) -> tuple[str, ...]:
    """Return the system packages that somebody chose the index over, knowing of them: their commands may be hidden."""
    found = []
    for asked, way in routes:
        offer = offers.get(requirement_name(asked.requirement))
        chosen = way.way == INDEX and way.rule in (FLAG, OVERRIDE)
        if chosen and offer is not None and offer.identity == "same" and offer.installed:
            found.append(offer.package)
    return tuple(found)


def doubts(routes: Sequence[tuple[Asked, Route]], offers: Mapping[str, SystemOffer]) -> tuple[str, ...]:
    """Return a question for each wish that goes to the index by default, though only the distro had such a project.

    Whoever registers a name there that people know from the distro must not get his code run for that.
    """
    found = []
    for asked, way in routes:
        name = requirement_name(asked.requirement)
        offer = offers.get(name)
        if way.way == INDEX and way.rule == DEFAULT and offer is not None and offer.identity == "absent":
            found.append(
                f"{offer.title} has {name}, and the index had no project of that name when this version of detente was "
                "made: what it has now may be a stranger's"
            )
    return tuple(found)


def name_the_index(err: DetenteError, wishes: Sequence[Asked], offers: Mapping[str, SystemOffer]) -> None:
    """Where `err` is that the distro's own has the commands, add to it that the index's can be put before them."""
    for asked in wishes:
        offer = offers.get(requirement_name(asked.requirement))
        there = offer is not None and offer.identity == "same" and offer.installed
        if offer is not None and there and f"(system package {offer.package})" in err.message:
            again = f"detente install {quote(asked.requirement)} --as @2"
            err.hint = f"put ours before it: {from_index(asked)}; or give it another name: {again}"


def name_the_distros(err: DetenteError, wishes: Sequence[Asked], offers: Mapping[str, SystemOffer]) -> None:
    """Add to `err` what the distro has of the name that it is about, or that its Python imports it already."""
    for asked in wishes:
        name = requirement_name(asked.requirement)
        if len(wishes) == 1 or is_about(err, name):
            offer = offers.get(name)
            had = alternative(asked, offer)
            if offer is not None and offer.identity == "same" and offer.modules and not offer.application:
                module = _handiest(name, offer.package, [each for each in offer.modules if each[:1] != "_"])
                module = module if module in offer.modules else offer.modules[-1]
                there = f"(system package {offer.package} {offer.installed})"
                err.context = (*err.context, f"`import {module}` works already in /usr/bin/python3 {there}")
            elif had:
                err.context = (*err.context, had.rpartition(": ")[0])
                err.hint = from_distro(asked)


def is_about(err: DetenteError, name: str) -> bool:
    """Say whether `err` names the distribution `name`."""
    return name in err.message.replace(",", " ").replace(":", " ").split()


def name_the_built(
    err: BuildError,
    wishes: Sequence[Asked],
    offers: Mapping[str, SystemOffer],
    modules: Mapping[str, Sequence[str]] = {},
    *,
    python: str = "",
    as_root: Mapping[str, str] = {},
) -> None:
    """Add to `err`, a build of the index's that failed, what the distro has built instead, and how that is had.

    By system package: `modules` are what it lets import, and `as_root` installs it, "" where it is there. They serve
    in place of a `--with` on the distro's own Python, whose minor version is `python`. What another distribution
    requires cannot be had so: then who requires it may come from the distro.
    """

    def serves(text: str) -> bool:
        offer = offers.get(requirement_name(text))
        same = offer is not None and offer.identity == "same" and bool(offer.candidate)
        return same and satisfies(text, offers[requirement_name(text)].upstream_candidate)

    def in_place(wish: Asked, text: str) -> str:
        key = requirement_name(text)
        package = offers[key].package
        if not modules.get(package) or not python or not _is_the_distros(wish.python, python):
            return ""
        first = f"{as_root[package]}; then " if as_root.get(package) else ""
        return f"{first}--with-distro {_handiest(key, package, modules[package])} in place of --with {quote(text)}"

    name = err.distribution
    said = ""
    own = [wish for wish in wishes if requirement_name(wish.requirement) == name]
    added = [(wish, text) for wish in wishes for text in wish.added]
    exact = [(wish, text) for wish, text in added if requirement_name(text) == name]
    if own:
        served = own[0].requirement
        said = from_distro(own[0]) if not only_index(own[0]) else ""
    elif exact:
        wish, served = exact[0]
        said = in_place(wish, served) if serves(served) else ""
    elif len(wishes) == 1:  # something requires it: the application, or what was added
        served = wishes[0].requirement
        said = from_distro(wishes[0]) if serves(served) and not only_index(wishes[0]) else ""
        ways = [(text, way) for wish, text in added if serves(text) and (way := in_place(wish, text))]
        if len(ways) == 1 and not said:
            served = ways[0][0]
            said = f"if {requirement_name(served)} requires {name}: {ways[0][1]}"
        if not said:
            return
    else:
        return
    if not serves(served):
        return
    key = requirement_name(served)
    offer = offers[key]
    where = f", in {offer.package}" if offer.package != key else ""
    err.context = (f"{offer.title} has {key} {offer.upstream_candidate or offer.candidate} built{where}", *err.context)
    if said:
        err.hint = f"{said}; else: {err.hint}" if err.hint else said


def _handiest(name: str, package: str, modules: Sequence[str]) -> str:
    """Return what is easiest to say of `package`: the only one of `modules`, or one of its own or of `name`'s name."""
    plain = {key.lower().replace("-", "_") for key in (name, package.removeprefix("python3-"))}
    called = [module for module in modules if module.lower() in plain]
    if called or len(modules) == 1:
        return called[0] if called else modules[0]
    return package


def _is_the_distros(wish: str | None, minor: str) -> bool:
    """Say whether the Python that `wish` asks for is the distro's own, which has the minor version `minor`."""
    return not wish or wish in (minor, f"python{minor}", "/usr/bin/python3", f"/usr/bin/python{minor}")
