"""The way not taken: what an error says of it, and whose commands may be hidden by who took the other. Pure."""

from collections.abc import Mapping, Sequence

from detente.errors import DetenteError
from detente.plan.request import Asked, requirement_name
from detente.plan.route import FLAG, INDEX, OVERRIDE, Route, SystemOffer, alternative, from_distro, from_index


def beside(routes: Sequence[tuple[Asked, Route]], offers: Mapping[str, SystemOffer]) -> tuple[str, ...]:
    """Return the system packages that somebody chose the index over, knowing of them: their commands may be hidden."""
    found = []
    for asked, way in routes:
        offer = offers.get(requirement_name(asked.requirement))
        chosen = way.way == INDEX and way.rule in (FLAG, OVERRIDE)
        if chosen and offer is not None and offer.identity == "same" and offer.installed:
            found.append(offer.package)
    return tuple(found)


def name_the_index(err: DetenteError, wishes: Sequence[Asked], offers: Mapping[str, SystemOffer]) -> None:
    """Where `err` is that the distro's own has the commands, add to it that the index's can be put before them."""
    for asked in wishes:
        offer = offers.get(requirement_name(asked.requirement))
        there = offer is not None and offer.identity == "same" and offer.installed
        if offer is not None and there and f"(system package {offer.package})" in err.message:
            again = f"detente install {requirement_name(asked.requirement)} --as @2"
            err.hint = f"put ours before it: {from_index(asked)}; or give it another name: {again}"


def name_the_distros(err: DetenteError, wishes: Sequence[Asked], offers: Mapping[str, SystemOffer]) -> None:
    """Add to `err` what the distro has of the name that it is about."""
    for asked in wishes:
        name = requirement_name(asked.requirement)
        if len(wishes) == 1 or name in err.message.replace(",", " ").split():
            had = alternative(asked, offers.get(name))
            if had:
                err.context = (*err.context, had.rpartition(": ")[0])
                err.hint = from_distro(asked)
