"""Locks: which file of each distribution is taken."""

import contextlib
import hashlib
import random

import pytest

from detente.engine.applies import suggested_python
from detente.engine.lock import artifacts
from detente.errors import ConfigError, DetenteError, IntegrityError, ResolutionError
from detente.model import Artifact

MARKERS = {
    "python_full_version": "3.11.2",
    "python_version": "3.11",
    "sys_platform": "linux",
    "platform_machine": "x86_64",
    "os_name": "posix",
    "platform_system": "Linux",
    "implementation_name": "cpython",
    "implementation_version": "3.11.2",
    "platform_python_implementation": "CPython",
    "platform_release": "6.1",
    "platform_version": "#1",
}
TAGS = (
    "cp311-cp311-manylinux_2_36_x86_64",
    "cp311-cp311-manylinux_2_17_x86_64",
    "cp311-abi3-linux_x86_64",
    "py3-none-any",
)
HASH = hashlib.sha256(b"x").hexdigest()
HEAD = 'lock-version = "1.0"\ncreated-by = "test"\n'


def entry(body: str, name: str = "demo") -> str:
    return f'{HEAD}[[packages]]\nname = "{name}"\nversion = "1.0"\n{body}\n'


def file(filename: str, more: str = "") -> str:
    return f'{{ url = "http://h.example/f/{filename}", hashes = {{ sha256 = "{HASH}" }}{more} }}'


def wheels(*tags: str) -> str:
    return entry("wheels = [" + ", ".join(file(f"demo-1.0-{tag}.whl") for tag in tags) + "]")


def read(text: str) -> tuple[Artifact, ...]:
    return artifacts(text, base="/base", tags=TAGS, markers=MARKERS)


def one(text: str) -> Artifact:
    (artifact,) = read(text)
    return artifact


def test_the_wheel_with_the_best_tag_is_taken_whatever_the_order() -> None:
    tags = [
        "py2.py3-none-any",
        "cp311-cp311-manylinux_2_17_x86_64",
        "cp312-cp312-linux_x86_64",
        "cp311-abi3-linux_x86_64",
    ]
    for seed in range(6):
        random.Random(seed).shuffle(tags)
        assert one(wheels(*tags)).filename == "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"


def test_one_file_for_several_platforms_counts_with_its_best() -> None:
    best = "cp311-cp311-manylinux1_x86_64.manylinux_2_36_x86_64"
    assert best in one(wheels("cp311-cp311-manylinux_2_17_x86_64", best)).filename


def test_of_equal_wheels_the_higher_build_number_is_taken() -> None:
    assert one(wheels("2-py3-none-any", "10-py3-none-any", "py3-none-any")).filename == "demo-1.0-10-py3-none-any.whl"


def test_without_a_wheel_that_fits_the_source_distribution_is_taken() -> None:
    text = entry(f"sdist = {file('demo-1.0.tar.gz', ', size = 7')}\nwheels = [{file('demo-1.0-cp27-none-win32.whl')}]")
    assert one(text) == Artifact(
        "sdist", "demo", "1.0", "http://h.example/f/demo-1.0.tar.gz", "demo-1.0.tar.gz", HASH, 7
    )


def test_a_distribution_without_a_file_that_fits_is_named_with_the_platform() -> None:
    with pytest.raises(ResolutionError) as caught:
        read(wheels("cp311-cp311-win_amd64"))
    assert caught.value.message == "demo 1.0 has no file for this interpreter (cp311-cp311-manylinux_2_36_x86_64)"
    assert caught.value.context == ("it has demo-1.0-cp311-cp311-win_amd64.whl",)


def test_an_archive_that_is_a_wheel_must_fit_too() -> None:
    assert one(entry(f"archive = {file('demo-1.0-py3-none-any.whl')}")).kind == "wheel"
    with pytest.raises(ResolutionError, match="has no file"):
        read(entry(f"archive = {file('demo-1.0-cp311-cp311-win_amd64.whl')}"))


@pytest.mark.parametrize(
    ("place", "location"),
    [
        ('path = "../dl/a b/demo-1.0.zip"', "/dl/a b/demo-1.0.zip"),
        ('path = "/abs/demo-1.0.zip"', "/abs/demo-1.0.zip"),
        ('url = "file:///a%20b/%C3%A9/demo-1.0.zip"', "/a b/é/demo-1.0.zip"),
        ('url = "file://localhost/x/../demo-1.0.zip#y"', "/demo-1.0.zip"),
        ('url = "file://[/demo-1.0.zip"', "/demo-1.0.zip"),
    ],
)
def test_local_places_become_absolute_paths(place: str, location: str) -> None:
    assert one(entry(f'archive = {{ {place}, hashes = {{ sha256 = "{HASH}" }} }}')).location == location
    assert one(entry('directory = { path = "tree" }')).location == "/base/tree"


def test_directories_and_commits_are_read_with_their_options() -> None:
    assert one(entry('directory = { path = "/t", editable = true, subdirectory = "./src/x/" }')) == Artifact(
        "directory", "demo", "1.0", "/t", subdirectory="src/x", editable=True
    )
    commit = "0123456789" * 4
    vcs = f'vcs = {{ type = "git", url = "https://g.example/r.git", commit-id = "{commit}", subdirectory = "." }}'
    assert one(entry(vcs)) == Artifact("vcs", "demo", "1.0", "https://g.example/r.git", commit=commit)


def test_a_short_commit_is_refused() -> None:
    with pytest.raises(IntegrityError, match="no full commit"):
        read(entry('vcs = { type = "git", url = "https://g.example/r.git", commit-id = "v1.0" }'))


@pytest.mark.parametrize("hashes", ['{ md5 = "00" }', "{}", '{ sha256 = "abc" }'])
def test_a_file_without_sha256_is_refused(hashes: str) -> None:
    with pytest.raises(IntegrityError, match=r"no SHA-256 for demo-1\.0-py3-none-any\.whl"):
        read(entry(f'wheels = [{{ url = "http://h/demo-1.0-py3-none-any.whl", hashes = {hashes} }}]'))


def test_names_are_normalized_and_sorted() -> None:
    text = HEAD + "".join(
        f'[[packages]]\nname = "{name}"\nversion = "1"\ndirectory = {{ path = "/x" }}\n'
        for name in ("Zed_Z", "a.B", "m")
    )
    assert [artifact.name for artifact in read(text)] == ["a-b", "m", "zed-z"]


@pytest.mark.parametrize(
    ("marker", "kept"),
    [
        ("sys_platform == 'linux'", True),
        ("sys_platform == 'win32'", False),
        ("python_full_version < '3.12' and sys_platform == 'linux'", True),
        ("python_full_version < '3.9' or os_name == 'nt'", False),
        ("'tests' in extras", False),
    ],
)
def test_entries_whose_marker_is_false_are_left_out(marker: str, kept: bool) -> None:
    text = entry(f'marker = "{marker}"\ndirectory = {{ path = "/x" }}')
    assert bool(read(text)) is kept


def test_two_entries_of_one_name_are_refused_unless_markers_choose() -> None:
    twice = entry('directory = { path = "/x" }') + entry('directory = { path = "/y" }').removeprefix(HEAD)
    with pytest.raises(ResolutionError, match="demo twice"):
        read(twice)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (">=3.11.2", True),
        (">=3.11.3", False),
        (">=3.11", True),
        (">=3.9", True),
        (">=3.8,<3.11", False),
        ("==3.11.*", True),
    ],
)
def test_a_lock_for_another_python_is_refused(wanted: str, fits: bool) -> None:
    text = HEAD + f'requires-python = "{wanted}"\npackages = []\n'
    if fits:
        assert read(text) == ()
    else:
        with pytest.raises(ResolutionError, match=r"and this is 3\.11\.2"):
            read(text)


def test_a_lock_for_other_machines_is_refused() -> None:
    with pytest.raises(ResolutionError, match="not for this machine"):
        read(HEAD + "environments = [\"sys_platform == 'win32'\"]\npackages = []\n")


@pytest.mark.parametrize(
    "text",
    [
        "not = = toml",
        'lock-version = "2.0"\npackages = []',
        "packages = []",
        "",
        HEAD + "packages = 3",
        HEAD + "[[packages]]\nname = 3",
        HEAD + '[[packages]]\nname = "../x"\n',
        entry("wheels = 3"),
        entry('wheels = [{ name = "../../etc/x.whl", url = "http://h/x.whl" }]'),
        entry('directory = { path = "/x", subdirectory = "../../etc" }'),
        entry("directory = { editable = true }"),
        entry('marker = "this is none"\ndirectory = { path = "/x" }'),
        HEAD + 'requires-python = "soon"\npackages = []',
    ],
)
def test_what_is_no_lock_is_refused_in_our_words(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert caught.value.context


def test_no_damage_to_a_lock_ends_in_anything_but_our_errors() -> None:
    commit = 'vcs = { type = "git", url = "https://g.example/r.git", commit-id = "' + "ab" * 20 + '" }'
    texts = [wheels("py3-none-any", "cp311-abi3-linux_x86_64"), entry(commit), entry('directory = { path = "/x" }')]
    chance = random.Random(7)
    for _ in range(600):
        text = chance.choice(texts)
        place = chance.randrange(len(text))
        spoiled = text[:place] + chance.choice(['"', "\n", "[", "x", "=", "0", "'", "{", ""]) + text[place + 1 :]
        with contextlib.suppress(DetenteError):
            assert all(found.name for found in read(spoiled))


@pytest.mark.parametrize(
    ("specifier", "version"),
    [
        (">=3.14", "3.14"),
        (">=3.8,<3.11", "3.10"),
        ("<3.12.1", "3.12"),
        ("<=3.9", "3.9"),
        ("~=3.13", "3.13"),
        ("!=3.1", ""),
    ],
)
def test_a_python_that_would_do_is_proposed(specifier: str, version: str) -> None:
    assert suggested_python(specifier) == version
