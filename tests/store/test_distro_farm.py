"""The farm of the distro's modules: links beside site-packages, what the record says of them, what leads nowhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from detente.model import DistroModules
from detente.store import distro_farm

SITE = "lib/python3.11/site-packages"


def modules(tree: Path, *paths: str) -> DistroModules:
    """Return modules whose links lead to files of the same names, which are made, in `tree`."""
    for path in paths:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(f"HERE = {path!r}\n")
    return DistroModules(("x",), {"python3-x": "1.0-1"}, "3.11", {path: str(tree / path) for path in paths})


def planted(root: Path, distro: DistroModules) -> Path:
    """Plant `distro` in an environment at `root`; return its site-packages."""
    (root / SITE).mkdir(parents=True)
    distro_farm.plant(str(root), SITE, distro)
    return root / SITE


def test_links_lie_in_a_directory_of_their_own_and_one_file_leads_there(tmp_path: Path) -> None:
    site = planted(tmp_path / "env", modules(tmp_path / "tree", "x.py", "ns/part/y.py"))
    assert os.listdir(site) == [distro_farm.PTH]
    assert (tmp_path / "env/distro/ns/part/y.py").readlink() == tmp_path / "tree/ns/part/y.py"
    assert not (tmp_path / "env/distro/ns/part").is_symlink()


def test_they_come_after_everything_of_site_packages(tmp_path: Path) -> None:
    """Also after what other .pth files add: each line is a directory, in the order of the files' names."""
    site = planted(tmp_path / "env", modules(tmp_path / "tree", "x.py", "both.py"))
    (site / "both.py").write_text("HERE = 'site-packages'\n")
    (tmp_path / "own").mkdir()
    (site / "__editable__.x.pth").write_text(f"{tmp_path / 'own'}\n")
    code = f"import site, sys; site.addsitedir({str(site)!r}); print(*sys.path[-3:])"
    code += "; import both, x; print(both.HERE, x.HERE)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        f"{site} {tmp_path / 'own'} {tmp_path / 'env/distro'}",
        "site-packages x.py",
    ], done.stderr


def test_the_record_gives_back_what_was_written(tmp_path: Path) -> None:
    distro = modules(tmp_path, "x.py")
    record = json.loads(json.dumps({"distro": distro_farm.encode(distro)}))
    assert distro_farm.decode(record) == distro
    assert distro_farm.decode({"schema": 1}) is None


@pytest.mark.parametrize(
    "damaged",
    [
        *({}, "x", 5, [], {"names": ["x"]}, {"names": "x", "packages": {}, "python": "", "links": {}}),
        {"names": [], "packages": [], "python": "", "links": {}},
        {"names": [], "packages": {}, "python": "", "links": []},
    ],
)
def test_a_damaged_record_is_told_from_none(damaged: object) -> None:
    with pytest.raises((LookupError, TypeError)):
        distro_farm.decode({"distro": damaged})


def test_a_link_that_leads_nowhere_is_named_and_bytecode_does_not_count(tmp_path: Path) -> None:
    distro = modules(tmp_path, "a.py", "b.py", "__pycache__/a.cpython-311.pyc")
    assert distro_farm.dangling(distro) == []
    (tmp_path / "b.py").unlink()
    (tmp_path / "__pycache__/a.cpython-311.pyc").unlink()
    assert distro_farm.dangling(distro) == ["b.py"]


def test_links_are_the_same_whatever_bytecode_there_is(tmp_path: Path) -> None:
    with_it = modules(tmp_path, "a.py", "ns/__pycache__/a.cpython-311.pyc")
    without = with_it._replace(links={"a.py": str(tmp_path / "a.py")})
    assert distro_farm.same_links(with_it, without)
    assert not distro_farm.same_links(with_it, without._replace(links={"a.py": "/elsewhere/a.py"}))
