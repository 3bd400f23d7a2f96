"""The most used distributions of the list are not refused; `./prove wheels` looks at all of them."""

from pathlib import Path

import pytest

from proof import popular
from proof.wheels import examined


def test_the_list_names_each_distribution_once() -> None:
    names = popular.names(10_000)
    assert len(names) == len(set(names)) > 1_000


@pytest.mark.live
def test_the_most_used_wheels_are_not_refused(tmp_path: Path) -> None:
    locked = popular.locked(popular.names(100))
    assert len(locked) > 80
    refused = [wrong for given in popular.fetched(locked) if (wrong := examined(tmp_path, given)[1])]
    assert refused == []
