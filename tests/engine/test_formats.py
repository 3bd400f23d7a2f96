"""Wheels or sources: what `--only-binary` words add up to."""

import pytest

from detente.engine.formats import check, with_only_binary, words
from detente.engine.sources import NOTHING
from detente.errors import ResolutionError, UsageError
from detente.model import Artifact

SDIST = Artifact("sdist", "lxml", "5.0", "https://example.invalid/lxml-5.0.tar.gz")
WHEEL = SDIST._replace(kind="wheel")
TREE = SDIST._replace(kind="directory", location="/home/me/lxml")


def test_names_are_normalized_and_can_stand_together() -> None:
    assert words(["Zope.Interface,lxml", " :all: ", ""]) == ("zope-interface", "lxml", ":all:")


@pytest.mark.parametrize("text", ["a/b", "-x", "lxml==5"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a distribution's name"):
        words([text])


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        (((), ()), ["lxml"], (("lxml",), ())),
        (((), ("lxml", "numpy")), ["lxml"], (("lxml",), ("numpy",))),
        (((), ("lxml",)), [":all:"], ((":all:",), ())),
        (((":all:",), ()), [":none:"], ((), ())),
        (((":all:",), ()), [":none:", "lxml"], (("lxml",), ())),
        ((("lxml",), ()), ["lxml"], (("lxml",), ())),
    ],
)
def test_later_words_win(
    before: tuple[tuple[str, ...], tuple[str, ...]], said: list[str], after: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    found = with_only_binary(NOTHING._replace(only_binary=before[0], no_binary=before[1]), said)
    assert (found.only_binary, found.no_binary) == after


@pytest.mark.parametrize("only", ["lxml", ":all:"])
def test_a_source_is_refused_where_wheels_are_asked_for(only: str) -> None:
    sources = NOTHING._replace(only_binary=(only,))
    check([WHEEL], sources)
    for artifact in (SDIST, TREE):
        with pytest.raises(ResolutionError, match="lxml would have to be built from source"):
            check([WHEEL, artifact], sources)


def test_a_source_is_taken_where_its_name_is_exempt_or_nothing_is_said() -> None:
    check([SDIST, TREE], NOTHING)
    check([SDIST], NOTHING._replace(only_binary=("numpy",)))
    check([SDIST], NOTHING._replace(only_binary=(":all:",), no_binary=("lxml",)))
