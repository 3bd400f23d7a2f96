"""What a failed build is advised to install, on a real Debian: it is there, and with it the build goes on."""

import re

import pytest
from furnished import Furnished

from detente.apply.needs import DATA

pytestmark = pytest.mark.distro


def test_each_system_package_of_the_table_can_be_installed(there: Furnished) -> None:
    import lzma

    from detente.apply.needs import read

    with lzma.open(DATA, "rt", encoding="utf-8") as file:
        table = read(file)[there.suite]
    named = {name for rows in table.values() for packages in rows.values() for name in packages.split()}
    assert len(named) > 5000
    known = set(there.as_root("apt-cache", "pkgnames").out.split())
    assert named - known == set()


def test_the_advised_commands_one_after_the_other_lead_to_the_end(there: Furnished) -> None:
    advised = []
    for _ in range(4):
        said = there.detente("install", "needy")
        if said.status == 0:
            break
        assert said.status == 1, said
        hint = re.search(r"(?m)^hint: sudo (apt install [\w.+ -]+)$", said.err)
        assert hint, said
        advised.append(hint[1])
        there.as_root(*hint[1].replace("apt ", "apt-get --yes ", 1).split())
    assert advised == ["apt install pkg-config", "apt install libyaml-dev"]
    assert said.out.startswith("installed needy 1.0")
