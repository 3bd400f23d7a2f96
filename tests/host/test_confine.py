"""Confining a program: what it sees and may do, what ends it, and who is left of it; in each way."""

import errno
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from detente.errors import Refused
from detente.host import confine, filters, landlock, seccomp
from detente.host.box import Ended, Limits, Mount
from detente.host.confine_view import accounts, interpreter, ordered, toolchains
from detente.host.filters import Deny, Where
from support.hostile_builds import running, soon
from support.room import PYTHON, TRIALS, Room


@pytest.fixture(params=confine.WAYS)
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    try:
        confine.chosen(request.param)
    except Refused:
        pytest.skip(f"{request.param} does not work on this machine")
    return Room(tmp_path, request.param)


def test_status_and_output_of_the_program_come_back(room: Room) -> None:
    assert room.run("sh", "-c", "echo out; echo err >&2; exit 7") == Ended(7)
    assert room.said.split() == ["out", "err"]
    if room.way != "landlock" or landlock.abi() >= landlock.SCOPES_SINCE:  # older ones refuse all signals
        assert room.run("sh", "-c", "kill -9 $$").status == 137
    assert room.run("absent").status not in (0, 7)


def test_it_has_only_the_variables_it_was_given(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "4711-token")
    room.run("sh", "-c", "env; cat /proc/*/environ | tr '\\0' '\\n'", GIVEN="1")
    assert "GIVEN=1" in room.said
    assert "4711-token" not in room.said


def test_it_is_never_root_and_can_gain_nothing(room: Room) -> None:
    code = "import os; print(os.geteuid(), os.getgroups()); print(open('/proc/self/status').read())"
    if room.way == "landlock":
        code = "import os; print(os.geteuid(), os.getgroups())"
    room.python(code)
    assert not room.said.startswith("0 ")
    if room.way != "landlock":
        assert "CapEff:\t0000000000000000" in room.said
        assert "NoNewPrivs:\t1" in room.said


def test_it_cannot_read_what_is_not_shown(room: Room, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("4711-token")
    (tmp_path / "secret").chmod(0o644)
    room.run("sh", "-c", f"cat {tmp_path}/secret; ls -a / /root /home {tmp_path}; cat /etc/shadow /etc/hostname")
    assert "4711-token" not in room.said
    assert "root:" not in room.said


def test_it_writes_to_what_it_was_given_and_nowhere_else(room: Room, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "open").chmod(0o777)
    code = f"touch {room.given}/mine; touch /usr/probe /etc/probe {tmp_path}/open/probe /probe; mkdir /new"
    room.run("sh", "-c", code)
    assert (room.given / "mine").exists()
    assert list((tmp_path / "open").iterdir()) == []
    assert not any(os.path.exists(path) for path in ("/usr/probe", "/etc/probe", "/probe", "/new"))


@pytest.mark.parametrize("trial", TRIALS)
def test_one_that_would_not_end_or_have_enough_is_ended(room: Room, trial: str) -> None:
    if trial == "fork_bomb" and room.user is None:
        pytest.skip("processes are counted for each user, and this one has others")
    assert TRIALS[trial](room), f"{TRIALS[trial].__doc__}\n{room.said[-2000:]}"


def test_what_was_there_before_is_not_written_by_it(room: Room) -> None:
    (room.given / "data").write_bytes(bytes(30 << 20))
    assert room.run("sleep", "3", limits=Limits(disk=20 << 20)) == Ended(0)


def test_the_calls_that_reach_the_kernels_depths_are_refused(room: Room) -> None:
    code = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for name, number in (("unshare", 272), ("mount", 165), ("bpf", 321), ("io_uring_setup", 425), ("keyctl", 250),
                     ("ptrace", 101), ("userfaultfd", 323), ("open_by_handle_at", 304), ("perf_event_open", 298)):
    answer = libc.syscall(number, 0x10000000, 0, 0, 0, 0, 0)
    print(name, answer, errno.errorcode[ctypes.get_errno()])
"""
    if not filters.supported() or os.uname().machine != "x86_64":
        pytest.skip("the numbers are those of x86_64")
    room.python(code)
    for line in room.said.splitlines():
        assert line.endswith("-1 ENOSYS" if line.startswith("io_uring") else "-1 EPERM"), line
    assert len(room.said.splitlines()) == 9


def test_an_exception_in_who_follows_ends_the_program(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([0])

    def interrupted(_place: str) -> int:
        for size in looks:
            return size  # before it is started
        raise KeyboardInterrupt

    monkeypatch.setattr(confine, "_size", interrupted)
    monkeypatch.setattr(confine, "_LOOK", 0.5)
    with pytest.raises(KeyboardInterrupt):
        room.run("sleep", "7919004.5")
    assert soon(lambda: not running("7919004.5"), 2)


def test_where_no_way_works_it_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "_works", lambda way: False)
    for wish in ("auto", "landlock"):
        with pytest.raises(Refused) as caught:
            confine.chosen.__wrapped__(wish)
        assert "--build-confinement none" in (caught.value.hint or "")
    assert confine.chosen.__wrapped__("none") == "none"


def test_the_next_way_is_taken_where_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "_works", lambda way: way != "bubblewrap")
    assert confine.chosen.__wrapped__("auto") == "namespaces"


# What is shown


def test_a_home_is_never_shown_whole(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in ("bin", "lib/python3.11", ".cargo/bin", ".rustup/toolchains", ".ssh", "include"):
        (home / name).mkdir(parents=True)
    (home / "bin/python3.11").touch()
    shown = [mount.source for mount in interpreter(str(home / "bin/python3.11"), str(home))]
    assert shown == [str(home / name) for name in ("bin/python3.11", "lib/python3.11", "include")]
    tools = [
        mount.source for mount in toolchains({"PATH": f"{home}:/usr/bin"}, [f"-I{home}/include -O2 {home}"], str(home))
    ]
    assert tools == [str(home / name) for name in (".cargo/bin", ".rustup/toolchains", "include")]


def test_every_link_on_the_way_to_an_interpreter_is_shown(tmp_path: Path) -> None:
    real = tmp_path / "pythons/3.12/bin/python3.12"
    real.parent.mkdir(parents=True)
    real.touch()
    (tmp_path / "shims/bin").mkdir(parents=True)
    (tmp_path / "shims/bin/python").symlink_to(real)
    shown = {mount.source for mount in interpreter(str(tmp_path / "shims/bin/python"), "/home/me")}
    assert shown == {str(tmp_path / "shims"), str(tmp_path / "pythons/3.12")}


def test_of_the_directory_where_programs_keep_data_an_interpreters_link_alone_is_shown(tmp_path: Path) -> None:
    home = tmp_path / "home"
    real = home / ".local/share/uv/python/cpython-3.12/bin/python3.12"
    real.parent.mkdir(parents=True)
    real.touch()
    (home / ".local/bin").mkdir()
    link = home / ".local/bin/python3.12"
    link.symlink_to(real)
    shown = list(interpreter(str(link), str(home)))
    prefix = str(real.parent.parent)
    assert shown == [Mount("link", str(real), str(link)), Mount("ro", prefix, prefix)]


def test_accounts_name_root_and_the_user_alone(tmp_path: Path) -> None:
    accounts(str(tmp_path), (1234, 99), "/somewhere")
    assert (tmp_path / "passwd").read_text() == "root:x:0:0::/:/bin/sh\nbuild:x:1234:99::/somewhere:/bin/sh\n"


def test_what_holds_others_is_mounted_before_them() -> None:
    mounts = ordered(
        [Mount("rw", "/a/b", "/a/b"), Mount("ro", "/a", "/a"), Mount("ro", "/x", "/a"), Mount("link", "a", "/l")]
    )
    assert mounts == (Mount("link", "a", "/l"), Mount("ro", "/x", "/a"), Mount("rw", "/a/b", "/a/b"))


# Landlock and seccomp alone


def in_child(enforce: "list[object]", code: str) -> str:
    def both() -> None:
        for each in enforce:
            each()  # type: ignore[operator]

    argv = [PYTHON, "-I", "-S", "-c", code]
    return subprocess.run(argv, preexec_fn=both, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")
def test_landlock_leaves_what_it_was_not_asked_to_take(tmp_path: Path) -> None:
    program = tmp_path / "true"
    shutil.copy("/bin/true", program)
    ruleset = landlock.prepare(execute=("/usr", "/lib", "/lib64"))
    code = (
        f"import os, subprocess\nopen({str(tmp_path / 'new')!r}, 'w').close()\n"
        f"print(open({str(program)!r}, 'rb').read(4))\n"
        f"try:\n    subprocess.run([{str(program)!r}])\nexcept PermissionError:\n    print('refused')\n"
        "subprocess.run(['/bin/true'], check=True)\nprint('end')\n"
    )
    try:
        said = in_child([landlock.enforcer(ruleset)], code)
    finally:
        os.close(ruleset)
    assert said.split() == ["b'\\x7fELF'", "refused", "end"]


@pytest.mark.skipif(landlock.abi() < landlock.SCOPES_SINCE, reason="this Landlock has no scopes")
def test_landlock_takes_signals_and_tcp() -> None:
    ruleset = landlock.prepare(tcp=False, scopes=True)
    code = (
        "import os, socket\n"
        "for act in (lambda: os.kill(os.getppid(), 0), lambda: socket.socket().connect(('127.0.0.1', 9))):\n"
        "    try:\n        act()\n    except OSError as err:\n        print(err.errno)\n"
    )
    try:
        assert in_child([landlock.enforcer(ruleset)], code).split() == [str(errno.EPERM), str(errno.EACCES)]
    finally:
        os.close(ruleset)


def test_paths_that_do_not_exist_are_passed_over(tmp_path: Path) -> None:
    if landlock.abi() == 0:
        pytest.skip("this kernel has no Landlock")
    os.close(landlock.prepare(read=(str(tmp_path / "absent"), "/usr", "/etc/passwd"), write=(), execute=("/usr",)))


@pytest.mark.skipif(not filters.supported(), reason="no system call filter for this machine")
def test_a_rule_holds_where_all_its_conditions_do() -> None:
    rules = [
        Deny("kill", (Where(0, (0,), among=False), Where(1, (10, 12)))),
        Deny("socket", (Where(0, (1, 2), among=False),), errno.EAFNOSUPPORT),
        Deny("fchmod", (Where(1, (0,), 0o6000, among=False),)),
        *filters.calls("ptrace", error=errno.ENOSYS),
    ]
    code = """
import ctypes, os, signal, socket
signal.signal(10, lambda *_: None)
def told(act):
    try:
        act()
        print(0)
    except OSError as err:
        print(err.errno)
told(lambda: os.kill(os.getpid(), 0))
told(lambda: os.kill(os.getpid(), 10))
told(lambda: os.kill(os.getpid(), 12))
told(lambda: os.kill(0, 18))
for family in (1, 2, 10, 16):
    told(lambda: socket.socket(family))
file = os.memfd_create("x")
for mode in (0o755, 0o2755, 0o4755, 0o6755):
    told(lambda: os.fchmod(file, mode))
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace(0, 0, 0, 0)
print(ctypes.get_errno())
"""
    said = in_child([seccomp.enforcer(filters.assemble(rules))], code)
    expected = [0, 1, 1, 0, 0, 0, 97, 97, 0, 1, 1, 1, errno.ENOSYS]
    assert [int(word) for word in said.split()] == expected


def test_programs_of_both_architectures_can_be_assembled() -> None:
    rules = [Deny("open"), Deny("openat", (Where(2, (0,), 0o100, among=False),))]
    one, other = (filters.assemble(rules, machine) for machine in ("x86_64", "aarch64"))
    assert len(one) > len(other)  # aarch64 has no open(2)
    assert all(len(program) % 8 == 0 for program in (one, other))
    with pytest.raises(OSError, match="no system call filter"):
        filters.assemble(rules, "pdp11")


def test_many_boxes_can_run_at_once(tmp_path: Path) -> None:
    found: list[Ended] = []
    way = confine.chosen("auto")

    def one(number: int) -> None:
        root = tmp_path / str(number)
        root.mkdir()
        found.append(Room(root, way).run("sh", "-c", "sleep 0.2; exit 4"))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [Ended(4)] * 6
