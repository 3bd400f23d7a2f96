"""The way not taken, in errors, and the commands that may be hidden."""

from detente.errors import BuildError, Collision, NotFound, Refused
from detente.model import Wish
from detente.plan.alternatives import beside, name_the_built, name_the_distros, name_the_index
from detente.plan.route import Route, SystemOffer, Told, route

HTTPIE = SystemOffer("Debian 12", "httpie", "same", True, "3.2.1-1", "3.2.1-1", "3.2.1", "3.2.1", True, True)
BLACK = SystemOffer("Debian 12", "black", "same", True, candidate="23.1.0-1", upstream_candidate="23.1.0")
GI = SystemOffer("Debian 12", "python3-gi", "same", candidate="3.42.2-3+b1", upstream_candidate="3.42.2")
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


def test_another_name_is_offered_for_the_version_that_was_asked_for() -> None:
    err = Collision("the command http exists already: /usr/bin/http (system package httpie)", hint="with --force")
    name_the_index(err, [Wish("httpie>=4")], OFFERS)
    assert "detente install 'httpie>=4' --as @2" in str(err.hint)


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


# builds that failed


def _failed(name: str, *wishes: Wish, offers: dict[str, SystemOffer] | None = None, as_root: str = "") -> BuildError:
    """Return what is said of a failed build of `name` by which one of `wishes` failed."""
    err = BuildError(f"cannot build {name} from source", hint="sudo apt install libcairo2-dev", context=["the log"])
    err.distribution = name
    offers = offers or {**OFFERS, "pygobject": GI}
    modules = {"python3-gi": ["gi", "pygtkcompat"]}
    name_the_built(err, wishes, offers, modules, python="3.11", as_root={"python3-gi": as_root})
    return err


def test_what_was_asked_for_and_does_not_build_is_had_built_from_the_distro() -> None:
    err = _failed("pygobject", Wish("httpie"), Wish("pygobject"))
    assert err.context == ("Debian 12 has pygobject 3.42.2 built, in python3-gi", "the log")
    assert err.hint == "detente install pygobject --from distro; else: sudo apt install libcairo2-dev"
    assert _failed("black", Wish("black")).context[0] == "Debian 12 has black 23.1.0 built"


def test_what_was_added_and_does_not_build_is_had_as_modules_of_the_distro() -> None:
    wish = Wish("httpie", added=("attrs", "pygobject>=3"))
    err = _failed("pygobject", wish, as_root="doas apt install python3-gi")
    assert err.hint == (
        "doas apt install python3-gi; then --with-distro gi in place of --with 'pygobject>=3'; "
        "else: sudo apt install libcairo2-dev"
    )
    assert str(_failed("pygobject", wish).hint).startswith("--with-distro gi in place of")
    for python, hinted in (("3.11", True), ("/usr/bin/python3", True), ("3.12", False), ("/opt/python3.11", False)):
        assert ("--with-distro" in str(_failed("pygobject", wish._replace(python=python)).hint)) is hinted, python


def test_a_dependency_that_does_not_build_leads_to_the_distros_own_of_what_may_require_it() -> None:
    err = _failed("pycairo", Wish("black"))
    assert err.context == ("Debian 12 has black 23.1.0 built", "the log")
    assert err.hint == "detente install black --from distro; else: sudo apt install libcairo2-dev"
    err = _failed("pycairo", Wish("black", added=("attrs", "pygobject")))
    assert err.context == ("Debian 12 has pygobject 3.42.2 built, in python3-gi", "the log")
    assert str(err.hint).startswith(
        "if pygobject requires pycairo: --with-distro gi in place of --with pygobject; else: "
    )
    for wishes in (
        [Wish("nosuch")],
        [Wish("black"), Wish("httpie")],
        [Wish("black", python="3.12", added=("pygobject",))],
        [Wish("black", added=("pygobject>=3.50",))],
    ):
        err = _failed("pycairo", *wishes)
        assert (err.hint, err.context) == ("sudo apt install libcairo2-dev", ("the log",)), wishes


def test_nothing_is_said_of_what_the_distro_has_in_another_version_or_of_another_project() -> None:
    said = [
        _failed("pygobject", Wish("pygobject>=3.50")),
        _failed("pygobject", Wish("httpie", added=("pygobject>=3.50",))),
        _failed("pygobject", Wish("pygobject"), offers={"pygobject": GI._replace(identity="unproved")}),
        _failed("pygobject", Wish("pygobject"), offers={"pygobject": GI._replace(candidate="")}),
        _failed("nosuch", Wish("nosuch")),
    ]
    assert {(err.hint, err.context) for err in said} == {("sudo apt install libcairo2-dev", ("the log",))}


def test_a_wish_that_only_the_index_can_serve_is_not_sent_to_the_distro() -> None:
    err = _failed("black", Wish("black[d]"))
    assert (err.hint, err.context[0]) == ("sudo apt install libcairo2-dev", "Debian 12 has black 23.1.0 built")


def test_what_the_distros_python_imports_already_is_said_in_place_of_the_way_to_it() -> None:
    there = SystemOffer("Debian 12", "python3-yaml", "same", candidate="6.0-3", upstream_candidate="6.0")
    there = there._replace(installed="6.0-3", modules=("_yaml", "yaml"))
    err = Refused("pyyaml 6.0.2 is a library: it has no command to run", hint="add it")
    name_the_distros(err, [Wish("pyyaml")], {"pyyaml": there})
    assert err.context == ("`import yaml` works already in /usr/bin/python3 (system package python3-yaml 6.0-3)",)
    assert err.hint == "add it"
