"""Root for the package manager alone: which tool, with which words, and what its refusal means."""

from pathlib import Path

import pytest

from detente.errors import Refused
from detente.host import escalate
from detente.host.escalate import Seat, as_root, denial, raised
from detente.model import Command, Completed

APT = Command(("/usr/bin/apt-get", "install", "--", "demo"), environment={"PATH": "/usr/bin", "LC_ALL": "C.UTF-8"})
TYPED = "apt install demo"
TOOLS = {name: f"/usr/bin/{name}" for name in escalate.TOOLS}
DESK = Seat(root=False, terminal=True, graphical=False, tools=TOOLS, su="/usr/bin/su")


def test_root_runs_the_package_manager_itself() -> None:
    assert raised(APT, DESK._replace(root=True), {}, TYPED).argv == APT.argv


def test_root_runs_it_in_roots_own_home() -> None:
    command = raised(APT, DESK._replace(root=True), {"HOME": "/home/person"}, TYPED)
    assert command.environment == {"PATH": "/usr/bin", "LC_ALL": "C.UTF-8", "HOME": str(Path("~root").expanduser())}


@pytest.mark.parametrize("odd", ["../../tmp/x", "x%s", "x\x1b[31m", "xterm\n", ""])
def test_odd_words_in_them_do_not_go_along(odd: str) -> None:
    command = raised(APT, DESK, {"TERM": odd, "LANG": odd}, TYPED)
    assert command.environment == APT.environment


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (("sudo", "doas", "run0", "pkexec"), ("/usr/bin/sudo", "--")),
        (("doas", "run0", "pkexec"), ("/usr/bin/doas", "--")),
        (("run0", "pkexec"), ("/usr/bin/run0", "--")),
        (("pkexec",), ("/usr/bin/pkexec",)),
    ],
)
def test_on_a_terminal_the_first_tool_that_exists_runs_exactly_the_package_managers_words(
    there: tuple[str, ...], words: tuple[str, ...]
) -> None:
    seat = DESK._replace(tools={name: TOOLS[name] for name in there})
    assert raised(APT, seat, {}, TYPED).argv == (*words, *APT.argv)


def test_without_a_terminal_only_a_window_can_ask() -> None:
    seat = DESK._replace(terminal=False, graphical=True)
    assert raised(APT, seat, {}, TYPED).argv == ("/usr/bin/pkexec", *APT.argv)
    with pytest.raises(Refused):
        raised(APT, seat._replace(tools={"sudo": "/usr/bin/sudo"}), {}, TYPED)


def test_with_nobody_to_ask_the_command_is_named() -> None:
    with pytest.raises(Refused, match="no terminal") as caught:
        raised(APT, DESK._replace(terminal=False), {}, TYPED)
    assert caught.value.hint == "sudo apt install demo"


def test_without_any_tool_the_command_is_one_for_su() -> None:
    with pytest.raises(Refused, match="sudo is not installed; su can do it") as caught:
        raised(APT, DESK._replace(tools={}), {}, TYPED)
    assert caught.value.hint == "su -c 'apt install demo'"
    with pytest.raises(Refused, match="neither sudo nor another way to root"):
        raised(APT, DESK._replace(tools={}, su=""), {}, TYPED)


def test_what_a_person_types_fits_the_machine() -> None:
    assert as_root(TYPED, DESK._replace(root=True)) == TYPED
    assert as_root(TYPED, DESK._replace(tools={"doas": "/usr/bin/doas"})) == "doas apt install demo"
    assert as_root(TYPED, DESK._replace(tools={}, su="")) == "sudo apt install demo"


def test_of_the_persons_variables_only_terminal_and_language_go_along() -> None:
    environ = {
        "TERM": "xterm",
        "LANG": "de_DE.UTF-8",
        "LD_PRELOAD": "/tmp/x.so",
        "PATH": "/tmp/bin",
        "HOME": "/home/me",
    }
    kept = {"PATH": "/usr/bin", "LC_ALL": "C.UTF-8", "TERM": "xterm", "LANG": "de_DE.UTF-8"}
    assert raised(APT, DESK, environ, TYPED).environment == kept
    root = raised(APT, DESK._replace(root=True), environ, TYPED).environment
    assert root is not None
    assert {**root, "HOME": ""} == {**kept, "HOME": ""}


def test_tools_are_looked_for_in_the_given_directories_and_never_along_path(tmp_path: Path) -> None:
    for name in ("sudo", "pkexec", "su"):
        (tmp_path / name).touch()
    for name in ("sudo", "su"):
        (tmp_path / name).chmod(0o755)
    seat = escalate.seat({"PATH": str(tmp_path)}, (str(tmp_path),))
    assert (seat.tools, seat.su) == ({"sudo": f"{tmp_path}/sudo"}, f"{tmp_path}/su")
    assert escalate.seat({"PATH": str(tmp_path)}, ()).tools == {}


@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_graphical_session_is_known_by_its_variables(variable: str) -> None:
    assert escalate.seat({variable: ":0"}, ()).graphical
    assert not escalate.seat({variable: ""}, ()).graphical


# What sudo 1.9.13p3, doas 6.8.2 and pkexec 122 of Debian 12 said; of pkexec 126 and "Not authorized" by pkexec(1).
@pytest.mark.parametrize(
    ("tool", "status", "said"),
    [
        ("sudo", 1, "Sorry, try again.\nsudo: 3 incorrect password attempts\n"),
        ("sudo", 1, "other is not in the sudoers file.\n"),
        ("sudo", 1, "sudo: a password is required\n"),
        ("doas", 1, "doas: Operation not permitted\n"),
        ("pkexec", 126, "Error executing command as another user: Request dismissed\n"),
        ("pkexec", 127, "Error executing command as another user: Not authorized\n"),
        ("pkexec", 127, "Error getting authority: Error initializing authority: Could not connect: No such file\n"),
    ],
)
def test_a_refusal_of_the_tool_is_told_with_its_words_and_the_command(tool: str, status: int, said: str) -> None:
    command = raised(APT, DESK._replace(tools={tool: TOOLS[tool]}), {}, TYPED)
    err = denial(command, Completed(status, "", said), TYPED)
    assert err is not None
    assert err.message.startswith(f"{tool} did not give root's privileges")
    assert err.context[-1] == said.splitlines()[-1]
    assert err.hint == "as root: apt install demo"


def test_what_the_package_manager_says_is_no_refusal() -> None:
    command = raised(APT, DESK, {}, TYPED)
    assert denial(command, Completed(100, "", "E: Unable to locate package demo\n"), TYPED) is None
    assert denial(command, Completed(1, "", "E: something of apt's own\n"), TYPED) is None
    assert denial(APT, Completed(1, "", ""), TYPED) is None
