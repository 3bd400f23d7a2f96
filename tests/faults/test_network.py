"""A sample of the proof's section `network`: hostile indexes, passwords, no network. All of it: ./prove network."""

from pathlib import Path

import pytest

from proof import network, network_offline, network_secrets
from proof.network_scene import Behaviour, stock, trial

_FAST = [one for one in network.BEHAVIOURS if one.name in network.SAMPLE and not one.waits]
_SLOW = [one for one in network.BEHAVIOURS if one.name in network.SAMPLE and one.waits]


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stock(tmp_path_factory.mktemp("stock"))


def test_the_sample_names_behaviours_that_exist() -> None:
    assert len(_FAST) + len(_SLOW) == len(network.SAMPLE)
    names = [one.name for one in network.BEHAVIOURS]
    assert len(names) == len(set(names))


@pytest.mark.faults
@pytest.mark.parametrize("behaviour", _FAST, ids=lambda one: one.name)
def test_a_hostile_index_is_named_and_leaves_nothing(behaviour: Behaviour, tmp_path: Path, stocked: Path) -> None:
    assert trial(behaviour, tmp_path / "trial", stocked).breaches == ()


@pytest.mark.faults
def test_nothing_waits_for_ever(tmp_path: Path) -> None:
    outcomes = network.tried(_SLOW, tmp_path, 1)
    assert [(one.name, one.breaches) for one in outcomes if one.breaches] == []


@pytest.mark.faults
@pytest.mark.parametrize("name", ["typed with --index-url", "in a keyring"])
def test_a_password_stays_where_the_person_wrote_it(name: str, tmp_path: Path) -> None:
    found = network_secrets.trial(name, tmp_path / "trial", network_secrets.stock(tmp_path / "wares"))
    assert found.found == ()
    assert found.places > 100


@pytest.mark.faults
def test_what_is_here_works_without_any_network(tmp_path: Path) -> None:
    assert [(what, wrong) for what, wrong in network_offline.trials(tmp_path) if wrong] == []
