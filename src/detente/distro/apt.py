"""Debian, Ubuntu and their children: dpkg-query(1)."""

from collections.abc import Sequence

from detente.model import Command

QUERY = "/usr/bin/dpkg-query"
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def owners(paths: Sequence[str]) -> Command:
    """Return the command that asks who owns `paths`; a path in /usr/bin is asked for in /bin too (merged /usr)."""
    asked = dict.fromkeys(spelling for path in paths for spelling in (path, _other(path)) if spelling)
    return Command((QUERY, "-S", *asked), environment=_ENVIRONMENT, timeout=20)


def parse_owners(text: str, paths: Sequence[str]) -> dict[str, str]:
    """Return path to system package from lines such as `coreutils: /bin/ls`; diversions are passed over."""
    wanted = {spelling: path for path in paths for spelling in (path, _other(path)) if spelling}
    found = {}
    for line in text.splitlines():
        names, separator, path = line.partition(": ")
        if separator and path in wanted and not names.startswith("diversion"):
            found[wanted[path]] = names.split(", ")[0].partition(":")[0]
    return found


def _other(path: str) -> str:
    return path[4:] if path.startswith(("/usr/bin/", "/usr/sbin/")) else ""
