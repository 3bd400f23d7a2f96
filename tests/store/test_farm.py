import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import Collision
from detente.store.farm import Tree, plant

Files = Mapping[str, bytes]


def _grow(folder: Path, files: Files, owner: str, *, real: bool = False) -> Tree:
    """Write an entry's tree with `files` (relative path to bytes) below `folder`."""
    root = folder / owner
    root.mkdir(parents=True)
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o444)
    return Tree(owner, str(root), real)


def _seen(place: Path) -> dict[str, bytes]:
    """Return every file as an importer sees it: through links."""
    return {
        os.path.relpath(os.path.join(folder, name), place): Path(folder, name).read_bytes()
        for folder, _, names in os.walk(place, followlinks=True)
        for name in names
    }


def test_each_top_level_name_is_one_link(tmp_path: Path) -> None:
    one = _grow(tmp_path, {"demo/__init__.py": b"1", "demo/deep/x.py": b"2", "single.py": b"3"}, "one")
    other = _grow(tmp_path, {"other/__init__.py": b"4"}, "other")
    site = tmp_path / "env" / "site"
    assert plant(str(site), [one, other]) == 3
    assert {item.name: os.readlink(item) for item in site.iterdir()} == {
        "demo": f"{one.path}/demo",
        "single.py": f"{one.path}/single.py",
        "other": f"{other.path}/other",
    }


def test_a_directory_becomes_real_only_where_two_meet(tmp_path: Path) -> None:
    trees = [
        _grow(tmp_path, {"ns/a/x.py": b"1", "ns/same/a.py": b"2"}, "one"),
        _grow(tmp_path, {"ns/b/y.py": b"3", "ns/same/b.py": b"4"}, "two"),
    ]
    site = tmp_path / "site"
    assert plant(str(site), trees) == 4
    assert not (site / "ns").is_symlink()
    assert not (site / "ns" / "same").is_symlink()
    assert (site / "ns" / "a").is_symlink()
    assert (site / "ns" / "b").is_symlink()
    assert _seen(site) == {"ns/a/x.py": b"1", "ns/same/a.py": b"2", "ns/b/y.py": b"3", "ns/same/b.py": b"4"}


def test_no_tree_makes_an_empty_place(tmp_path: Path) -> None:
    assert plant(str(tmp_path / "site"), []) == 0
    assert (tmp_path / "site").is_dir()


def test_two_owners_of_one_file_are_named(tmp_path: Path) -> None:
    trees = [_grow(tmp_path, {"ns/x.py": data}, owner) for owner, data in (("one", b"1"), ("two", b"2"))]
    with pytest.raises(Collision, match=r"two distributions own ns/x\.py: one and two") as caught:
        plant(str(tmp_path / "site"), trees)
    assert caught.value.hint is not None


def test_the_third_owner_is_the_one_named_where_the_first_two_agree(tmp_path: Path) -> None:
    trees = [_grow(tmp_path, {"x.py": data}, owner) for owner, data in (("a", b"1"), ("b", b"1"), ("c", b"2"))]
    with pytest.raises(Collision, match=r"own x\.py: a and c"):
        plant(str(tmp_path / "site"), trees)


def test_identical_bytes_are_no_conflict(tmp_path: Path) -> None:
    trees = [_grow(tmp_path, {"LICENSE": b"MIT", "ns/x.pyi": b"..."}, owner) for owner in ("one", "two")]
    site = tmp_path / "site"
    plant(str(site), trees)
    assert os.readlink(site / "LICENSE") == f"{trees[0].path}/LICENSE"
    assert _seen(site) == {"LICENSE": b"MIT", "ns/x.pyi": b"..."}


@pytest.mark.parametrize("order", [1, -1])
def test_a_file_against_a_directory_is_a_conflict(tmp_path: Path, order: int) -> None:
    trees = [_grow(tmp_path, {"x": b"file"}, "one"), _grow(tmp_path, {"x/y.py": b"1"}, "two")]
    with pytest.raises(Collision, match="own x: one and two"):
        plant(str(tmp_path / "site"), trees[::order])


PKGUTIL = b"__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
PKG_RESOURCES = b"__import__('pkg_resources').declare_namespace(__name__)\n"


@pytest.mark.parametrize("second", [PKG_RESOURCES, b"# newer\n" + PKGUTIL])
def test_of_old_namespace_declarations_the_first_is_shown(tmp_path: Path, second: bytes) -> None:
    trees = [
        _grow(tmp_path, {"ns/__init__.py": PKGUTIL, "ns/a.py": b"1"}, "one"),
        _grow(tmp_path, {"ns/__init__.py": second, "ns/b.py": b"2"}, "two"),
    ]
    site = tmp_path / "site"
    plant(str(site), trees)
    assert _seen(site) == {"ns/__init__.py": PKGUTIL, "ns/a.py": b"1", "ns/b.py": b"2"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (PKGUTIL, b"version = 1\n"),
        (b"import pkgutil\nversion = 1\n", b"import pkgutil\nversion = 2\n"),
        (b"import pkg_resources\nversion = 1\n", b"import pkg_resources\nversion = 2\n"),
    ],
)
def test_two_modules_that_declare_no_namespace_are_a_conflict(tmp_path: Path, first: bytes, second: bytes) -> None:
    trees = [_grow(tmp_path, {"ns/__init__.py": data}, owner) for owner, data in (("one", first), ("two", second))]
    with pytest.raises(Collision, match=r"own ns/__init__\.py: one and two"):
        plant(str(tmp_path / "site"), trees)


def test_a_declaration_in_another_module_is_a_conflict(tmp_path: Path) -> None:
    trees = [_grow(tmp_path, {"ns/x.py": PKGUTIL + data}, owner) for owner, data in (("one", b"1"), ("two", b"2"))]
    with pytest.raises(Collision):
        plant(str(tmp_path / "site"), trees)


def test_bytecode_of_what_two_own_is_that_of_the_first(tmp_path: Path) -> None:
    name = "ns/__pycache__/__init__.cpython-311.pyc"
    trees = [
        _grow(tmp_path, {"ns/__init__.py": PKGUTIL, name: owner.encode(), f"ns/{owner}.py": b""}, owner)
        for owner in ("one", "two")
    ]
    site = tmp_path / "site"
    plant(str(site), trees)
    assert (site / name).read_bytes() == b"one"


def test_what_the_environment_has_is_never_replaced(tmp_path: Path) -> None:
    root = tmp_path / "env"
    (root / "bin").mkdir(parents=True)
    (root / "pyvenv.cfg").write_text("home")
    (root / "lib64").symlink_to("lib")
    for files in ({"pyvenv.cfg": b"x"}, {"lib64/x": b"x"}, {"bin": b"x"}):
        tree = _grow(tmp_path / next(iter(files)).replace("/", "-"), files, "one")
        with pytest.raises(Collision, match="one and the environment itself"):
            plant(str(root), [tree])
    assert (root / "pyvenv.cfg").read_text() == "home"


def test_a_directory_that_the_environment_has_is_joined(tmp_path: Path) -> None:
    root = tmp_path / "env"
    (root / "share" / "man").mkdir(parents=True)
    plant(str(root), [_grow(tmp_path, {"share/man/man1/x.1": b"1", "share/doc/x": b"2"}, "one")])
    assert (root / "share" / "man" / "man1").is_symlink()
    assert (root / "share" / "doc").is_symlink()
    assert not (root / "share" / "man").is_symlink()


def test_a_conflict_is_named_from_the_place_also_where_a_link_leads_there(tmp_path: Path) -> None:
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real/deep")
    trees = [_grow(tmp_path, {"x.py": data}, owner) for owner, data in (("one", b"1"), ("two", b"2"))]
    site = tmp_path / "link" / "site"
    site.mkdir()
    with pytest.raises(Collision, match=r"own x\.py: one and two"):
        plant(str(site), trees)


def test_a_real_tree_is_hard_linked_file_by_file(tmp_path: Path) -> None:
    tree = _grow(tmp_path, {"lib/a.so": b"1", "lib/deep/b.so": b"2", "top.py": b"3"}, "one", real=True)
    site = tmp_path / "site"
    assert plant(str(site), [tree]) == 3
    for name in ("lib/a.so", "lib/deep/b.so", "top.py"):
        assert not (site / name).is_symlink()
        assert (site / name).samefile(os.path.join(tree.path, name))
        assert (site / name).stat().st_mode & 0o777 == 0o444
    assert not (site / "lib").is_symlink()
    assert not (site / "lib" / "deep").is_symlink()


def test_a_real_tree_and_a_linked_one_meet_in_a_real_directory(tmp_path: Path) -> None:
    real = _grow(tmp_path, {"ns/a.so": b"1", "own/x": b"2"}, "one", real=True)
    linked = _grow(tmp_path, {"ns/b.py": b"3", "ns/deep/c.py": b"4"}, "two")
    site = tmp_path / "site"
    plant(str(site), [linked, real])
    assert not (site / "ns" / "a.so").is_symlink()
    assert (site / "ns" / "b.py").is_symlink()
    assert (site / "ns" / "deep").is_symlink()
    assert not (site / "own").is_symlink()


@pytest.mark.skipif(
    not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(tempfile.gettempdir()).st_dev,
    reason="there is one file system only",
)
def test_a_real_tree_of_another_file_system_is_copied(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as away:
        tree = _grow(Path(away), {"a.so": b"1"}, "one", real=True)
        plant(str(tmp_path / "site"), [tree])
        shown = tmp_path / "site" / "a.so"
        assert shown.read_bytes() == b"1"
        assert not shown.is_symlink()
        assert shown.stat().st_mode & 0o777 == 0o444


# a law: the farm is the union

_NAMES = st.sampled_from(["a", "b", "__init__.py", "c.py"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)
_BYTES = st.sampled_from([b"", b"1", PKGUTIL, PKG_RESOURCES])


@st.composite
def files(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of one entry; none is a directory of another."""
    found = draw(st.dictionaries(_PATHS, _BYTES, max_size=5))
    return {path: data for path, data in found.items() if not any(other.startswith(f"{path}/") for other in found)}


def _expected(all_files: list[dict[str, bytes]]) -> dict[str, bytes] | None:
    """Return the union, or None where the entries contradict one another."""
    union: dict[str, bytes] = {}
    for one in all_files:
        for path, data in one.items():
            both = {union.setdefault(path, data), data}
            if len(both) > 1 and not (path.endswith("__init__.py") and both == {PKGUTIL, PKG_RESOURCES}):
                return None
    if any(other.startswith(f"{path}/") for path in union for other in union):
        return None
    return union


@pytest.mark.property
@given(st.lists(st.tuples(files(), st.booleans()), min_size=1, max_size=3))
@settings(deadline=None, max_examples=120)
def test_the_farm_shows_exactly_the_union_or_is_refused(parts: list[tuple[dict[str, bytes], bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base, site = Path(folder), Path(folder, "site")
        trees = [_grow(base, one, f"e{place}", real=real) for place, (one, real) in enumerate(parts)]
        expected = _expected([one for one, _ in parts])
        if expected is None:
            with pytest.raises(Collision, match=r"two distributions own .*: e\d and e\d"):
                plant(str(site), trees)
            return
        made = plant(str(site), trees)
        assert _seen(site) == expected
        _each_place_is_right(site, parts, made)


def _each_place_is_right(site: Path, parts: list[tuple[dict[str, bytes], bool]], made: int) -> None:
    """Assert that only what one linked entry owns alone is behind a link to a directory."""
    links = 0
    for folder, folders, names in os.walk(site):
        for name in (*folders, *names):
            path = os.path.relpath(os.path.join(folder, name), site)
            linked = os.path.islink(os.path.join(folder, name))
            owners = [real for one, real in parts if any(f"{other}/".startswith(f"{path}/") for other in one)]
            if name in folders:
                assert linked == (owners == [False])
                links += linked
            else:
                assert linked != owners[0]
                links += 1
    assert links == made
