import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.store import launchers

SYSTEM_PYTHON = "/usr/bin/python3"
REPORT = b"""import json, sys
print(json.dumps([sys.executable, sys.argv, "\xc3\xa9"], ensure_ascii=True))
"""
ARGUMENTS = ["", "a b", "it's", '"quoted"', "$HOME `id` \\", "*", "-x", "--", "é\udc80", "line\nbreak"]

FOLDERS = {
    "plain": "plain",
    "as long as a first line may be": "",
    "one more": "",
    "long": "/".join(["x" * 100] * 3),
    "space": "with a space",
    "tab": "with\ta tab",
    "single quote": "it's",
    "quotes": "''' \"\"\" '\"'",
    "backslash": "back\\slash\\x\\N\\",
    "shell": "$HOME `id` $(id) ; & | < > * ? ~ !",
    "percent": "100%s %d \\045",
    "utf-8": "größe",
    "utf-8 and space": "größe 日本",
    "not utf-8": "gr\udcf6\udcdfe",
    "not utf-8, quotes and a line break": "gr\udcf6 ' \" \\ \n $x",
}


def _interpreter(folder: str, kind: str) -> str:
    """A Python at a path of that kind: a link as an environment has it."""
    name = FOLDERS[kind]
    place = os.path.join(folder, name)
    if not name:
        length = launchers.SHEBANG_LIMIT - len("#!/python") + (kind == "one more") - len(os.fsencode(folder)) - 1
        place = os.path.join(folder, "y" * length)
    os.makedirs(place)
    path = os.path.join(place, "python")
    os.symlink(SYSTEM_PYTHON, path)
    return path


def _write(path: str, data: bytes) -> str:
    with open(path, "wb") as stream:
        stream.write(data)
    os.chmod(path, 0o755)
    return path


def _run(path: str, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    words = [os.fsencode(word) for word in (path, *arguments)]
    return subprocess.run(words, capture_output=True, check=False, timeout=20, env=environment)


def _is_shell(path: str) -> None:
    """Assert that the shells that may be /bin/sh understand the whole script."""
    for shell in ("sh", "bash"):
        checked = subprocess.run([shell, "-n", os.fsencode(path)], capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, b"")


# first lines


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_script_starts_its_interpreter_wherever_that_is(tmp_path: Path, kind: str) -> None:
    python = _interpreter(str(tmp_path), kind)
    script = _write(os.path.join(os.path.dirname(python), "script"), launchers.shebang(python) + REPORT)
    shells = ("/bin/sh", "bash") if launchers.shebang(python).startswith(b"#!/bin/sh") else ()
    for words in ([script], *([shell, script] for shell in shells)):
        done = _run(*words, *ARGUMENTS)
        assert done.stderr == b""
        assert json.loads(done.stdout) == [python, [script, *ARGUMENTS], "é"]


@pytest.mark.parametrize("kind", FOLDERS)
def test_the_first_lines_are_nothing_to_python(tmp_path: Path, kind: str) -> None:
    python = _interpreter(str(tmp_path), kind)
    source = launchers.shebang(python) + b"x = '\xc3\xa9'\n"
    found: dict[str, str] = {}
    exec(compile(source, "script", "exec"), found)
    assert found["x"] == "é"


def test_a_short_path_is_started_by_the_kernel_itself() -> None:
    assert launchers.shebang("/env/bin/python") == b"#!/env/bin/python\n"
    assert launchers.shebang("/größe/python") == "#!/größe/python\n".encode()
    longest = "/" + "x" * (launchers.SHEBANG_LIMIT - 3)
    assert launchers.shebang(longest) == f"#!{longest}\n".encode()
    assert launchers.shebang(longest + "x").startswith(b"#!/bin/sh\n")


@pytest.mark.property
@given(st.text(st.characters(codec="ascii", exclude_characters="/\0") | st.sampled_from("é日\udc80\udcff"), min_size=1))
@settings(deadline=None, max_examples=150)
def test_the_first_lines_are_python_for_any_path(name: str) -> None:
    source = launchers.shebang(f"/{name}/python")
    assert source.endswith(b"\n")
    compile(source + b"from __future__ import annotations\nx = '\xc3\xa9'\n", "script", "exec")


def test_an_entry_point_calls_its_function_and_ends_with_its_answer(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "demo").mkdir(parents=True)
    (site / "demo" / "__init__.py").write_text("")
    (site / "demo" / "cli.py").write_text(
        "import sys\n"
        "class Main:\n"
        "    @staticmethod\n"
        "    def run():\n"
        "        print(sys.argv[1:])\n"
        "        return 7\n"
        "run = Main.run\n"
    )
    environment = {"PYTHONPATH": str(site)}
    for number, target in enumerate(("demo.cli:run", "demo.cli:Main.run")):
        script = _write(str(tmp_path / f"script{number}"), launchers.entry_point(SYSTEM_PYTHON, target))
        done = _run(script, "a b", environment=environment)
        assert (done.returncode, done.stdout, done.stderr) == (7, b"['a b']\n", b"")


@pytest.mark.parametrize("first", [b"#!python", b"#!pythonw", b"#!python -E\r"])
def test_a_wheels_script_gets_the_environments_interpreter_and_keeps_the_rest(first: bytes) -> None:
    rest = b"# \xff\nprint(1)"
    assert launchers.rewritten("/env/bin/python", first + b"\n" + rest) == b"#!/env/bin/python\n" + rest
    assert launchers.rewritten("/env/bin/python", first) == b"#!/env/bin/python\n"


# launchers


def _environment(folder: str, kind: str) -> tuple[str, str]:
    """An environment whose command `demo run` prints its arguments, and its interpreter."""
    interpreter = _interpreter(folder, kind)
    root = os.path.join(os.path.dirname(interpreter), "env")
    os.makedirs(os.path.join(root, "bin"))
    python = os.path.join(root, "bin", "python")
    os.symlink(interpreter, python)
    _write(os.path.join(root, "bin", "demo"), launchers.shebang(python) + REPORT)
    return root, interpreter


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_launcher_runs_the_command_with_its_arguments_unchanged(tmp_path: Path, kind: str) -> None:
    root, interpreter = _environment(str(tmp_path), kind)
    path = _write(str(tmp_path / "demo"), launchers.launcher("demo", "detente install demo --as=@2", root, interpreter))
    _is_shell(path)
    done = _run(path, *ARGUMENTS)
    assert done.stderr == b""
    assert json.loads(done.stdout)[1] == [os.path.join(root, "bin", "demo"), *ARGUMENTS]


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_launcher_whose_interpreter_is_gone_says_so(tmp_path: Path, kind: str) -> None:
    root, interpreter = _environment(str(tmp_path), kind)
    path = _write(str(tmp_path / "demo"), launchers.launcher("demo", "detente install demo --as=@2", root, interpreter))
    os.unlink(interpreter)
    done = _run(path, "--version")
    assert done.returncode == 127
    assert done.stdout == b""
    error, _, hint = done.stderr.rstrip(b"\n").rpartition(b"\n")
    assert error == b"error: demo needs " + os.fsencode(interpreter) + b", which is gone"
    assert hint == b"hint: detente install demo --as=@2"


@pytest.mark.parametrize("word", ["it's", "a b", "", "\\", "$x", '"', "gr\udcf6"])
def test_quoting_gives_the_shell_one_word(word: str) -> None:
    script = launchers.encoded(f"printf '%s|' {launchers.quoted(word)}")
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout == os.fsencode(word) + b"|"


# the launcher of detente itself

SITE = "lib/python3.11/site-packages"
PROGRAM = b"import json, sys\nprint(json.dumps([sys.argv, sys.flags.isolated, sys.flags.no_site, sys.executable]))\n"


def _detente(folder: str) -> str:
    root = os.path.join(folder, "it's env")
    os.makedirs(os.path.join(root, SITE, "detente"))
    _write(os.path.join(root, SITE, "detente", "__main__.py"), PROGRAM)
    return root


def test_detente_itself_runs_on_its_interpreter_isolated(tmp_path: Path) -> None:
    root = _detente(str(tmp_path))
    path = _write(str(tmp_path / "detente"), launchers.self_launcher(root, SYSTEM_PYTHON, SITE))
    _is_shell(path)
    argv, isolated, no_site, executable = json.loads(_run(path, *ARGUMENTS).stdout)
    assert argv == [f"{root}/{SITE}/detente/__main__.py", *ARGUMENTS]
    assert (isolated, no_site, executable) == (1, 1, SYSTEM_PYTHON)


def test_detente_itself_survives_its_interpreter_on_another_one(tmp_path: Path) -> None:
    root = _detente(str(tmp_path))
    path = _write(str(tmp_path / "detente"), launchers.self_launcher(root, str(tmp_path / "gone"), SITE))
    _is_shell(path)
    argv, isolated, no_site, executable = json.loads(_run(path, *ARGUMENTS).stdout)
    assert argv == [f"{root}/{SITE}/detente/__main__.py", *ARGUMENTS]
    assert (isolated, no_site) == (1, 1)
    assert os.path.realpath(executable) != str(tmp_path / "gone")


def _with_pythons(folder: Path, **pythons: str) -> bytes:
    """The launcher of detente where /usr/bin has no Python; PATH has `pythons`, by name and shell text."""
    (folder / "bin").mkdir()
    for name, text in pythons.items():
        _write(str(folder / "bin" / name.replace("_", ".")), f"#!/bin/sh\n{text}\n".encode())
    made = launchers.self_launcher(_detente(str(folder)), str(folder / "gone"), SITE)
    return made.replace(b"/usr/bin/python3 ", os.fsencode(folder / "none") + b" ")


def test_detente_itself_passes_over_pythons_that_are_too_old_or_broken(tmp_path: Path) -> None:
    good = f'exec {sys.executable} "$@"'
    made = _with_pythons(tmp_path, python3="exit 1", python3_19="echo broken >&2; exit 127", python3_12=good)
    path = _write(str(tmp_path / "detente"), made)
    done = _run(path, "x", environment={"PATH": f"{tmp_path}/bin"})
    assert done.stderr == b""
    assert json.loads(done.stdout)[0][1:] == ["x"]


def test_detente_itself_without_any_python_says_what_to_install(tmp_path: Path) -> None:
    path = _write(str(tmp_path / "detente"), _with_pythons(tmp_path, python3="exit 1"))
    done = _run(path, environment={"PATH": f"{tmp_path}/bin"})
    assert (done.returncode, done.stdout) == (127, b"")
    assert done.stderr.startswith(b"error: detente needs Python 3.11 or later")
    assert b"\nhint: " in done.stderr


def test_only_detentes_own_command_gets_the_launcher_that_survives() -> None:
    place = "/env", "/usr/bin/python3.11", SITE
    own = launchers.for_commands(["detente", "other"], "Detente", *place, "Detente")
    assert own == {
        "detente": launchers.self_launcher(*place),
        "other": launchers.launcher("other", "Detente", *place[:2]),
    }
    another = launchers.for_commands(["detente"], "demo", *place, "demo")
    assert another == {"detente": launchers.launcher("detente", "demo", *place[:2])}
