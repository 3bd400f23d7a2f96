"""The power is cut: a sample of the trials of tests/proof/power.py."""

import os
import shutil
from pathlib import Path

import pytest

from proof import power
from proof.lab import Lab
from support import images, stock

pytestmark = pytest.mark.faults


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    reason = images.missing()
    if reason:
        pytest.skip(reason)
    stock.fill(tmp_path / "wares")
    served = os.environ.get("DETENTE_TEST_WHEELS")
    for path in Path(served).iterdir() if served else ():
        shutil.copy(path, tmp_path / "wares")
    return Lab(tmp_path, quick=True, jobs=1)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs"])
def test_a_cut_leaves_old_or_new_and_after_exit_0_new(lab: Lab, kind: str) -> None:
    if kind not in images.kinds():
        pytest.skip(f"no {kind} can be mounted here")
    ends = 1 if kind == "ext4" else 0
    done = power.cuts(lab, [(kind, "", True)], points=1, ends=ends)
    assert len(done) >= len(power.CASES) - 1
    assert not [cut for cut in done if cut.wrong]


def test_a_lost_write_that_the_kernel_reports_ends_the_command_with_the_old_state(lab: Lab) -> None:
    found = list(images.private("proof.power:fail", lab.scratch, ("change",), (1, 3, 5)))
    assert not [one for one in found if one[2]]
    assert any(status != 0 for *_, status in found), "no trial met the error"
