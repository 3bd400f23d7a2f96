"""The way not taken, in errors, and the commands that may be hidden."""

from detente.errors import Collision, NotFound, Refused
from detente.model import Wish
from detente.plan.alternatives import beside, name_the_distros, name_the_index
from detente.plan.route import Route, SystemOffer, Told, route

HTTPIE = SystemOffer("Debian 12", "httpie", "same", True, "3.2.1-1", "3.2.1-1", "3.2.1", "3.2.1", True, True)
BLACK = SystemOffer("Debian 12", "black", "same", True, candidate="23.1.0-1", upstream_candidate="23.1.0")
OFFERS = {"httpie": HTTPIE, "black": BLACK}


def _way(text: str, told: Told) -> tuple[Wish, Route]:
    return Wish(text), route(Wish(text), OFFERS.get(text), told, title="Debian 12")


def test_only_what_was_chosen_over_an_installed_one_may_hide_its_commands() -> None:
    assert beside([_way("httpie", Told(flag="index"))], OFFERS) == ("httpie",)
    assert beside([_way("httpie", Told(override="index"))], OFFERS) == ("httpie",)
    assert beside([_way("black", Told(flag="index"))], OFFERS) == ()
    assert beside([_way("httpie>=4", Told())], OFFERS) == ()
    other = {"httpie": HTTPIE._replace(identity="other")}
    assert beside([_way("httpie", Told(flag="index"))], other) == ()


def test_a_collision_with_the_distros_own_names_the_way_past_it() -> None:
    err = Collision("the command http exists already: /usr/bin/http (system package httpie)", hint="with --force")
    name_the_index(err, [Wish("black"), Wish("httpie>=4")], OFFERS)
    assert "detente install 'httpie>=4' --from index" in str(err.hint)
    err = Collision("the command http exists already: /usr/bin/http (pipx)", hint="with --force")
    name_the_index(err, [Wish("httpie>=4")], OFFERS)
    assert err.hint == "with --force"


def test_what_the_index_lacks_and_the_distro_has_is_named() -> None:
    err = NotFound("no distribution is called black in the index", hint="check the spelling")
    name_the_distros(err, [Wish("httpie"), Wish("black")], OFFERS)
    assert err.hint == "detente install black --from distro"
    assert err.context == ("Debian 12 has black 23.1.0",)


def test_what_neither_has_keeps_its_hint() -> None:
    err = Refused("nosuch 1.0 is a library: it has no command to run", hint="add it", context=["so far"])
    name_the_distros(err, [Wish("nosuch")], OFFERS)
    name_the_distros(err, [Wish("black>=99")], OFFERS)
    assert (err.hint, err.context) == ("add it", ("so far",))
