"""Commands that are not ours, and whose they are."""

from pathlib import Path

from detente.host.paths import user_paths
from detente.scan import foreign


def test_the_owner_of_a_command_on_the_path_is_named_for_a_person(bookworm: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    environ = {"HOME": str(home), "DETENTE_DISTRO": str(bookworm)}
    paths = ["/usr/bin/yamllint", f"{home}/.local/bin/mine", "/usr/bin/nobodys"]
    assert foreign.owners(paths, user_paths(environ), environ) == {
        paths[0]: "system package yamllint",
        paths[1]: "not installed by detente",
    }
    (bookworm / "var/lib/dpkg/diversions").unlink()
    (bookworm / "var/lib/dpkg/info").rename(bookworm / "elsewhere")
    assert foreign.owners(paths, user_paths(environ), environ).keys() == {paths[1]}, "unknown is no error"
