"""After any sequence of détente's commands the distro is whole: nothing below /usr changed that apt did not change."""

import random

import pytest
from furnished import Furnished

pytestmark = pytest.mark.distro

PERSON, ROOT = "person", "root"
COMMANDS = (
    (PERSON, "install", "demo"),
    (PERSON, "install", "yamllint", "--from", "index"),
    (PERSON, "install", "pycodestyle"),
    (PERSON, "install", "pycodestyle", "--from", "distro"),
    (PERSON, "install", "asks", "--with-distro", "gi,apt"),
    (PERSON, "install", "isort", "demo", "--force"),
    (PERSON, "remove", "demo"),
    (PERSON, "remove", "yamllint"),
    (PERSON, "rollback"),
    (PERSON, "collect"),
    (PERSON, "verify", "--repair"),
    (PERSON, "list", "--all"),
    (PERSON, "why", "pycodestyle"),
    (PERSON, "search", "yaml"),
    (PERSON, "run", "demo"),
    (ROOT, "install", "demo"),
    (ROOT, "install", "pycodestyle", "--from", "distro", "--yes"),
    (ROOT, "install", "yamllint", "--from", "index", "--force"),
    (ROOT, "install", "asks", "--with-distro", "gi,apt"),
    (ROOT, "remove", "asks"),
    (ROOT, "remove", "pycodestyle"),
    (ROOT, "rollback"),
    (ROOT, "list", "--all"),
)
EXPECTED = {0, 3, 5, 10}  # done; no such name; refused for good reason; some of it
SNAPSHOT = (
    "find",
    "/usr",
    "/etc",
    "/var/lib/dpkg/info",
    "-xdev",
    "!",
    "-type",
    "d",
    "-printf",
    "%p\t%y %s %T@ %C@ %l\n",
)
# What dpkg and its triggers write for a package that they install, in no package's list of files.
DERIVED = ("/etc/ld.so.cache", "/usr/share/info/dir", "/var/lib/dpkg/info/")


def snapshot(there: Furnished) -> dict[str, str]:
    """Return path to kind, size, times and target, for all below /usr and /etc and for dpkg's lists."""
    return dict(line.split("\t") for line in there.as_root(*SNAPSHOT).out.splitlines())


def python_packages(there: Furnished) -> list[str]:
    """Return the installed system packages that have Python modules or programs."""
    said = there.as_root("sh", "-c", "grep -lE 'dist-packages|python3' /var/lib/dpkg/info/*.list").out
    return sorted({path.rpartition("/")[2].removesuffix(".list") for path in said.split()})


@pytest.mark.parametrize(("furniture", "seed"), [("bookworm", 4), ("trixie", 11)], indirect=["furniture"])
def test_any_sequence_leaves_the_distro_as_apt_made_it(there: Furnished, seed: int) -> None:
    chosen = random.Random(seed).sample(COMMANDS, 9)
    before, packages = snapshot(there), set(there.as_root("dpkg-query", "-W", "-f", "${Package}\n").out.split())
    for user, *words in chosen:
        said = there.detente(*words, user=user)
        assert said.status in EXPECTED, (user, words, said)
        assert "Traceback" not in said.err, (user, words, said)
    after = snapshot(there)
    new = set(there.as_root("dpkg-query", "-W", "-f", "${Package}\n").out.split()) - packages
    apts = {path for package in new for path in there.as_root("dpkg", "-L", package).out.splitlines()}
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    strange = {path for path in changed - apts if not path.startswith(DERIVED) and not compiled_from(path, apts)}
    assert strange == set(), chosen
    assert new <= {"pycodestyle", "python3-pycodestyle"}
    verified = there.as_root("dpkg", "--verify", *python_packages(there), check=False)
    assert (verified.status, verified.out) == (0, ""), (chosen, verified)


def compiled_from(path: str, sources: set[str]) -> bool:
    """Say whether `path` is the bytecode of one of `sources`: py3compile makes it when a package is configured."""
    folder, _, name = path.rpartition("/__pycache__/")
    return bool(folder) and f"{folder}/{name.partition('.')[0]}.py" in sources


@pytest.mark.parametrize("furniture", ["bookworm"], indirect=True)
def test_the_snapshot_would_see_a_change(there: Furnished) -> None:
    before = snapshot(there)
    there.as_root("sh", "-c", "echo >>/usr/lib/python3/dist-packages/yamllint/config.py; echo >/usr/bin/new")
    after = snapshot(there)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed == {"/usr/lib/python3/dist-packages/yamllint/config.py", "/usr/bin/new"}
    verified = there.as_root("dpkg", "--verify", *python_packages(there), check=False)
    assert "yamllint/config.py" in verified.out, verified
