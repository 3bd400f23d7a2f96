"""Which commands and files of an application are exposed, and when a name is refused."""

import re
from collections.abc import Mapping, Sequence

from detente.errors import Collision, Refused
from detente.model import Application, StoreEntry
from detente.names import SELF, is_command

# the interpreter and its installer under any of their names; pipx, pip-audit and the like are applications
_RESERVED = re.compile(r"(?:python|pip|pypy)[0-9.]*[tdw]?(?:-config|-dbg)?", re.IGNORECASE)
# what asks for passwords or installs software: taken even where it is not installed, since people will type it
_SYSTEM = frozenset(
    (
        *("apk", "apt", "apt-get", "dnf", "dpkg", "flatpak", "pacman", "rpm", "snap", "yum", "zypper"),
        *("doas", "login", "mount", "passwd", "pkexec", "run0", "su", "sudo", "sudoedit", "systemctl", "umount"),
        *("gpg", "gpg2", "scp", "sftp", "ssh", "ssh-add", "ssh-agent", "ssh-keygen"),
    )
)
LIBRARY = "is a library: it has no command to run"
_ONLY_METADATA = 8  # files: a distribution of no more only names others
LAUNCH = "launch"  # the directory of an environment that holds launchers
BIN = "bin"


def exposed(
    key: str, suffix: str, primary: StoreEntry, others: Sequence[StoreEntry], chosen: Sequence[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the commands to expose (name to path in the environment) and what is worth saying.

    `primary` is the distribution asked for, `others` all that came along; `chosen` the normalized names of
    further distributions whose commands are wanted. Raise Refused where there is no command at all.
    """
    commands: dict[str, str] = {}
    said = []
    for entry in (primary, *(entry for entry in others if entry.name in chosen)):
        for command in _commands(entry):
            if not is_command(command) or (command == SELF and entry.name != SELF):
                said.append(f"{command} of {entry.name} is not exposed: that is no name for a command of its own")
                continue
            if _is_reserved(command):
                said.append(f"{command} of {entry.name} is not exposed: python* and pip* stay the distribution's")
                continue
            plain = not entry.scripts.get(command, True) and command not in entry.commands
            commands.setdefault(command + suffix, f"{BIN if plain else LAUNCH}/{command}")
    again = _again(primary.name, suffix)
    if not commands:
        raise _no_commands(again, primary, others)
    missing = [name for name in chosen if name not in {primary.name, *(entry.name for entry in others)}]
    said += [f"{name} did not come along with {key}, so none of its commands is exposed" for name in missing]
    more = {entry.name: list(_commands(entry)) for entry in others if entry.name not in chosen}
    related = {name: found for name, found in more.items() if found and _related(primary.name, name)}
    for name, found in related.items():
        listed = ", ".join(found[:4]) + (", …" if len(found) > 4 else "")
        said.append(f"{name} has commands too ({listed}): {again} --commands-from {name}")
    return commands, tuple(said)


def _commands(entry: StoreEntry) -> list[str]:
    return sorted({*entry.commands, *entry.scripts})


def _is_reserved(command: str) -> bool:
    return _RESERVED.fullmatch(command) is not None


def _related(primary: str, other: str) -> bool:
    """Say whether `other` looks like a part of `primary`: ansible-core of ansible, jupyter-core of jupyterlab."""
    stem, second = primary.partition("-")[0], other.partition("-")[0]
    return other.startswith(stem) or stem.startswith(second)


def _again(name: str, suffix: str) -> str:
    """Return the command line that names this very application again."""
    option = f" --as={suffix}" if suffix.startswith("-") else f" --as {suffix}" if suffix else ""
    return f"detente install {name}{option}"


def _no_commands(again: str, primary: StoreEntry, others: Sequence[StoreEntry]) -> Refused:
    having = [entry for entry in others if not all(map(_is_reserved, _commands(entry)))]
    having.sort(key=lambda entry: (primary.name not in _commands(entry), not _related(primary.name, entry.name)))
    if having and (primary.files <= _ONLY_METADATA or _related(primary.name, having[0].name)):
        return Refused(
            f"{primary.name} {primary.version} has no command of its own",
            context=[f"commands come with: {', '.join(entry.name for entry in having)}"],
            hint=f"{again} --commands-from {having[0].name}",
        )
    if _commands(primary):
        return Refused(
            f"{primary.name} {primary.version} has only commands that are never exposed: "
            + ", ".join(_commands(primary)),
            context=["python* and pip* stay the distribution's, or nobody could tell which one runs"],
            hint=f"have it in a virtual environment: python3 -m venv env && env/bin/pip install {primary.name}",
        )
    return Refused(
        f"{primary.name} {primary.version} {LIBRARY}",
        context=["installing libraries for import is not there yet; nothing was changed"],
        hint=f"add it to an application that uses it: detente install APPLICATION --with {primary.name}",
    )


def beside(
    commands: Mapping[str, str], foreign: Mapping[str, str], owners: Mapping[str, str], packages: Sequence[str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return `foreign` without what the system packages `packages` own, and what is worth saying of those commands."""
    owned = {f"system package {package}" for package in packages}
    left = {command: path for command, path in foreign.items() if owners.get(path, "") not in owned}
    hidden = [command for command in commands if command in foreign and command not in left]
    return left, tuple(f"{command} hides {foreign[command]} ({owners[foreign[command]]})" for command in hidden)


def check_names(
    key: str,
    commands: Mapping[str, str],
    current: Mapping[str, Application],
    foreign: Mapping[str, str],
    owners: Mapping[str, str],
    *,
    force: bool,
) -> None:
    """Raise Collision where a command that `key` would newly expose has another owner, who is named."""
    before = current[key].commands if key in current else {}
    taken = []
    for command in commands:
        if command in before:
            continue
        for other in current.values():
            if other.key != key and command in other.commands:
                raise Collision(
                    f"the command {command} belongs to {other.key} already",
                    hint=f"give it another name: detente install {key} --as @2; or: detente remove {other.key}",
                )
        if command in foreign and not force:
            path = foreign[command]
            taken.append((command, path, owners.get(path, "")))
        elif command in _SYSTEM and not force:
            raise Collision(
                f"the command {command} would pass for the system's own, which is not installed here",
                hint=f"if you mean it, repeat with --force, or give it another name: detente install {key} --as @2",
            )
    if taken:
        command, path, owner = taken[0]
        raise Collision(
            f"the command {command} exists already: {path}" + (f" ({owner})" if owner else ""),
            context=[f"also {other}: {where}" + (f" ({who})" if who else "") for other, where, who in taken[1:]],
            hint=f"put ours before it with --force, or give it another name: detente install {key} --as @2",
        )
