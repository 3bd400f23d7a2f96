"""Between distro and index: the table of decisions, rule by rule."""

import pytest

from detente.errors import DetenteError, NotFound, Refused, ResolutionError, UsageError
from detente.model import Wish
from detente.plan.route import Route, SystemOffer, Told, only_index, route, satisfies

TITLE = "Debian 12"
HTTPIE = SystemOffer(
    TITLE, "httpie", "same", application=True, candidate="3.2.1-1", upstream_candidate="3.2.1", supported=True
)
THERE = HTTPIE._replace(installed="3.2.1-1", upstream_installed="3.2.1", manual=True)
REQUESTS = SystemOffer(TITLE, "python3-requests", "same", candidate="2.28.1+dfsg-1", upstream_candidate="2.28.1")
NOTHING, DISTRO_FLAG, INDEX_FLAG, PREFERRED = Told(), Told(flag="distro"), Told(flag="index"), Told(prefer="distro")


def way(text: str, offer: SystemOffer | None, told: Told = NOTHING, *, ours: bool = False) -> Route:
    return route(Wish(text), offer, told, title=TITLE, ours=ours)


def refusal(kind: type[DetenteError], text: str, offer: SystemOffer | None, told: Told = DISTRO_FLAG) -> DetenteError:
    with pytest.raises(kind) as caught:
        way(text, offer, told)
    assert type(caught.value) is kind
    assert caught.value.hint
    return caught.value


def test_nothing_said_is_the_index_and_the_distro_is_named() -> None:
    found = way("httpie", HTTPIE)
    assert (found.way, found.rule) == ("index", "default")
    said = "Debian 12 has httpie 3.2.1, with its security support: detente install httpie --from distro"
    assert found.alternative == said


def test_a_name_that_the_distro_lacks_is_the_index_without_more_words() -> None:
    assert way("nosuch", None) == Route("index", "default", "the index is the default")


@pytest.mark.parametrize("text", ["httpie", "httpie>=3", "httpie==3.2.1", "httpie~=3.0"])
def test_an_installed_application_that_satisfies_is_enough(text: str) -> None:
    found = way(text, THERE)
    assert (found.way, found.rule, found.package) == ("installed", "installed", "httpie")
    assert "httpie 3.2.1-1 is installed already (system package, Debian 12)" in found.reason
    assert "--from index" in found.alternative


def test_an_installed_application_that_is_too_old_is_not_enough() -> None:
    assert way("httpie>=3.2.2", THERE).way == "index"


def test_an_installed_library_is_not_enough_unless_the_distro_is_preferred() -> None:
    there = REQUESTS._replace(installed="2.28.1+dfsg-1", upstream_installed="2.28.1")
    assert way("requests", there).way == "index"
    assert way("requests", there, PREFERRED).way == "installed"


def test_an_installed_application_of_unknown_version_satisfies_only_the_bare_name() -> None:
    unknown = THERE._replace(upstream_installed="", upstream_candidate="")
    assert way("httpie", unknown).way == "installed"
    assert way("httpie>=1", unknown).way == "index"


@pytest.mark.parametrize("identity", ["other", "absent", "unproved"])
@pytest.mark.parametrize("told", [Told(), PREFERRED])
def test_what_is_not_known_to_be_the_same_project_is_never_taken_unasked(identity: str, told: Told) -> None:
    assert way("httpie", THERE._replace(identity=identity), told).way == "index"


def test_another_project_of_that_name_is_no_alternative() -> None:
    assert way("reportbug", HTTPIE._replace(package="reportbug", identity="other")).alternative == ""
    assert "if that is the same project" in way("httpie", HTTPIE._replace(identity="unproved")).alternative


def test_what_works_only_with_the_index_is_refused_with_the_whole_command() -> None:
    wish = Wish("httpie>=3", added=("one", "two"), suffix="-old", python="3.12", prerelease=True)
    with pytest.raises(UsageError, match="--with works only with the index") as caught:
        route(wish, HTTPIE, DISTRO_FLAG, title=TITLE)
    options = "--with one --with two --python 3.12 --as=-old --pre"
    assert caught.value.hint == f"detente install 'httpie>=3' {options} --from index"


def test_another_project_is_told_of_where_the_index_is_taken_unasked() -> None:
    other = HTTPIE._replace(package="terminator", identity="other")
    said = "Debian 12's terminator is another project; for that one: sudo apt install terminator"
    assert way("terminator", other).remark == way("terminator", other, PREFERRED).remark == said
    assert way("terminator", other, INDEX_FLAG).remark == way("terminator", other._replace(candidate="")).remark == ""


def test_that_the_index_serves_what_prefers_the_distro_is_told_with_the_option_that_needs_it() -> None:
    said = "httpie from the index: --with needs an environment of its own"
    wish = Wish("httpie", added=("more",))
    assert [route(wish, None, told, title=TITLE).remark for told in (PREFERRED, Told(override="distro"))] == [said] * 2
    for told in (NOTHING, INDEX_FLAG, PREFERRED._replace(override="index")):
        assert route(wish, None, told, title=TITLE).remark == ""
    assert route(Wish("/home/me/project"), None, PREFERRED, title=TITLE).remark == ""


def test_a_preferred_distro_serves_what_it_has() -> None:
    found = way("httpie>=3", HTTPIE, PREFERRED)
    assert (found.way, found.rule, found.package) == ("distro", "preference", "httpie")
    assert found.alternative == "detente install 'httpie>=3' --from index"
    assert way("requests", REQUESTS, PREFERRED).package == "python3-requests"


@pytest.mark.parametrize(
    ("text", "offer", "reason"),
    [
        ("httpie>=4", HTTPIE, "Debian 12 has 3.2.1, and httpie>=4 was asked for"),
        ("httpie", HTTPIE._replace(candidate="", upstream_candidate=""), "no version of httpie at the moment"),
        ("httpie", HTTPIE._replace(identity="other"), "another project"),
        ("httpie", HTTPIE._replace(identity="unproved"), "nothing shows"),
        ("nosuch", None, "Debian 12 has no nosuch"),
    ],
)
def test_a_preferred_distro_that_cannot_serve_gives_way_and_why(
    text: str, offer: SystemOffer | None, reason: str
) -> None:
    found = way(text, offer, PREFERRED)
    assert found.way == "index"
    assert reason in found.reason


@pytest.mark.parametrize(
    "wish",
    [
        Wish("/home/me/project"),
        Wish("https://example.org/httpie-1.0-py3-none-any.whl"),
        Wish("httpie @ https://example.org/httpie-1.0.tar.gz"),
        Wish("httpie", editable=True),
        Wish("httpie[more]"),
        Wish("httpie ; python_version > '3'"),
        Wish("httpie", added=("httpie-edgegrid",)),
        Wish("httpie", python="3.12"),
        Wish("httpie", suffix="@2"),
        Wish("httpie", prerelease=True),
        Wish("httpie", commands_from=("requests",)),
        Wish("httpie", index_url="https://example.org/simple"),
        Wish("httpie", extra_index_urls=("https://example.org/simple",)),
        Wish("httpie", find_links=("/wheels",)),
        Wish("httpie", only_binary=(":all:",)),
    ],
)
def test_what_only_the_index_can_do_goes_there_whatever_is_preferred(wish: Wish) -> None:
    assert only_index(wish)
    for told in (Told(), PREFERRED, Told(override="distro")):
        found = route(wish, THERE, told, title=TITLE)
        assert (found.way, found.rule) == ("index", "only-index")
    with pytest.raises(UsageError, match="works only with the index"):
        route(wish, HTTPIE, DISTRO_FLAG, title=TITLE)


def test_every_choice_of_a_wish_is_one_that_only_the_index_has() -> None:
    """A field that is added to Wish must be thought of here, too."""
    for field in Wish._fields[1:]:
        value = {"editable": True, "prerelease": True}.get(field, "x")
        assert only_index(Wish("httpie")._replace(**{field: value})), field


def test_ours_stays_ours_unless_a_flag_says_otherwise() -> None:
    assert way("httpie", THERE, PREFERRED, ours=True).rule == "ours"
    assert way("httpie", HTTPIE, Told(override="distro"), ours=True).way == "index"
    assert way("httpie", HTTPIE, DISTRO_FLAG, ours=True).way == "distro"


def test_an_override_wins_over_what_is_installed_and_preferred() -> None:
    found = way("httpie", THERE, Told(override="index", prefer="distro"))
    assert (found.way, found.rule) == ("index", "override")
    found = way("httpie", HTTPIE, Told(override="distro"))
    assert (found.way, found.rule) == ("distro", "override")


def test_the_flag_wins_over_all() -> None:
    assert way("httpie", THERE, INDEX_FLAG._replace(override="distro", prefer="distro")).way == "index"
    assert way("httpie", HTTPIE, DISTRO_FLAG._replace(override="index")).way == "distro"


def test_the_demanded_distro_that_is_there_already_leaves_nothing_to_do() -> None:
    assert way("httpie", THERE, DISTRO_FLAG).way == "installed"


def test_what_is_installed_for_anothers_sake_is_installed_again_to_stay() -> None:
    found = way("httpie", THERE._replace(manual=False), DISTRO_FLAG)
    assert found.way == "distro"
    assert "stays from now on" in found.reason


def test_what_is_there_for_anothers_sake_only_is_enough_and_the_way_to_keep_it_is_named() -> None:
    found = way("httpie", THERE._replace(manual=False))
    assert found.way == "installed"
    assert "to keep it for yourself: detente install httpie --from distro" in found.reason
    assert "to keep it" not in way("httpie", THERE).reason


def test_an_old_one_that_is_installed_is_upgraded_where_the_candidate_satisfies() -> None:
    newer = THERE._replace(candidate="3.2.4-1", upstream_candidate="3.2.4")
    assert way("httpie>=3.2.3", newer, DISTRO_FLAG).way == "distro"


def test_another_project_is_refused_and_both_ways_are_named() -> None:
    err = refusal(Refused, "reportbug", HTTPIE._replace(package="reportbug", identity="other"))
    assert "Debian 12's reportbug is another project than the index's reportbug" in err.message
    assert "sudo apt install reportbug" in str(err.hint)
    assert "--from index" in str(err.hint)


@pytest.mark.parametrize(("identity", "remark"), [("absent", "index has no project"), ("unproved", "nothing shows")])
def test_a_doubtful_one_is_taken_when_demanded_and_the_doubt_is_told(identity: str, remark: str) -> None:
    found = way("httpie", HTTPIE._replace(identity=identity), DISTRO_FLAG)
    assert found.way == "distro"
    assert remark in found.remark


def test_a_demand_that_cannot_be_met_says_what_there_is() -> None:
    assert "Debian 12 has no nosuch" in refusal(NotFound, "nosuch", None).message
    assert "Debian 12 has 3.2.1, and httpie>=4 was asked for" in refusal(ResolutionError, "httpie>=4", HTTPIE).message
    unknown = HTTPIE._replace(upstream_candidate="")
    assert "is not known" in refusal(ResolutionError, "httpie>=3", unknown).message
    gone = HTTPIE._replace(candidate="", upstream_candidate="")
    assert "no version of httpie" in refusal(ResolutionError, "httpie>=3", gone).message


def test_a_demand_without_a_known_distro_is_refused() -> None:
    with pytest.raises(Refused, match="does not know this distro"):
        route(Wish("httpie"), None, DISTRO_FLAG)


def test_a_bare_name_without_candidate_is_left_to_the_package_manager_to_explain() -> None:
    """It knows more: whether there are no lists yet, or no source that has the package."""
    assert way("httpie", HTTPIE._replace(candidate="", upstream_candidate=""), DISTRO_FLAG).way == "distro"


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("httpie", "", True),
        ("httpie>=3", "", False),
        ("httpie>=3", "3.2.1", True),
        ("httpie<3", "3.2.1", False),
        ("httpie>=3", "4.0rc1", True),
        ("httpie>=3", "no version", False),
        ("httpie===3.2.1", "3.2.1", True),
    ],
)
def test_satisfying_is_what_pep_440_says(text: str, version: str, expected: bool) -> None:
    assert satisfies(text, version) is expected
