"""What an attack on the whole program found: each stays mended."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.machine import Machine
from support.wheels import make_wheel


def test_a_name_as_long_as_names_can_be_works_or_is_refused_whole(machine: Machine, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "longer", "1.0", commands={"x" * 250: "longer:main"})
    answer = machine.run("install", str(wheel))
    assert "Traceback" not in answer.err
    assert (answer.status == 0) == (machine.commands() == ["x" * 250])
    machine.ok("install", "demo")
    assert machine.call("demo").status == 0


def test_an_error_after_the_switch_does_not_say_that_nothing_was_changed(machine: Machine) -> None:
    machine.ok("install", "demo")
    machine.bin.chmod(0o755)
    page = machine.home / ".local/share/man"
    page.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["chattr", "+i", machine.bin], check=False)
    try:
        if os.access(machine.bin, os.W_OK):
            pytest.skip("this file system has no immutable directories")
        answer = machine.run("remove", "demo")
    finally:
        subprocess.run(["chattr", "-i", machine.bin], check=False)
    assert answer.status == 10
    assert "the change is made, but not shown" in answer.err
    assert "nothing was changed" not in answer.err
    machine.ok("remove", "demo")
    assert machine.commands() == []


def test_data_of_one_wheel_never_reaches_the_entry_of_another(machine: Machine, tmp_path: Path) -> None:
    data = {"include/own.h": "#define X 1\n", "include/site/python3.11/deep/other.h": "#define Y 1\n"}
    first = make_wheel(tmp_path, "first", "1.0", commands=["first"], data=data, requires=["second"])
    second = make_wheel(tmp_path, "second", "1.0")
    _add_header(second)
    machine.ok("install", str(first), "--with", str(second))
    (entry,) = (machine.data / "store").glob("first-*")
    inside = sorted(str(path.relative_to(entry)) for path in (entry / "data").rglob("*.h"))
    assert inside == ["data/include/own.h", "data/include/site/python3.11/deep/other.h"]
    prefix = Path(machine.json("show", "first")["environment"])
    assert (prefix / "include/site/python3.11/second/head.h").exists()
    assert (prefix / "include/own.h").exists()


def _add_header(wheel: Path) -> None:
    """Put a file of the headers scheme into `wheel`."""
    import base64
    import hashlib
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name, body = "second-1.0.data/headers/head.h", b"#define Z 1\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    record = next(key for key in members if key.endswith("RECORD"))
    members[record] = f"{name},sha256={digest},{len(body)}\n".encode() + members[record]
    members[name] = body
    with zipfile.ZipFile(wheel, "w") as archive:
        for key, content in members.items():
            archive.writestr(key, content)


def test_a_wheel_that_ships_our_own_directory_is_refused_by_name(machine: Machine, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "pusher", "1.0", commands=["pusher"], data={"launch/pusher": "#!/bin/sh\n"})
    assert "pusher" in machine.refused(5, "install", str(wheel)).err


def test_only_completions_of_its_own_commands_and_harmless_files_are_shown(machine: Machine, tmp_path: Path) -> None:
    data = {
        "share/bash-completion/completions/ls": "complete -F _x ls\n",
        "share/bash-completion/completions/shower": "complete -F _x shower\n",
        "share/zsh/site-functions/_git": "#compdef git\n",
        "share/fish/vendor_completions.d/ls.fish": "complete -c ls\n",
        "share/applications/mimeapps.list": "[Default Applications]\n",
        "share/applications/shower.desktop": "[Desktop Entry]\n",
        "share/icons/hicolor/index.theme": "[Icon Theme]\n",
        "share/man/man1/ls.1": ".TH LS 1\n",
        "share/man/man5/shower.conf.5": ".TH SHOWER 5\n",
    }
    wheel = make_wheel(tmp_path, "shower", "1.0", commands=["shower"], data=data)
    machine.ok("install", str(wheel))
    shown = set(machine.json("show", "shower")["files"])
    expected = {
        "share/bash-completion/completions/shower",
        "share/applications/shower.desktop",
        "share/man/man5/shower.conf.5",
    }
    has_ls_page = any(os.path.exists(f"/usr/share/man/man1/ls.1{ending}") for ending in ("", ".gz"))
    assert shown - {"share/man/man1/ls.1"} == expected
    assert ("share/man/man1/ls.1" in shown) != has_ls_page


def test_a_file_in_quarantine_comes_back_though_a_kill_came_between(machine: Machine) -> None:
    machine.bin.mkdir(parents=True)
    (machine.bin / "demo").write_text("#!/bin/sh\necho mine\n")
    (machine.bin / "demo").chmod(0o755)
    machine.ok("install", "demo", "--force")
    machine.ok("install", "other")
    current = json.loads((machine.data / "current/record.json").read_text())
    current["applications"].pop("demo")
    (machine.bin / "demo").unlink()  # as a kill in the middle of `remove` leaves it
    machine.ok("remove", "demo")
    assert machine.call("demo").out == "mine\n"


def test_going_back_needs_neither_engine_nor_pip_nor_a_directory_to_stand_in(machine: Machine, tmp_path: Path) -> None:
    machine.ok("install", "demo")
    broken = tmp_path / "pip.conf"
    broken.write_text("this is no configuration\n")
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    for words in (["remove", "demo"], ["rollback"]):
        gone.mkdir(exist_ok=True)
        environ = {**machine.environ, "DETENTE_UV": "/nonexistent/uv", "PIP_CONFIG_FILE": str(broken)}
        argv = ["sh", "-c", script, "sh", str(gone), *machine.argv(*words)]
        done = subprocess.run(argv, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert machine.call("demo").status == 0


@pytest.mark.parametrize("part", ["bin/demo", "bin/python", "launch/demo", "environment.json"])
def test_a_damaged_environment_is_made_anew_by_the_same_install(machine: Machine, part: str) -> None:
    machine.ok("install", "demo")
    place = Path(machine.json("show", "demo")["environment"])
    subprocess.run(["chmod", "-R", "u+w", place], check=True)
    (place / part).unlink()
    machine.ok("install", "demo")
    assert machine.call("demo").out == "demo 2.0\ndep 1.5\n"


@pytest.mark.parametrize("text", ["[]", '{"schema": 1}', '{"schema": "1"}', "{", '{"schema": 1, "entries": 3}'])
def test_a_damaged_record_is_no_bug(machine: Machine, text: str) -> None:
    machine.ok("install", "demo")
    record = Path(machine.json("show", "demo")["environment"]) / "environment.json"
    record.chmod(0o644)
    record.write_text(text)
    assert machine.run("show", "demo").status == 1
    assert machine.run("collect").status == 0
    machine.ok("install", "demo")
    assert machine.call("demo").status == 0


def test_what_cannot_be_swept_stops_nothing(machine: Machine) -> None:
    machine.ok("install", "demo")
    stuck = machine.data / "store/.staging-stuck"
    stuck.mkdir()
    (stuck / "file").write_text("x")
    subprocess.run(["chattr", "+i", stuck / "file"], check=False)
    try:
        machine.ok("install", "other")
    finally:
        subprocess.run(["chattr", "-i", stuck / "file"], check=False)


def test_a_chosen_dependencys_command_is_its_own(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "links"
    make_wheel(folder, "app", "1.0", commands=["app"], requires=["alpha", "beta"])
    make_wheel(folder, "alpha", "1.0", commands={"tool": "alpha:main"})
    make_wheel(folder, "beta", "1.0", commands={"tool": "beta:main"})
    machine.ok("install", "app", "--commands-from", "beta", "--find-links", str(folder))
    assert machine.call("tool").out == "beta 1.0\n"


def test_a_launcher_leaves_the_persons_variables_alone(machine: Machine, tmp_path: Path) -> None:
    files = {"teller.py": "import os\n\ndef main():\n    print(*[os.environ.get(n, '') for n in 'emp'])\n"}
    wheel = make_wheel(tmp_path, "teller", "1.0", commands={"teller": "teller:main"}, files=files)
    machine.ok("install", str(wheel))
    assert machine.call("teller", e="1", m="2", p="3").out == "1 2 3\n"


def test_two_profiles_may_share_a_cache(machine: Machine, tmp_path: Path) -> None:
    children = [
        machine.start(
            "install", "demo", "other", XDG_DATA_HOME=str(tmp_path / f"data{n}"), XDG_BIN_HOME=str(tmp_path / f"bin{n}")
        )
        for n in range(6)
    ]
    for child in children:
        _, err = child.communicate(timeout=120)
        assert child.returncode == 0, err


def test_collect_spares_what_run_is_about_to_become(machine: Machine, tmp_path: Path) -> None:
    source = (
        "import sys\n\ndef main():\n    print('up', flush=True)\n    sys.stdin.read()\n"
        "    import later\n    print(later.WORD)\n"
    )
    files = {"waiter.py": source, "later.py": "WORD = 'late'\n"}
    wheel = make_wheel(tmp_path, "waiter", "1.0", commands={"waiter": "waiter:main"}, files=files)
    child = subprocess.Popen(
        machine.argv("run", str(wheel)),
        env=machine.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    machine.run("collect", "--keep", "1")
    out, _ = child.communicate("go", timeout=20)
    assert out == "late\n"


def test_interrupts_at_a_terminal_leave_old_or_new(machine: Machine) -> None:
    """With progress drawn there is a second thread, which may be the one to get the signal."""
    import pty

    machine.ok("install", "demo==1.0")
    for delay in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(machine.home)
            argv = machine.argv("install", "demo==2.0")
            os.execve(argv[0], argv, {**machine.environ, "TERM": "xterm"})
        time.sleep(delay)
        os.write(terminal, b"\x03")
        seen = b""
        while True:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        version = machine.call("demo", "--version").out
        code = os.waitstatus_to_exitcode(status)
        assert (code, version) in ((0, "demo 2.0\n"), (130, "demo 1.0\n"), (-signal.SIGINT, "demo 1.0\n")), seen
        machine.ok("install", "demo==1.0")


def test_a_partly_cleaned_cache_of_a_checkout_is_made_anew(tmp_path: Path) -> None:
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bootstrap"))
    try:
        import bootstrap
    finally:
        del sys.path[0]
    for part in ("bin/uv", "lib/urllib3/__init__.py", "lib/packaging/__init__.py", "lib/pyproject_hooks/__init__.py"):
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / part).touch()
    assert bootstrap.whole(str(tmp_path))
    shutil.rmtree(tmp_path / "lib/urllib3")
    assert not bootstrap.whole(str(tmp_path))
