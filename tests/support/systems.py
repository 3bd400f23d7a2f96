"""Root file systems laid out from what `record_system.py` recorded: dpkg's files, where dpkg has them."""

from pathlib import Path

import pytest

from detente.model import Completed
from detente.scan.system import System, system

SYSTEMS = Path(__file__).resolve().parents[1] / "fixtures/systems"
NAMES = ("bookworm", "trixie")
MERGED = ("bin", "lib", "sbin")


def recorded(name: str, file: str) -> str:
    """Return what was recorded of the system `name`."""
    return (SYSTEMS / name / file).read_text()


def complaint(name: str, kind: str) -> Completed:
    """Return what a command that failed said."""
    head, _, rest = recorded(name, f"complaint-{kind}.txt").partition("-- stdout\n")
    out, _, err = rest.partition("-- stderr\n")
    return Completed(int(head.rpartition("status: ")[2]), out, err)


def complaints(name: str) -> list[str]:
    """Return the kinds of failures that were recorded."""
    return sorted(path.stem.removeprefix("complaint-") for path in (SYSTEMS / name).glob("complaint-*.txt"))


def lay_out(name: str, root: Path, *, status: str = "status") -> Path:
    """Make `root` look like the system `name`, as far as dpkg's records go; `status` is the recorded file to take."""
    files = {
        "etc/os-release": recorded(name, "os-release"),
        "usr/share/python3/debian_defaults": recorded(name, "debian_defaults"),
        "usr/bin/dpkg-query": "",
        "usr/share/nameless/nameless.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: Name.Less\nVersion: 3.1\n",
        "var/lib/dpkg/status": recorded(name, status),
        "var/lib/dpkg/diversions": recorded(name, "diversions"),
        "var/lib/apt/extended_states": recorded(name, "extended_states"),
    }
    for part in recorded(name, "lists.txt").split("== ")[1:]:
        file, _, text = part.partition("\n")
        files[f"var/lib/dpkg/info/{file}"] = text
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    for folder in MERGED:
        (root / "usr" / folder).mkdir(exist_ok=True)
        (root / folder).symlink_to(f"usr/{folder}")
    (root / "etc/alternatives").mkdir()
    (root / "usr/bin/awk").symlink_to("/etc/alternatives/awk")
    (root / "etc/alternatives/awk").symlink_to("/usr/bin/mawk")
    return root


def look(root: Path, cache: Path | None = None) -> System:
    """Return the facts of `root`."""
    found = system({"DETENTE_DISTRO": str(root), "HOME": "/nonexistent"}, str(cache or root.parent / "cache"))
    assert found is not None
    return found


def never(*_: object, **__: object) -> Completed:
    """Stand for the door to other programs where none may be started."""
    pytest.fail("a program was started")
