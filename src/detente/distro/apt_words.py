"""What a person types at apt's own commands, and what dpkg says of work that was left half done."""

from collections.abc import Sequence

from detente.model import Command

LOCK = "/var/lib/dpkg/lock-frontend"  # held, by fcntl(2), by whoever changes system packages
UNFINISHED = "sudo dpkg --configure -a"


def typed_install(packages: Sequence[str]) -> str:
    """Return what a person types, as root, to have `packages`."""
    return f"apt install {' '.join(packages)}"


def typed_remove(packages: Sequence[str]) -> str:
    """Return what a person types, as root, to have `packages` no more."""
    return f"apt remove {' '.join(packages)}"


def audit() -> Command:
    """Return the command that says which system packages are half-way: nothing where all is well."""
    return Command(("/usr/bin/dpkg", "--audit"), environment={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}, timeout=20)
