import argparse
import os
import shlex
from pathlib import Path

import pytest

from detente.cli import asking
from detente.cli.commands import install
from detente.cli.options import Parser
from detente.errors import IntegrityError, NotFound, UsageError
from detente.host import fs
from detente.model import Wish
from detente.plan.request import command_of, merged
from plan.builders import an_application


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where we stand: a project, a wheel, and a directory that is called like a distribution."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project").mkdir()
    (tmp_path / "with space").mkdir()
    (tmp_path / "httpie").mkdir()
    (tmp_path / "demo-1.0-py3-none-any.whl").write_bytes(b"")
    (tmp_path / "demo-1.0.tar.gz").write_bytes(b"")
    return tmp_path


def _asked(*words: str) -> tuple[asking.Asked, ...]:
    return asking.asked(_parsed(*words))


def _parsed(*words: str) -> argparse.Namespace:
    parser = Parser("install", "install", {"HOME": "/nonexistent"})
    install.configure(parser)
    return parser.parse(words)


# words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTPie", "httpie"),
        (" httpie >= 3 ", "httpie>=3"),
        ("httpie@3.2.1", "httpie==3.2.1"),
        ("httpie@latest", "httpie"),
        ("black[d,jupyter]@24.4.2", "black[d,jupyter]==24.4.2"),
        ("httpie@1!2.0+local.1", "httpie==1!2.0+local.1"),
        ("demo @ https://example.org/demo.whl", "demo @ https://example.org/demo.whl"),
        ("demo@https://example.org/demo.whl", "demo @ https://example.org/demo.whl"),
        ("demo[x]@git+https://example.org/demo@v1", "demo[x] @ git+https://example.org/demo@v1"),
        ("https://example.org/Demo-1.0.tar.gz#sha256=00", "https://example.org/Demo-1.0.tar.gz#sha256=00"),
        ("git+ssh://git@example.org/me/demo.git@v1#egg=demo", "git+ssh://git@example.org/me/demo.git@v1#egg=demo"),
        ("demo ; python_version >= '3'", "demo ; python_version >= '3'"),
        ("demo; sys_platform == 'a/b'", "demo ; sys_platform == 'a/b'"),
    ],
)
def test_a_named_requirement_or_url_is_remembered_in_normal_form(folder: Path, text: str, expected: str) -> None:
    assert asking.requirement(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".", "."),
        ("./project", "project"),
        ("project/", "project"),
        ("./project/../project", "project"),
        ("./project[x,y]", "project[x,y]"),
        (".[x]", ".[x]"),
        ("./with space", "with space"),
        ("demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl"),
        ("demo-1.0-py3-none-any.whl[x]", "demo-1.0-py3-none-any.whl[x]"),
        ("demo-1.0.tar.gz", "demo-1.0.tar.gz"),
    ],
)
def test_a_path_is_remembered_whole(folder: Path, text: str, expected: str) -> None:
    path, bracket, extras = expected.partition("[")
    assert asking.requirement(text) == os.path.normpath(folder / path) + bracket + extras


def test_a_path_counts_from_the_folder_that_names_it(folder: Path) -> None:
    assert asking.requirement("../demo-1.0.tar.gz", str(folder / "project")) == str(folder / "demo-1.0.tar.gz")
    assert asking.requirement("demo-1.0.tar.gz", str(folder)) == str(folder / "demo-1.0.tar.gz")


def test_a_path_in_the_home_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert asking.requirement("~/project") == str(folder / "project")


def test_a_file_url_is_the_path_that_it_means(folder: Path) -> None:
    place = str(folder / "with space")
    assert asking.requirement("file://" + place.replace(" ", "%20")) == place
    assert asking.requirement("file:" + place.replace(" ", "%20")) == place


def test_a_name_is_a_name_though_a_directory_here_is_called_so(folder: Path) -> None:
    assert asking.requirement("httpie") == "httpie"


@pytest.mark.parametrize(
    "text",
    [
        "./none",
        "/none/at/all",
        "~/none/at/all",
        "me/demo",
        "file:///none",
        "none-1.0-py3-none-any.whl",
        "none-1.0.tar.gz",
    ],
)
def test_a_path_that_is_not_there_is_not_found_and_never_looked_up_as_a_name(folder: Path, text: str) -> None:
    with pytest.raises(NotFound, match="there is no file or directory") as caught:
        asking.requirement(text)
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "demo bar",
        "demo>=",
        "demo=1",
        "demo>=1<2",
        "demo @ ",
        "demo[",
        "demo ;",
        "demo ; nonsense",
        "demo>=x",
        "@1",
    ],
)
def test_what_is_no_requirement_is_a_usage_error(folder: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is not a requirement") as caught:
        asking.requirement(text)
    assert caught.value.hint is not None
    assert "\n" not in caught.value.message


def test_what_looks_like_an_option_is_called_so() -> None:
    with pytest.raises(UsageError, match="`--x` looks like an option"):
        asking.requirement("--x")


# the command line


def test_every_option_reaches_what_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    (asked,) = _asked(
        *("Demo>=1", "--with", "A_b", "--with", "./project", "--python", "3.12", "--as", "@2", "--pre"),
        *("--commands-from", "Some_Core", "--index-url", "https://i.example.org"),
        *("--extra-index-url", "https://e.example.org", "-f", "project", "-f", "~/x", "-f", "https://f.example.org"),
        *("--with-distro", "gi, apt,,", "--with-distro=python3-dbus", "--with-distro", "gi"),
    )
    assert asked == asking.Asked(
        requirement="demo>=1",
        added=("a-b", str(folder / "project")),
        python="3.12",
        suffix="@2",
        prerelease=True,
        editable=False,
        commands_from=("some-core",),
        index_url="https://i.example.org",
        extra_index_urls=("https://e.example.org",),
        find_links=(str(folder / "project"), str(folder / "x"), "https://f.example.org"),
        with_distro=("gi", "apt", "python3-dbus"),
    )


def test_names_editables_and_files_come_in_this_order_each_once(folder: Path) -> None:
    (folder / "apps.txt").write_text("demo\nother\n")
    found = [(item.requirement, item.editable) for item in _asked("demo", "Demo", "-e", "project", "-r", "apps.txt")]
    assert found == [("demo", False), (str(folder / "project"), True), ("other", False)]


def test_nothing_asked_says_how(folder: Path) -> None:
    with pytest.raises(UsageError, match="nothing was named"):
        _asked()
    (folder / "empty.txt").write_text("# nothing\n\n")
    with pytest.raises(UsageError, match="nothing was named"):
        _asked("-r", "empty.txt")


@pytest.mark.parametrize("suffix", ["a/b", " ", "a b", "é", "\n", ".."])
def test_a_suffix_that_cannot_end_a_file_name_is_refused(suffix: str) -> None:
    if suffix == "..":
        assert _asked("demo", "--as", suffix)[0].suffix == ".."  # it only ends one: demo..
        return
    with pytest.raises(UsageError, match="cannot end a command's name"):
        _asked("demo", "--as", suffix)


def test_commands_come_from_a_name_and_nothing_more() -> None:
    with pytest.raises(UsageError, match="`core>=1` is not a distribution's name"):
        _asked("demo", "--commands-from", "core>=1")


@pytest.mark.parametrize("text", ["demo-1.0.tar.gz", "./demo-1.0.tar.gz[x]"])
def test_an_editable_must_be_a_directory(folder: Path, text: str) -> None:
    with pytest.raises(UsageError, match="-e takes a project's directory"):
        _asked("-e", text)


def test_an_editable_may_be_named_without_a_dot_and_with_extras(folder: Path) -> None:
    found = [item.requirement for item in _asked("-e", "project[x]", "-e", ".", "-e", str(folder / "httpie"))]
    assert found == [str(folder / "project[x]"), str(folder), str(folder / "httpie")]


# requirements files


def _file(folder: Path, text: str, name: str = "apps.txt") -> list[tuple[str, bool]]:
    (folder / name).write_bytes(text.encode())
    return list(asking.from_file(str(folder / name)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo\nother>=1\n", ["demo", "other>=1"]),
        ("# a comment\n\n  demo  # why\n", ["demo"]),
        ("demo\\\n>=1,\\\n<2\n", ["demo<2,>=1"]),
        ("demo \\\n\n", ["demo"]),
        ("demo>=1 \\", ["demo>=1"]),
        ("demo\nother \\\n", ["demo", "other"]),
        ("demo # a comment that ends so \\\nother\n", ["demo", "other"]),
        ("\ufeffdemo\n", ["demo"]),
        ("demo\r\nother\r\n", ["demo", "other"]),
        ("demo ; python_version>='3'\n", ["demo ; python_version>='3'"]),
        ("git+https://example.org/demo.git#egg=demo\n", ["git+https://example.org/demo.git#egg=demo"]),
        ("", []),
    ],
)
def test_each_line_is_one_requirement(folder: Path, text: str, expected: list[str]) -> None:
    assert _file(folder, text) == [(item, False) for item in expected]


@pytest.mark.parametrize("line", ["-r below/more.txt", "--requirement=below/more.txt", "-r\tbelow/more.txt"])
def test_a_file_includes_others_and_their_paths_count_from_them(folder: Path, line: str) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "more.txt").write_text("more\n-e ../project\n../demo-1.0.tar.gz\n")
    assert _file(folder, f"{line}\ndemo\n") == [
        ("more", False),
        (str(folder / "project"), True),
        (str(folder / "demo-1.0.tar.gz"), False),
        ("demo", False),
    ]


@pytest.mark.parametrize("line", ["-e project", "-e ./project", "--editable=project", "--editable ./project"])
def test_a_line_may_be_editable(folder: Path, line: str) -> None:
    assert _file(folder, line + "\n") == [(str(folder / "project"), True)]


@pytest.mark.parametrize("option", ["--index-url https://i.example.org", "-c limits.txt", "--no-binary=:all:"])
def test_an_option_that_is_not_understood_is_named_with_its_line(folder: Path, option: str) -> None:
    with pytest.raises(UsageError, match=r"apps\.txt, line 4: ") as caught:
        _file(folder, f"demo\\\n>=1\n\n{option}\n")
    assert option.replace("=", " ").split(" ", 1)[0] in caught.value.message


def test_a_file_that_includes_itself_is_refused(folder: Path) -> None:
    (folder / "more.txt").write_text("-r apps.txt\n")
    with pytest.raises(UsageError, match="includes itself"):
        _file(folder, "-r more.txt\n")


def test_a_file_may_be_included_twice(folder: Path) -> None:
    (folder / "more.txt").write_text("more\n")
    assert _file(folder, "-r more.txt\n-r more.txt\n") == [("more", False)] * 2


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no requirements file none\.txt"):
        list(asking.from_file("none.txt"))
    with pytest.raises(UsageError, match="project cannot be read"):
        list(asking.from_file("project"))
    (folder / "latin.txt").write_bytes(b"d\xe9mo\n")
    with pytest.raises(UsageError, match=r"latin\.txt cannot be read"):
        list(asking.from_file("latin.txt"))


# the command line that a launcher names when its interpreter is gone


@pytest.mark.parametrize(
    "wish",
    [
        Wish("demo"),
        Wish("demo<2,>=1", ("plugin",), "3.12", "@2", prerelease=True, commands_from=("core",)),
        Wish("demo[x] @ git+https://example.org/it's.git@v1", suffix="-d", index_url="https://i.example.org"),
        Wish("demo ; python_version >= '3'", find_links=("/srv",)),
        Wish("https://example.org/demo-1.0.tar.gz?a=1&b=$HOME#egg=demo"),
    ],
)
def test_the_command_that_brings_an_application_back_asks_for_the_very_same(wish: Wish) -> None:
    program, verb, *words = shlex.split(command_of(wish))
    assert (program, verb) == ("detente", "install")
    (asked,) = _asked(*words)
    again = wish._replace(python="python3") if wish.python else wish  # the Python that was wished for is what went
    assert merged(asked, an_application(suffix=wish.suffix)._replace(wish=wish)) == again


def test_the_command_that_brings_an_editable_project_back_asks_for_the_very_same(folder: Path) -> None:
    place = folder / "it's mine"
    place.mkdir()
    wish = Wish(str(place), ("plugin",), editable=True)
    (asked,) = _asked(*shlex.split(command_of(wish))[2:])
    assert merged(asked, an_application()._replace(wish=wish)) == wish


def test_a_hash_in_a_requirements_file_is_refused_rather_than_overlooked(tmp_path: Path) -> None:
    (tmp_path / "pinned.txt").write_text("other\ndemo==1 \\\n    --hash=sha256:00\n")
    with pytest.raises(UsageError, match="line 2: --hash is not understood"):
        list(asking.from_file(str(tmp_path / "pinned.txt")))


def test_the_digest_in_a_file_url_is_checked(tmp_path: Path) -> None:
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    good = "93a2a2d2a9e1bbf4cf2ad1bb16aa2e8d9e3e6bb5a7a5a4d7b50e4e4bc2d30e2f"
    with pytest.raises(IntegrityError, match="another SHA-256"):
        asking.requirement(f"file://{wheel}#sha256={good}")
    assert asking.requirement(f"file://{wheel}#sha256={fs.sha256(str(wheel))}") == str(wheel)
