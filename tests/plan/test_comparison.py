"""Candidates side by side: ages, and sentences about security support that are true."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detente.plan.comparison import Place, age, archive, called, from_distro

NOW = "2026-11-21T18:00:00Z"
RELEASE = Place("release", "bookworm", "main", "Debian")
SECURITY = Place("security", "bookworm-security", "main", "Debian")
BACKPORTS = Place("backports", "bookworm-backports", "main", "Debian Backports")
THIRD = Place("third-party", "stable", "main", "Example")
LOCAL = Place("local", "", "", "")


@pytest.mark.parametrize(
    ("since", "words"),
    [
        ("2026-11-21T00:00:00Z", "today"),
        ("2026-11-20T23:59:59Z", "1 day"),
        ("2026-11-01T00:00:00Z", "20 days"),
        ("2026-10-01T00:00:00Z", "51 days"),
        ("2026-09-01T00:00:00Z", "2 months"),
        ("2025-12-01T00:00:00Z", "11 months"),
        ("2025-11-20T00:00:00Z", "1 year"),
        ("2022-05-06T07:10:47Z", "4 years"),
        ("2027-01-01T00:00:00Z", ""),  # a clock that is wrong, or an index that is
        ("", ""),
        ("yesterday", ""),
        ("2026-13-01", ""),
    ],
)
def test_an_age_is_in_the_words_that_people_use(since: str, words: str) -> None:
    assert age(since, NOW) == words


@pytest.mark.property
@given(
    st.datetimes(min_value=datetime(1991, 2, 20), max_value=datetime(2100, 1, 1)),
    st.timedeltas(min_value=timedelta(), max_value=timedelta(days=20000)),
)
def test_an_age_is_what_the_calendar_says(now: datetime, gone: timedelta) -> None:
    since = now.replace(tzinfo=UTC) - gone
    days = (now.date() - since.date()).days
    words = age(since.isoformat(), now.isoformat())
    if days == 0:
        assert words == "today"
    elif days <= 60:
        assert words == f"{days} day{'s' * (days > 1)}"
    else:
        count, unit = words.split()
        length = {"month": 30.44, "year": 365.2425}[unit.removesuffix("s")]
        assert int(count) * length <= days < (int(count) + 1) * length


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([RELEASE], "by Debian, while supported"),
        ([SECURITY, LOCAL], "by Debian, while supported"),
        ([BACKPORTS], "as its backporter can"),
        ([BACKPORTS, RELEASE], "by Debian, while supported"),
        ([THIRD], "not by Debian, but by Example"),
        ([Place("third-party", "", "", "")], "not by Debian"),
        ([LOCAL], "none: no source offers it"),
        ([], "none: no source offers it"),
        ([RELEASE._replace(component="non-free")], "none promised (non-free)"),
        ([RELEASE._replace(component="contrib")], "none promised (contrib)"),
    ],
)
def test_who_mends_security_faults(places: list[Place], words: str) -> None:
    assert from_distro(places, "Debian 12") == words


def test_ubuntus_universe_is_its_communitys() -> None:
    universe = Place("release", "noble", "universe", "Ubuntu")
    assert from_distro([universe], "Ubuntu 24.04") == "by the community (universe)"
    assert from_distro([universe._replace(component="main")], "Ubuntu 24.04") == "by Ubuntu, while supported"


def test_where_a_version_comes_from_is_called_by_its_name() -> None:
    assert called([RELEASE, LOCAL], "Debian 12") == "Debian 12"
    assert called([SECURITY, LOCAL], "Debian 12") == "Debian 12 security"
    assert called([BACKPORTS], "Debian 12") == "bookworm-backports"
    assert called([THIRD, LOCAL], "Debian 12") == "Example"
    assert called([THIRD, RELEASE], "Debian 12") == "Debian 12"
    assert called([LOCAL], "Debian 12") == "only here"
    assert archive([RELEASE, SECURITY]) == "bookworm-security/main"
    assert archive([LOCAL]) == ""
