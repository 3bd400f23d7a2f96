"""Lines of a Contents index, as Debian's mirror has them, and what they say about Python."""

import pytest

from detente.distro.contents import COMMAND, METADATA, MODULE, PORTION, PRIVATE, PUBLIC, Finding, findings

PLACE = "usr/lib/python3/dist-packages/"


def only(line: str) -> Finding | None:
    found = list(findings([line]))
    assert len(found) <= 1
    return found[0] if found else None


# Path and packages as the mirror has them, then what they mean; "-" is no version.
METADATA_LINES = """
usr/lib/python3/dist-packages/requests-2.28.1.egg-info/PKG-INFO  python/python3-requests : requests 2.28.1
usr/lib/python3/dist-packages/PyYAML-6.0.dist-info/METADATA  python/python3-yaml         : pyyaml 6.0
usr/lib/python3/dist-packages/zope.interface-5.5.2.egg-info  zope/python3-zope.interface : zope-interface 5.5.2
usr/lib/python3/dist-packages/reportbug-12.0.0.egg-info   python/python3-reportbug       : reportbug 12.0.0
usr/lib/python3/dist-packages/furo.egg-info               python/furo                    : furo -
usr/lib/python3/dist-packages/colorcet-None.egg-info      python/python3-colorcet        : colorcet -
usr/lib/python3.13/dist-packages/python_gitlab-4.9.0.dist-info/METADATA  python/python3-gitlab : python-gitlab 4.9.0
usr/share/beets/beets-1.6.0.egg-info/PKG-INFO             sound/beets                    : beets 1.6.0 private
usr/share/nfoview/nfoview-1.29-py3.10.egg-info            utils/nfoview                  : nfoview 1.29 private
usr/share/games/pysolfc/PySolFC-3.2.0.egg-info            games/pysolfc                  : pysolfc 3.2.0 private
usr/lib/borgbackup2/borgbackup-2.0.0b5.egg-info/PKG-INFO  admin/borgbackup2              : borgbackup 2.0.0b5 private
usr/share/ifupdown2-3.0.0.egg-info/PKG-INFO               admin/ifupdown2                : ifupdown2 3.0.0 private
"""


@pytest.mark.parametrize("case", METADATA_LINES.strip().splitlines())
def test_metadata_is_found_with_its_name_and_version(case: str) -> None:
    line, _, meaning = case.partition(" : ")
    name, version, *where = meaning.split()
    package = line.split()[1].rpartition("/")[2]
    place = PRIVATE if where else PUBLIC
    assert only(line + "\n") == Finding(METADATA, name, (package,), version.replace("-", ""), place)


PETSC = "usr/lib/petscdir/petsc3.18/x86_64-linux-gnu-real/lib/python3/dist-packages"


@pytest.mark.parametrize(
    "line",
    [
        f"{PLACE}setuptools/_vendor/wheel-0.45.1.dist-info/METADATA python/python3-setuptools",
        f"{PLACE}envisage/tests/eggs/acme.baz/acme.baz.egg-info python/python3-envisage",
        f"{PLACE}requests-2.28.1.egg-info/top_level.txt python/python3-requests",
        "usr/lib/pypy3.9/cffi.dist-info/METADATA python/pypy3-lib",
        f"{PETSC}/petsc4py-3.18.5.egg-info/PKG-INFO python/python3-petsc4py-real3.18",
        f"usr/share/doc/python3-mlpack/{PLACE}mlpack-4.6.0.dist-info/METADATA python/python3-mlpack",
        "usr/share/gocode/src/example.org/testdata/distlib-0.3.1-py3.9.egg-info golang/golang-example",
        "usr/lib/python2.7/dist-packages/six-1.16.0.egg-info python/python-six",
        "usr/lib/x86_64-linux-gnu/libpython3.11.so.1 libs/libpython3.11",
        "FILE                                                    LOCATION",
        "usr/bin/",
        "",
        "-info",
    ],
)
def test_copies_examples_and_other_interpreters_do_not_count(line: str) -> None:
    assert only(line) is None


@pytest.mark.parametrize(
    ("line", "kind", "name"),
    [
        (f"{PLACE}six.py python/python3-six", MODULE, "six"),
        (f"{PLACE}yaml/__init__.py python/python3-yaml", MODULE, "yaml"),
        (f"{PLACE}_dbus_bindings.cpython-311-x86_64-linux-gnu.so python/python3-dbus", MODULE, "_dbus_bindings"),
        (f"{PLACE}_cffi.abi3.so python/python3-demo", MODULE, "_cffi"),
        (f"{PLACE}google/protobuf/__init__.py python/python3-protobuf", PORTION, "google"),
        ("usr/bin/hg  vcs/mercurial", COMMAND, "hg"),
        ("bin/kmod  admin/kmod", COMMAND, "kmod"),
        ("usr/games/pysol  games/pysolfc", COMMAND, "pysol"),
        ("usr/sbin/update-passwd admin/base-passwd", COMMAND, "update-passwd"),
    ],
)
def test_modules_portions_and_programs_are_found(line: str, kind: str, name: str) -> None:
    found = only(line)
    assert found is not None
    assert (found.kind, found.name) == (kind, name)


@pytest.mark.parametrize(
    "line",
    [
        f"{PLACE}yaml/__pycache__/x.txt python/python3-yaml",
        f"{PLACE}__pycache__/six.cpython-311.pyc python/python3-six",
        f"{PLACE}zzz-nspkg.pth python/python3-zzz",
        f"{PLACE}data/icon.png python/python3-data",
        f"{PLACE}not-a-module/x.py python/python3-not",
        "usr/bin/odd name games/odd",
        "usr/share/bin/x games/odd",
    ],
)
def test_what_nobody_can_import_or_run_is_none(line: str) -> None:
    assert only(line) is None


def test_a_path_with_spaces_and_several_packages_is_read_from_its_end() -> None:
    line = f"{PLACE}click-8.1.3.egg-info/PKG-INFO   python/python3-click,universe/devel/python3-click-package"
    assert only(line) == Finding(METADATA, "click", ("python3-click", "python3-click-package"), "8.1.3", PUBLIC)
    assert only(f"{PLACE}demo/some file.py python/python3-demo") == Finding(PORTION, "demo", ("python3-demo",))
