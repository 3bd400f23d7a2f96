"""Which installed system packages are Python's, on recorded systems."""

from pathlib import Path

from detente.distro.base import Installed
from support.apt_root import AptRoot
from support.systems import lay_out, look

DIST = "/usr/lib/python3/dist-packages"


def test_what_is_installed_is_read_with_all_that_counts(root: Path) -> None:
    found = look(root).installed()
    epochal = found["python3-epochal"]
    assert epochal == Installed(
        "python3-epochal", "1:2.0-1", "all", "python3-epochal", "installed", True, False, 12 * 1024,
        {"epochal": "2.0"}, (), ("epochal",),
    )  # fmt: skip
    assert found["python3-repacked"].distributions == {"repacked": "1.4.2"}
    assert found["python3-heldback"].held
    assert not found["python3-shouter"].manual, "apt marked it"
    assert found["yamllint"].manual
    assert found["yamllint"].commands == ("/usr/bin/yamllint",)
    assert found["python3-yaml"].distributions.keys() == {"pyyaml"}
    assert "yaml" in found["python3-yaml"].modules


def test_an_application_is_python_where_its_metadata_is_its_own_or_beside_it(root: Path) -> None:
    found = look(root).installed()
    assert found["hermit"].distributions == {"hermit": "0.9"}
    assert found["nameless"].distributions == {"name-less": "3.1"}, "read from the metadata itself"
    assert found["shouter"].distributions == {}
    assert found["shouter"].commands == ("/usr/bin/shouter.real",), "diverted by another one"
    assert "shouter-wrapper" not in found, "it is of another source"
    assert found["python3-vendors"].distributions == {"vendors": "1.0"}, "what it vendors is not counted"
    assert found["python3-nodata"].modules == ("_nodata", "nodata")
    assert not {"coreutils", "dpkg", "mawk", "python3-leftover"} & found.keys()


def test_one_package_for_two_architectures_is_two(root: Path) -> None:
    found = look(root).installed()
    assert found["python3-twoarch"].architecture == "amd64", "the machine's own"
    assert found["python3-twoarch:i386"].architecture == "i386"


def test_packages_that_are_half_there_are_told_apart(tmp_path: Path) -> None:
    root = lay_out("bookworm", tmp_path / "root", status="status-unfinished")
    (root / "var/lib/dpkg/info/python3-halfdone.list").write_text(f"/.\n{DIST}/halfdone.py\n")
    (root / "var/lib/dpkg/info/python3-torn.list").write_text(f"/.\n{DIST}/torn.py\n")
    found = look(root).installed()
    assert found["python3-halfdone"].state == "half-configured"
    assert found["python3-torn"].state == "half-installed"


def test_what_an_interrupted_dpkg_wrote_last_counts(bookworm: Path) -> None:
    (bookworm / "var/lib/dpkg/updates").mkdir()
    update = "Package: python3-epochal\nStatus: install reinstreq half-installed\nArchitecture: all\nVersion: 1:2.0-1\n"
    (bookworm / "var/lib/dpkg/updates/0000").write_text(update + "#padding\n" * 9)
    (bookworm / "var/lib/dpkg/updates/tmp.i").write_text("Pack")
    assert look(bookworm).installed()["python3-epochal"].state == "half-installed"


def test_what_the_distro_keeps_apart_of_the_standard_library_is_its_package_s(tmp_path: Path) -> None:
    lib = "/usr/lib/python3.11"
    root = AptRoot(tmp_path / "root")
    extension = f"{lib}/lib-dynload/_tkinter.cpython-311-x86_64-linux-gnu.so"
    root.installed("python3-tk", "3.11.2-3", [extension, f"{lib}/tkinter/__init__.py", f"{lib}/tkinter/font.py"])
    root.installed("idle-python3.11", "3.11.2-6", [f"{lib}/idlelib/__init__.py", f"{lib}/idlelib/Icons/idle.png"])
    root.installed("python3.11-venv", "3.11.2-6", [f"{lib}/ensurepip/_bundled/README.txt", f"{lib}/ensurepip/_x.py"])
    root.installed("libpython3.11-stdlib", "3.11.2-6", [f"{lib}/json/__init__.py"])
    root.installed("libpython3.11-minimal", "3.11.2-6", [f"{lib}/re/__init__.py"])
    root.installed("python3.11", "3.11.2-6", [f"{lib}/turtle.py"])
    root.installed("settings-only", "1", [f"{lib}/config.txt", f"{lib}/sitecustomize.d/x"])
    found = look(root.path).installed()
    assert {name: each.modules for name, each in found.items()} == {
        "idle-python3.11": ("idlelib",),
        "python3-tk": ("_tkinter", "tkinter"),
        "python3.11-venv": ("ensurepip",),
    }
