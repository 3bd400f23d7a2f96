"""Which links show some system packages' modules: few where a directory is theirs, and never what is not theirs."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.scan.distro_links import links, owned, owns, uncovered

TREE = "usr/lib/python3/dist-packages"
TAG = "cpython-311"


def made(root: Path, *names: str) -> list[str]:
    """Make the files `names` in the tree below `root`; return the paths that dpkg would list, directories as well."""
    listed = {str(root / "usr"), str(root / TREE)}
    for name in names:
        place = root / TREE / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("")
        listed |= {str(place), *(str(above) for above in place.parents if above.is_relative_to(root / TREE))}
    return sorted(listed)


def farm(root: Path, *names: str) -> list[str]:
    """Return the links for system packages that have just the files `names`."""
    found = links(owned(made(root, *names), "3.11"), TAG)
    assert all(target == str(root / TREE / path) for path, target in found.items())
    return sorted(found)


def test_a_directory_of_their_own_is_one_link(tmp_path: Path) -> None:
    assert farm(tmp_path, "gi/__init__.py", "gi/sub/x.py", "six.py", "y.egg-info/PKG-INFO") == [
        *("gi", "six.py", "y.egg-info")
    ]


def test_bytecode_in_a_directory_is_no_sign_of_another_owner(tmp_path: Path) -> None:
    made(tmp_path, "gi/__pycache__/__init__.cpython-311.pyc", "gi/old.pyc")
    assert farm(tmp_path, "gi/__init__.py") == ["gi"]


def test_a_shared_directory_is_linked_file_by_file_with_bytecode_of_this_python(tmp_path: Path) -> None:
    made(tmp_path, "gi/_cairo.py", "gi/__pycache__/a.cpython-311.pyc", "gi/__pycache__/a.cpython-312.pyc")
    made(tmp_path, "gi/__pycache__/_cairo.cpython-311.pyc", "gi/theirs/z.py")
    assert farm(tmp_path, "gi/a.py", "gi/own/b.py") == ["gi/__pycache__/a.cpython-311.pyc", "gi/a.py", "gi/own"]


def test_what_they_list_but_the_disk_lacks_is_left_out(tmp_path: Path) -> None:
    listed = [*made(tmp_path, "a.py"), str(tmp_path / TREE / "gone.py"), str(tmp_path / TREE / "gone/x.py")]
    assert list(links(owned(listed, "3.11"), TAG)) == ["a.py"]


def test_start_up_files_and_bytecode_are_no_modules(tmp_path: Path) -> None:
    assert farm(tmp_path, "a.py", "a-nspkg.pth", "old.pyc", "__pycache__/a.cpython-312.pyc") == ["a.py"]


def test_a_link_of_a_system_package_is_linked_itself(tmp_path: Path) -> None:
    listed = made(tmp_path, "real/x.py")
    (tmp_path / TREE / "name").symlink_to("real")
    assert sorted(links(owned([*listed, str(tmp_path / TREE / "name")], "3.11"), TAG)) == ["name", "real"]


def test_only_the_trees_of_this_python_count(tmp_path: Path) -> None:
    paths = []
    for tree in ("python3", "python3.11", "python3.12", "python2.7", "python3.1"):
        place = tmp_path / f"usr/lib/{tree}/dist-packages/of_{tree.replace('.', '_')}.py"
        place.parent.mkdir(parents=True)
        place.write_text("")
        paths.append(str(place))
    paths.append(str(tmp_path / "usr/share/doc/x.py"))
    assert sorted(owned(paths, "3.11")) == ["of_python3.py", "of_python3_11.py"]


def test_the_tree_of_one_version_comes_after_the_common_one(tmp_path: Path) -> None:
    """python3-numpy has its headers in both: the version's tree alone would be a package without code."""
    paths = made(tmp_path, "numpy/__init__.py")
    place = tmp_path / "usr/lib/python3.11/dist-packages/numpy/core/include/x.h"
    place.parent.mkdir(parents=True)
    place.write_text("")
    found = owned([*map(str, reversed([place, *place.parents])), *paths], "3.11")
    assert links(found, TAG) == {"numpy": str(tmp_path / TREE / "numpy")}
    assert uncovered(links(found, TAG), found) == []


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("gi", True),
        ("gi.sub", True),
        ("gi.sub.x", True),
        ("six", True),
        ("apt_pkg", True),
        ("fast", True),
        ("lazr", False),
        ("lazr.uri", True),
        ("lazr.nothing", None),
        ("data", None),
        ("nosuch", None),
        ("gi.nosuch", None),
    ],
)
def test_a_module_is_told_from_a_part_of_a_namespace(tmp_path: Path, module: str, expected: bool | None) -> None:
    files = ("gi/__init__.py", "gi/sub/__init__.py", "gi/sub/x.py", "six.py", "lazr/uri/__init__.py", "data/x.txt")
    compiled = ("apt_pkg.cpython-311-x86_64-linux-gnu.so", "fast.abi3.so")
    assert owns(owned(made(tmp_path, *files, *compiled), "3.11"), module) is expected


_NAMES = st.lists(
    st.sampled_from(
        ["a.py", "p/a.py", "p/b.py", "p/q/a.py", "p/q/b.py", "p/r/a.py", "s/a.py", "s/q/c.py", "t/u/v/w.py"]
    ),
    unique=True,
)


@pytest.mark.property
@given(_NAMES, _NAMES)
@settings(deadline=None, max_examples=60)
def test_the_links_show_all_that_is_theirs_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, mine: list[str], others: list[str]
) -> None:
    root = tmp_path_factory.mktemp("root")
    made(root, *others)
    found = owned(made(root, *mine), "3.11")
    shown = links(found, TAG)
    assert uncovered(shown, found) == []
    seen = set()
    for path, target in shown.items():
        place = Path(target)
        inner = [item for item in place.rglob("*") if item.is_file()] if place.is_dir() else [place]
        seen |= {path + str(item)[len(target) :] for item in inner}
    assert seen == set(mine)
    for path in shown:  # without any of them something is missing
        assert uncovered({name: target for name, target in shown.items() if name != path}, found)
