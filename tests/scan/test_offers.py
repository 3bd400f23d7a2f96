"""What the distro has, as routing sees it: asked of apt, or at hand without asking."""

from pathlib import Path

import pytest

from detente.scan.offers import asked_for, at_hand
from detente.scan.system import System, system
from support.apt_root import APT, NO_APT, AptRoot

pytestmark = pytest.mark.skipif(APT is None, reason=NO_APT)


@pytest.fixture
def root(tmp_path: Path) -> AptRoot:
    return AptRoot(tmp_path / "root")


def look(root: AptRoot) -> System:
    found = system({"DETENTE_DISTRO": str(root.path)}, str(root.path.parent / "cache"))
    assert found is not None
    return found


def test_apts_candidate_is_what_is_offered_with_its_upstream_version(root: AptRoot) -> None:
    root.offered("httpie", "3.2.2-1")
    found = asked_for(look(root), ["httpie", "nosuch"])
    assert list(found) == ["httpie"]
    offer = found["httpie"]
    assert (offer.title, offer.package, offer.identity, offer.application) == ("Debian 12", "httpie", "same", True)
    assert (offer.candidate, offer.upstream_candidate, offer.installed, offer.supported) == (
        "3.2.2-1",
        "3.2.2",
        "",
        True,
    )


@pytest.mark.parametrize(
    ("suite", "vendor", "supported"),
    [("bookworm-security", "Debian", True), ("bookworm-backports", "Debian Backports", False), ("x", "Someone", False),
     ("sid", "Debian", False), ("bookworm", "Kali", False)],
)  # fmt: skip
def test_security_support_is_that_of_the_distros_own_archives(
    root: AptRoot, suite: str, vendor: str, supported: bool
) -> None:
    root.offered("httpie", "3.2.2-1", suite=suite, vendor=vendor)
    assert asked_for(look(root), ["httpie"])["httpie"].supported is supported


def test_what_a_third_party_offers_is_not_called_the_distros(root: AptRoot) -> None:
    root.offered("httpie", "99-1", suite="x", vendor="Someone")
    assert asked_for(look(root), ["httpie"])["httpie"].title == "a third-party source of Debian 12"


def test_at_hand_is_what_the_table_recorded_and_apt_is_left_alone(root: AptRoot) -> None:
    root.offered("httpie", "3.2.2-1")
    offer = at_hand(look(root), ["httpie", "nosuch"])["httpie"]
    assert (offer.candidate, offer.upstream_candidate, offer.supported) == ("3.2.1-1", "3.2.1", True)
    assert not list(root.path.parent.glob("cache/**/*")), "nothing was read that had to be remembered"


def test_at_hand_knows_exactly_what_is_installed(root: AptRoot) -> None:
    root.python("httpie", "3.2.2-1", "httpie", "3.2.2", commands=("http",), manual=False)
    offer = at_hand(look(root), ["httpie"])["httpie"]
    assert (offer.installed, offer.upstream_installed, offer.manual) == ("3.2.2-1", "3.2.2", False)


def test_what_is_half_installed_is_not_there(root: AptRoot) -> None:
    root.python("httpie", "3.2.2-1", "httpie", "3.2.2", commands=("http",), state="install ok unpacked")
    assert at_hand(look(root), ["httpie"])["httpie"].installed == ""
    assert asked_for(look(root), ["httpie"])["httpie"].installed == ""
