"""Versions of system packages: dpkg's order, and upstream versions that are right or not known."""

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from detente.distro.base import Known
from detente.distro.versions import compare, upstream, upstream_of

SIGNS = st.text("0123456789abz~+.", max_size=8)
UPSTREAM = st.builds(
    lambda head, tail, more: f"{head}{tail}{more}",
    st.integers(0, 120),
    SIGNS,
    st.sampled_from(["", "+dfsg", "~rc1", "+dfsg1", "~", ".0", "+git20230101.abc", "-1", "a"]),
)
VERSIONS = st.builds(
    lambda epoch, text, revision: f"{epoch}{text}{revision}",
    st.sampled_from(["", "", "", "0:", "1:", "2:"]),
    UPSTREAM,
    st.sampled_from(["", "-0", "-1", "-1~bpo12+1", "-1+b2", "-0ubuntu3", "-1+deb12u1", "-2"]),
)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="asks dpkg")
@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(VERSIONS, VERSIONS), min_size=40, max_size=40))
def test_the_order_is_that_of_dpkg(pairs: list[tuple[str, str]]) -> None:
    # One shell for forty pairs: starting dpkg is what takes time.
    script = 'while [ $# -gt 0 ]; do dpkg --compare-versions "$1" lt "$2" && echo lt || echo no; shift 2; done'
    words = [version for one, other in pairs for version in (one, other)]
    said = subprocess.run(["sh", "-c", script, "sh", *words], capture_output=True, text=True, check=True).stdout.split()
    assert len(said) == len(pairs)
    assert [compare(one, other) < 0 for one, other in pairs] == [word == "lt" for word in said], pairs


@pytest.mark.property
@given(VERSIONS, VERSIONS)
def test_the_order_is_the_same_from_both_sides(one: str, other: str) -> None:
    assert compare(one, other) == -compare(other, one)
    assert compare(one, one) == 0


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0~rc1-1", "1.0-1"),
        ("1.0-1", "1.0+dfsg-1"),
        ("9.0-1", "1:1.0-1"),
        ("1.9-1", "1.10-1"),
        ("1.0-1~bpo12+1", "1.0-1"),
        ("1.0-1", "1.0-1+b1"),
        ("1.0a", "1.0+"),
        ("1.0", "1.0.0"),
        ("1.0~~", "1.0~"),
    ],
)
def test_a_version_is_older_than_its_successor(older: str, newer: str) -> None:
    assert (compare(older, newer), compare(newer, older)) == (-1, 1)


def test_zeros_before_a_number_and_a_missing_revision_do_not_count() -> None:
    assert compare("1.02-1", "1.2-1") == 0
    assert compare("0:1.0", "1.0-0") == 0


@pytest.mark.parametrize(
    ("version", "upstream_version"),
    [
        ("2.28.1-1", "2.28.1"),
        ("6.0-3+b2", "6.0"),
        ("1:1.24.2-1+deb12u1", "1.24.2"),
        ("23.0.1+dfsg-1", "23.0.1"),
        ("1.2~dfsg1-1", "1.2"),
        ("1.2.dfsg-3", "1.2"),
        ("3.3.0+ds1-2", "3.3.0"),
        ("1.2+repack1-1", "1.2"),
        ("2.0.dfsg.1-1", "2.0"),
        ("2022.9+ds2+~3.11.2+ds1-6+b1", "2022.9"),
        ("5.0.0~rc1-1", "5.0.0rc1"),
        ("2.0.0~rc8-2", "2.0.0rc8"),
        ("1.0.0~b1-5+b1", "1.0.0b1"),
        ("2.0.0.post1-1", "2.0.0.post1"),
        ("3.0+really2.9.1+ds-1", "2.9.1"),
        ("8.2.0+0.really.8.1.8-1", "8.1.8"),
        ("2.6.0+deb12u1", "2.6.0"),
        ("1.5+nmu2", "1.5"),
        ("1.0ubuntu3", "1.0"),
        ("2.1~bpo12+1", "2.1"),
        ("2022.01.02-1", "2022.1.2"),
        ("12.0.0", "12.0.0"),
    ],
)
def test_the_upstream_version_is_what_upstream_calls_it(version: str, upstream_version: str) -> None:
    assert upstream(version) == upstream_version


@pytest.mark.parametrize(
    "version",
    [
        "0.4.2~0-1",  # neither 0.4.2 nor before it: nobody outside can tell
        "0.0~git20221107.4f381af-1",
        "1.2+git20230101.abc-1",
        "1.3+svn18657-1",
        "20210310+nmu1",
        "0.0.1+20200710gac8923a-2",
        "1.2a-1",  # PEP 440 would read 1.2a0
        "1.2-3-1",
        "4.0.0+dfsg~rc1-1",
        "0.9.0~hg151-1",
        "7.6.5p1-2",
        "abc-1",
        "",
        "-1",
        ":",
    ],
)
def test_what_does_not_tell_is_not_guessed(version: str) -> None:
    assert upstream(version) == ""


@pytest.mark.property
@given(VERSIONS)
def test_an_upstream_version_is_always_a_pep440_version_in_its_normal_form(version: str) -> None:
    found = upstream(version)
    assert found == "" or str(Version(found)) == found


@pytest.mark.property
@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=4),
    st.sampled_from(["", "a1", "b2", "rc3"]),
    st.sampled_from(["", ".post4"]),
    st.sampled_from(["", "1:"]),
    st.sampled_from(["", "+dfsg", "+ds1", "~dfsg", "+repack2"]),
    st.sampled_from(["-1", "-2+b1", "-1+deb12u3", "-0.1~bpo12+1"]),
)
def test_what_debian_adds_is_taken_off_again(
    release: list[int], pre: str, post: str, epoch: str, repacked: str, revision: str
) -> None:
    number = ".".join(map(str, release))
    spelled = f"{number}{'~' if pre else ''}{pre}{post}"
    assert upstream(f"{epoch}{spelled}{repacked}{revision}") == str(Version(f"{number}{pre}{post}"))


def test_what_the_table_recorded_beats_the_words_of_the_version() -> None:
    known = Known("frescobaldi", "frescobaldi", recorded="3.2+ds1-2", exception="3.3.0")
    assert upstream_of(known, "3.2+ds1-2") == "3.3.0"
    assert upstream_of(known, "3.2+ds1-2+deb12u1") == "3.3.0"  # the same upstream state
    assert upstream_of(known, "3.2+ds1-2+b1") == "3.3.0"


def test_where_the_words_were_wrong_once_they_are_not_believed_again() -> None:
    known = Known("frescobaldi", "frescobaldi", recorded="3.2+ds1-2", exception="3.3.0")
    assert upstream_of(known, "3.4-1") == ""
    assert upstream_of(known, "1:3.2+ds1-2") == ""
    assert upstream_of(Known("odd", "odd", recorded="1.0-1", exception="?"), "1.0-1") == ""


def test_without_an_exception_the_words_of_the_version_hold() -> None:
    known = Known("requests", "python3-requests", recorded="2.28.1+dfsg-1")
    assert upstream_of(known, "2.28.1+dfsg-1") == "2.28.1"
    assert upstream_of(known, "2.32.3+dfsg-5") == "2.32.3"
    assert upstream_of(known, "2.32.3+git20250101-1") == ""


def test_thousands_of_digits_are_a_version_like_others() -> None:
    long = "9" * 6000
    assert compare(long, "8" + long[1:]) == 1
    assert compare(f"{long}:1", "2") == 1
    assert compare("0" * 6000 + "1", "1") == 0
    assert upstream(f"1.{long}-1") in {"", f"1.{long}"}
    assert upstream("١.٢-1") == ""
