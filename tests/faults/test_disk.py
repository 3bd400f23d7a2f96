"""Full disks, odd file systems, tight limits: a sample of the trials of tests/proof/disk.py."""

from pathlib import Path
from typing import Any

import pytest

from proof.disk_places import linked_wheel
from support import images, stock

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(
    ("trials", "arguments", "least"),
    [
        ("disk_trials:full", (("change", "rollback"), 3, False), 6),
        ("disk_trials:full", (("change", "remove"), 2, True), 4),
        ("disk_trials:brimful", (), 3),
        ("disk_trials:read_only", (1,), 10),
        ("disk_places:separate", (("all", "commands"),), 2),
        ("disk_places:unlinkable", (), 5),
        ("disk_places:odd", (), 4),
        ("disk_places:limits", (6,), 6),
    ],
    ids=["full", "no inodes", "brimful", "read-only", "separate", "no hard links", "odd mounts", "limits"],
)
def test_the_old_state_or_the_new_one_and_one_sentence(
    tmp_path: Path, trials: str, arguments: tuple[Any, ...], least: int
) -> None:
    reason = images.missing()
    if reason:
        pytest.skip(reason)
    stock.fill(tmp_path / "wares")
    linked_wheel(tmp_path / "wares")
    found = list(images.private(f"proof.{trials}", tmp_path, *arguments))
    assert len(found) >= least
    assert not [trial for trial in found if trial[1]]
