import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from detente.errors import UsageError
from detente.model import Application, Wish
from detente.names import normalized
from detente.plan.request import (
    Asked,
    canonical_requirement,
    is_bare,
    is_direct,
    merged,
    requirement_name,
    without_login,
    without_logins,
)
from plan.builders import an_application


def _having(wish: Wish) -> Application:
    return an_application()._replace(wish=wish)


# the name that a requirement states


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("httpie", "httpie"),
        ("  Jupyter_Lab >= 4", "jupyter-lab"),
        ("zope.interface[test]==5", "zope-interface"),
        ("demo @ https://example.org/x.whl", "demo"),
        ("/srv/wheels/Demo_App-1.0-py3-none-any.whl", "demo-app"),
        ("https://example.org/demo_app-1.0-1-py3-none-any.whl#sha256=00", "demo-app"),
        ("/srv/demo-app-1.0.tar.gz", "demo-app"),
        ("https://example.org/demo-1.0.zip", "demo"),
        ("git+https://example.org/me/demo.git#egg=Demo_App[x]&subdirectory=a", "demo-app"),
        ("git+ssh://git@example.org/me/demo.git@v1", ""),
        ("/home/anna/project", ""),
        ("/home/anna/project/", ""),
        ("/srv/-1.0.tar.gz", ""),
        ("/srv/demo.tar.gz", ""),
        ("/srv/not-a-wheel.whl", ""),
        ("!", ""),
        ("", ""),
    ],
)
def test_the_name_is_read_from_what_states_one(text: str, name: str) -> None:
    assert requirement_name(text) == name


@pytest.mark.parametrize("text", ["/a", "https://example.org", "git+ssh://x", "HTTP://x", "file:///a"])
def test_urls_and_absolute_paths_are_direct(text: str) -> None:
    assert is_direct(text)


@pytest.mark.parametrize("text", ["demo", "./a", "demo @ https://example.org/x", "demo@https://example.org/x"])
def test_names_are_not_direct(text: str) -> None:
    assert not is_direct(text)


def test_a_bare_name_has_nothing_after_it() -> None:
    assert is_bare("demo.app")
    assert not any(map(is_bare, ["demo[x]", "demo>1", "demo ; x", "demo @ u", "/demo", ""]))


# canonical requirements


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (" Demo ", "demo"),
        ("Zope.Interface", "zope-interface"),
        ("demo >= 1 , < 2", "demo<2,>=1"),
        ("demo (>=1)", "demo>=1"),
        ("demo()", "demo"),
        ("demo>=1,>=1", "demo>=1"),
        ("demo[B, a_x ,b]", "demo[a-x,b]"),
        ("demo[]", "demo"),
        ("demo [ ]>1", "demo>1"),
        ("demo@https://example.org/x.whl", "demo @ https://example.org/x.whl"),
        ("demo[x]  @  git+https://example.org/x", "demo[x] @ git+https://example.org/x"),
        ("demo>=1;python_version>'3'", "demo>=1 ; python_version>'3'"),
        ("demo ~= 1.4 , != 1.5 , === 1.4.2+local", "demo!=1.5,~=1.4,===1.4.2+local"),
        ("https://example.org/A_b", "https://example.org/A_b"),
        (" /srv/A ", "/srv/A"),
    ],
)
def test_spellings_of_one_requirement_become_one(text: str, canonical: str) -> None:
    assert canonical_requirement(text) == canonical


@pytest.mark.parametrize("text", ["", "  ", "!", "-demo", ">=1", "[x]"])
def test_what_does_not_begin_with_a_name_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="is not a requirement") as caught:
        canonical_requirement(text)
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    "text",
    [
        "foo bar",
        "foo 1.0",
        "foo bar>=1",
        "foo >= 1 0",
        "foo>=1 <2",
        "foo>",
        "foo=1",
        "foo(>=1",
        "foo>=1)",
        "foo[x",
        "foo]",
    ],
)
def test_words_are_never_run_together_into_another_name_or_version(text: str) -> None:
    with pytest.raises(UsageError, match="is not a requirement"):
        canonical_requirement(text)


_WORDS = st.text("abAB09", min_size=1, max_size=4)
_SEPARATORS = st.sampled_from(["-", "_", ".", "--", "-_."])
_SPACES = st.sampled_from(["", " ", "  ", "\t"])
_SPECIFIERS = st.sampled_from([">=1", "<2.0", "!=1.5", "~=1.4", "==1.*", ">1", "<=3"])


@st.composite
def spelled_twice(draw: st.DrawFn) -> tuple[str, str]:
    """Two spellings of one requirement."""
    words = draw(st.lists(_WORDS, min_size=1, max_size=3))
    extras = draw(st.lists(_WORDS, max_size=3))
    specifiers = draw(st.lists(_SPECIFIERS, max_size=3))
    marker = draw(st.sampled_from(["", "python_version > '3'"]))

    def spelled() -> str:
        def space() -> str:
            return draw(_SPACES)

        text = words[0] + "".join(draw(_SEPARATORS) + word for word in words[1:])
        text = space() + (text.upper() if draw(st.booleans()) else text) + space()
        if extras:
            shuffled = draw(st.permutations(extras))
            text += "[" + ",".join(space() + extra.swapcase() + space() for extra in shuffled) + "]" + space()
        parts = [part[: -len(part.lstrip("<>=!~"))] + space() + part.lstrip("<>=!~") for part in specifiers]
        inner = ",".join(space() + part + space() for part in draw(st.permutations(parts)))
        text += f"({inner})" if specifiers and draw(st.booleans()) else inner
        return text + (space() + ";" + space() + marker + space() if marker else "")

    return spelled(), spelled()


@pytest.mark.property
@given(spelled_twice())
@settings(deadline=None, max_examples=150)
def test_canonical_form_is_one_for_all_spellings_and_stays_itself(pair: tuple[str, str]) -> None:
    one, other = map(canonical_requirement, pair)
    assert one == other
    assert canonical_requirement(one) == one
    assert requirement_name(one) == requirement_name(pair[0])
    theirs, ours = Requirement(pair[0].strip()), Requirement(one)
    assert normalized(theirs.name) == ours.name
    assert theirs.specifier == ours.specifier
    assert {normalized(extra) for extra in theirs.extras} == ours.extras
    assert theirs.marker == ours.marker


@pytest.mark.property
@given(st.text("ab-._[],<>=!~ ;@'\"()1*\n", max_size=14))
@settings(deadline=None, max_examples=200)
def test_any_text_is_refused_or_has_a_canonical_form_that_stays_itself(text: str) -> None:
    try:
        canonical = canonical_requirement(text)
    except UsageError:
        return
    assert canonical_requirement(canonical) == canonical


# laying one request over what is remembered


def test_a_first_request_is_the_wish_itself() -> None:
    asked = Asked(
        "demo>=1",
        added=("a", "b", "A>1"),
        python="3.12",
        suffix="@2",
        prerelease=True,
        editable=True,
        commands_from=("x", "x"),
        index_url="https://index.example.org",
        extra_index_urls=("https://more.example.org",),
        find_links=("/srv",),
        with_distro=("gi", "dbus", "gi"),
    )
    assert merged(asked, None) == Wish(
        "demo>=1",
        added=("A>1", "b"),
        python="3.12",
        suffix="@2",
        prerelease=True,
        editable=True,
        commands_from=("x",),
        index_url="https://index.example.org",
        extra_index_urls=("https://more.example.org",),
        find_links=("/srv",),
        with_distro=("gi", "dbus"),
    )


OLD = Wish(
    *("demo<2", ("plugin",), "3.12", "@2", True, False, ("core",), "https://a.example.org", ("u",), ("/f",), ()),
    with_distro=("gi",),
)


@pytest.mark.parametrize(
    ("more", "changed"),
    [
        ({"added": ("other",)}, {"added": ("plugin", "other")}),
        ({"added": ("plugin>1",)}, {"added": ("plugin>1",)}),
        ({"python": "3.13"}, {"python": "3.13"}),
        ({"prerelease": True}, {}),
        ({"commands_from": ("more",)}, {"commands_from": ("core", "more")}),
        ({"index_url": "https://b.example.org"}, {"index_url": "https://b.example.org"}),
        ({"extra_index_urls": ("v",)}, {"extra_index_urls": ("v",)}),
        ({"find_links": ("/g",)}, {"find_links": ("/g",)}),
        ({"with_distro": ("dbus", "gi")}, {"with_distro": ("gi", "dbus")}),
    ],
)
def test_a_bare_name_with_an_option_changes_only_what_the_option_says(
    more: dict[str, object], changed: dict[str, object]
) -> None:
    asked = Asked("demo", suffix="@2", **more)  # type: ignore[arg-type]
    assert merged(asked, _having(OLD)) == OLD._replace(**changed)


@pytest.mark.parametrize("text", ["demo", "demo>=3", "demo @ https://example.org/demo.whl"])
def test_another_request_replaces_the_requirement_and_keeps_the_choices(text: str) -> None:
    assert merged(Asked(text, suffix="@2"), _having(OLD)) == OLD._replace(requirement=text)


def test_a_requirement_with_an_option_replaces_too() -> None:
    wish = merged(Asked("demo>=3", added=("other",)), _having(OLD))
    assert wish == OLD._replace(requirement="demo>=3", added=("plugin", "other"))


def test_an_editable_project_stays_one_while_only_something_is_added() -> None:
    old = Wish("/home/anna/demo", editable=True)
    assert merged(Asked("demo", added=("x",)), _having(old)) == old._replace(added=("x",))
    assert merged(Asked("demo"), _having(old)) == Wish("demo")


_REQUIREMENTS = st.sampled_from(["demo", "demo>=1", "demo[x]", "demo @ https://example.org/d", "/home/anna/demo"])
_ADDED = st.lists(st.sampled_from(["a", "a>1", "b", "/srv/c-1.0.zip"]), max_size=3).map(tuple)
_ASKED = st.builds(
    Asked,
    _REQUIREMENTS,
    _ADDED,
    st.none() | st.sampled_from(["3.12", "3.13"]),
    st.just(""),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from(["core", "more"]), max_size=2).map(tuple),
    st.none() | st.just("https://index.example.org"),
    st.lists(st.just("https://more.example.org"), max_size=1).map(tuple),
    st.lists(st.just("/srv"), max_size=1).map(tuple),
    st.just(()),
    st.lists(st.sampled_from(["gi", "dbus"]), max_size=2).map(tuple),
)


@pytest.mark.property
@given(st.none() | _ASKED, _ASKED)
@settings(deadline=None, max_examples=200)
def test_asking_the_same_again_wishes_the_same(first: Asked | None, second: Asked) -> None:
    before = None if first is None else _having(merged(first, None))
    once = merged(second, before)
    assert merged(second, _having(once)) == once


@pytest.mark.property
@given(st.lists(_ASKED, min_size=1, max_size=5))
@settings(deadline=None, max_examples=100)
def test_what_was_added_is_never_forgotten(requests: list[Asked]) -> None:
    application = None
    names: set[str] = set()
    for asked in requests:
        application = _having(merged(asked, application))
        names |= {requirement_name(text) for text in asked.added}
        assert {requirement_name(text) for text in application.wish.added} == names
        assert set(asked.commands_from) <= set(application.wish.commands_from)
        assert set(asked.with_distro) <= set(application.wish.with_distro)


# what may be recorded


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://anna:secret@index.example.org/simple", "https://index.example.org/simple"),
        ("https://token@index.example.org/simple", "https://index.example.org/simple"),
        ("demo @ git+https://anna:s%40x@example.org/me.git@v1", "demo @ git+https://example.org/me.git@v1"),
        ("git+ssh://git@example.org/me.git", "git+ssh://git@example.org/me.git"),
        ("https://example.org/@scope/demo.whl", "https://example.org/@scope/demo.whl"),
        ("demo>=1", "demo>=1"),
    ],
)
def test_no_login_of_a_url_is_recorded(text: str, shown: str) -> None:
    assert without_login(text) == shown
    wish = Wish(text, added=(text,), index_url=text, extra_index_urls=(text,), find_links=(text,))
    recorded = without_logins(wish)
    assert recorded == Wish(shown, added=(shown,), index_url=shown, extra_index_urls=(shown,), find_links=(shown,))
    assert without_logins(recorded) == recorded


def test_no_index_stays_none() -> None:
    assert without_logins(Wish("demo")) == Wish("demo")
