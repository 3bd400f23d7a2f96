"""dpkg's own records, as real systems wrote them."""

import pytest

from detente.distro import dpkg
from support.systems import NAMES, recorded


@pytest.mark.parametrize("name", NAMES)
def test_the_status_says_version_state_and_what_is_held(name: str) -> None:
    found = {(each.package, each.architecture): each for each in dpkg.parse_status(recorded(name, "status"))}
    assert found["python3-epochal", "all"].version == "1:2.0-1"
    assert found["python3-repacked", "all"].version == "1.4.2+dfsg-3"
    assert found["shouter", "all"].version == "2.0~rc1-2"
    assert found["python3-heldback", "all"].wanted == "hold"
    assert found["python3-leftover", "all"].state == "config-files"
    assert {key[1] for key in found if key[0] == "python3-twoarch"} == {"amd64", "i386"}
    assert found["python3-shouter", "all"].source == "shouter"
    assert found["python3-epochal", "all"].size == 12 * 1024
    assert found["python3-yaml", "amd64"].source == "pyyaml", "a source's version is left out"


@pytest.mark.parametrize("name", NAMES)
def test_a_package_that_is_half_there_says_so(name: str) -> None:
    found = {each.package: each.state for each in dpkg.parse_status(recorded(name, "status-unfinished"))}
    assert found["python3-halfdone"] == "half-configured"
    assert found["python3-torn"] == "half-installed"
    assert found["dpkg"] == "installed"


@pytest.mark.parametrize("name", NAMES)
def test_what_an_interrupted_dpkg_had_not_merged_is_read_as_well(name: str) -> None:
    lines = recorded(name, "updates.txt").splitlines(keepends=True)  # of several files, by head(1)
    found = dpkg.parse_update("".join(line for line in lines if not line.startswith("==>")))
    assert (found[-1].package, found[-1].state) == ("python3-torn", "half-installed")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Package: a\nStatus: install ok installed\nArchit", "breaks off in the entry of a"),
        ("Status: install ok installed\nVersion: 1\n\n", "entry 1 names no package"),
        ("Package: a\nVersion: 1\n\n", "entry 1 (a) has no status"),
        ("Package: a\nStatus: install ok nonsense\nVersion: 1\n\n", "has no status"),
        ("Package: a\nStatus: install ok installed\n\n", "has no version"),
        ("\0\0garbage\n\n", "entry 1 names no package"),
    ],
)
def test_a_damaged_status_is_noticed(text: str, sentence: str) -> None:
    with pytest.raises(dpkg.Broken) as caught:
        dpkg.parse_status(text)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_no_place_where_a_status_is_cut_gives_a_wrong_version(name: str) -> None:
    """Either it is noticed, or what is left is all as it was."""
    text = recorded(name, "status")
    whole = set(dpkg.parse_status(text))
    for end in range(1, len(text), 101):
        try:
            read = dpkg.parse_status(text[:end])
        except dpkg.Broken:
            continue
        for each in read[:-1]:
            assert each in whole


@pytest.mark.parametrize("name", NAMES)
def test_the_automatic_mark_is_read(name: str) -> None:
    marked = {package for package, _ in dpkg.parse_automatic(recorded(name, "extended_states"))}
    assert {"python3-shouter", "python3-yaml", "python3-urllib3"} <= marked
    assert not {"yamllint", "python3-requests", "python3-epochal"} & marked


@pytest.mark.parametrize("name", NAMES)
def test_diversions_are_read_three_lines_at_a_time(name: str) -> None:
    diversions = dpkg.parse_diversions(recorded(name, "diversions"))
    assert dpkg.Diversion("/usr/bin/shouter", "/usr/bin/shouter.real", "shouter-wrapper") in diversions


def test_requirements_are_names_without_versions_and_architectures() -> None:
    depends = "python3 (<< 3.12), python3:any, libc6 (>= 2.34), a | b (= 1) [amd64], python3-x (>= 1)"
    assert dpkg.requirements(depends) == [("python3",), ("python3",), ("libc6",), ("a", "b"), ("python3-x",)]


DIST = "/usr/lib/python3/dist-packages"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{DIST}/requests-2.28.1.dist-info", ("requests", "2.28.1")),
        (f"{DIST}/PyYAML-6.0.egg-info", ("pyyaml", "6.0")),
        (f"{DIST}/python_apt-2.6.0.egg-info", ("python-apt", "2.6.0")),
        (f"{DIST}/pybind11-2.10.3-py3.11.egg-info", ("pybind11", "2.10.3")),
        (f"{DIST}/simplejson-3.18.3-py3.11-linux-x86_64.egg-info", ("simplejson", "3.18.3")),
        (f"{DIST}/foo-1.0_local.dist-info", ("foo", "")),
        (f"{DIST}/nameless.egg-info", ("nameless", "")),
        ("/usr/lib/python3.11/dist-packages/zope.interface-5.5.2.egg-info", ("zope-interface", "5.5.2")),
        ("/usr/share/hermit/hermit-0.9.egg-info", ("hermit", "0.9")),
        ("/usr/lib/hermit/hermit-0.9.dist-info", ("hermit", "0.9")),
    ],
)
def test_metadata_is_found_by_the_name_of_its_directory(path: str, expected: tuple[str, str]) -> None:
    (directory,) = dpkg.metadata([path]).values()
    assert dpkg.distribution(directory) == expected


@pytest.mark.parametrize(
    "path",
    [
        f"{DIST}/pkg_resources/_vendor/jaraco.text-3.7.0.dist-info",
        f"{DIST}/requests-2.28.1.dist-info/METADATA",
        "/usr/share/python-wheels/pip-23.0.1.dist-info",
        "/usr/share/doc/x/x-1.egg-info",
        "/usr/lib/python2.7/dist-packages/old-1.0.egg-info",
        "/usr/share/a/b/c-1.0.egg-info",
    ],
)
def test_what_is_vendored_or_another_pythons_is_no_metadata(path: str) -> None:
    assert dpkg.metadata([path]) == {}


def test_modules_are_what_can_be_imported() -> None:
    paths = [
        f"{DIST}/yaml", f"{DIST}/yaml/__init__.py", f"{DIST}/_yaml.cpython-311-x86_64-linux-gnu.so", f"{DIST}/six.py",
        f"{DIST}/data/only.txt", f"{DIST}/fast.abi3.so", f"{DIST}/x-1.dist-info/METADATA", f"{DIST}/google-nspkg.pth",
        f"{DIST}/google/cloud/api.py", f"{DIST}/not-a-name/x.py", "/usr/lib/python3.11/os.py",
    ]  # fmt: skip
    assert dpkg.modules(paths) == ("_yaml", "fast", "google", "six", "yaml")


def test_programs_lie_where_diversions_and_a_merged_usr_put_them() -> None:
    moved = {"/usr/bin/x": dpkg.Diversion("/usr/bin/x", "/usr/bin/x.real", "wrapper")}
    paths = ["/bin/ls", "/usr/bin/x", "/usr/bin", "/usr/sbin/adm", "/usr/share/bin/no", "/usr/games/play"]

    def placed(path: str) -> str:
        return f"/usr{path}" if path.startswith("/bin/") else path

    found = dpkg.programs(paths, "x", moved, placed)
    assert found == ("/usr/bin/ls", "/usr/bin/x.real", "/usr/games/play", "/usr/sbin/adm")
    assert "/usr/bin/x" in dpkg.programs(paths, "wrapper", moved, placed)


def test_the_head_of_metadata_names_it() -> None:
    text = "Metadata-Version: 2.1\nName: Name.Less\nVersion: 3.1\n\nVersion: 9 in the text\n"
    assert dpkg.recorded(text) == ("name-less", "3.1")


@pytest.mark.parametrize("name", ["-oDPkg::Pre-Invoke::=x", "x;id", "../x", "a b", "x\x1b[31m", "x\0", "é", "."])
def test_what_dpkg_would_not_call_a_package_is_damage(name: str) -> None:
    with pytest.raises(dpkg.Broken, match="names no package"):
        dpkg.parse_status(f"Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n")


def test_an_odd_architecture_leads_nowhere() -> None:
    (found,) = dpkg.parse_status("Package: x\nStatus: install ok installed\nArchitecture: ../../y\nVersion: 1\n\n")
    assert found.architecture == ""


def test_a_size_of_thousands_of_digits_counts_as_unknown() -> None:
    text = f"Package: x\nStatus: install ok installed\nVersion: 1\nInstalled-Size: {'9' * 6000}\n\n"
    assert dpkg.parse_status(text)[0].size == 0
