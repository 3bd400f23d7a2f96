"""The system packages that have what a build misses: the table that comes with détente, and what this machine says.

The table is of Debian's releases (`data/needs.xz`, made by bootstrap/needs.py). It is only read when a build failed.
"""

import os
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from detente.host.escalate import Seat, seat

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data/needs.xz")
TOOLS = ("apt", "dnf", "pacman")
HEADER, PKG_CONFIG, LIBRARY, CMAKE, PROGRAM = "header", "pkg-config", "library", "cmake", "program"
ANY = "any"
_NAMED = (("{}", PKG_CONFIG), ("lib{}", PKG_CONFIG), ("{}", LIBRARY), ("{}.h", HEADER), ("{}", CMAKE))
"""How a project's own words can be meant, where they do not say what it is that they miss."""

SUDO = Seat(root=False, terminal=False, graphical=False, tools={"sudo": "/usr/bin/sudo"})


class Need(NamedTuple):
    """One thing that a build did not find: its kind and its name, such as `header` and `openssl/ssl.h`."""

    kind: str
    name: str


class Supplier(NamedTuple):
    """Where this machine's system packages come from: the package manager, and whose names it uses.

    `tool` is apt, dnf, pacman or ""; `release` the codename of a release that the table has, "" for its newest one;
    `borrowed` says that this is not Debian, so that its names may differ. `root` is "" for this machine. `seat` says
    how whoever calls becomes root.
    """

    tool: str
    release: str = ""
    borrowed: bool = False
    root: str = ""
    seat: Seat = SUDO

    def package(self, need: Need) -> str:
        """Return the system packages (of Debian) that have `need`, joined by spaces; "" where none is known."""
        tables = _tables()
        table = tables.get(self.release) or next(reversed(tables.values()), {})
        asked = [Need(kind, form.format(need.name)) for form, kind in _NAMED] if need.kind == ANY else [need]
        for kind, name in asked:
            found = _lookup(table.get(kind, {}), kind, name)
            if found:
                return found
        return ""

    def has(self, package: str) -> bool:
        """Say whether dpkg has `package` installed."""
        info = f"{self.root}/var/lib/dpkg/info"
        if os.path.exists(f"{info}/{package}.list"):
            return True
        try:
            return any(name.startswith(f"{package}:") and name.endswith(".list") for name in os.listdir(info))
        except OSError:
            return False


def supplier(root: str = "") -> Supplier:
    """Return what supplies system packages to this machine, or to the one whose root file system is `root`."""
    tool = next((name for name in TOOLS if os.access(f"{root}/usr/bin/{name}", os.X_OK)), "")
    said = _os_release(root)
    codenames = [said.get("VERSION_CODENAME", ""), said.get("DEBIAN_CODENAME", "")]
    release = next((name for name in codenames if name in _tables()), "") if tool == "apt" else ""
    return Supplier(tool, release, not release and said.get("ID", "") != "debian", root, seat({}))


def _os_release(root: str) -> dict[str, str]:
    """Return the assignments of os-release(5); {} where there is none."""
    for place in ("etc/os-release", "usr/lib/os-release"):
        try:
            with open(f"{root}/{place}", encoding="utf-8", errors="replace") as file:
                pairs = [line.strip().partition("=") for line in file]
        except OSError:
            continue
        return {name: value.strip("\"'") for name, _, value in pairs}
    return {}


def _lookup(rows: dict[str, str], kind: str, name: str) -> str:
    """Return the row for `name`; of a header also that of the directory that it is in, the nearest one."""
    if kind == CMAKE:
        name = name.lower()
    if kind == PROGRAM:
        name = name.rpartition("/")[2].rpartition("-linux-gnu-")[2]
    if name in rows or kind != HEADER:
        return rows.get(name) or (rows.get(name.lower(), "") if kind == PKG_CONFIG else "")
    while "/" in name:
        name = name.rpartition("/")[0]
        if f"{name}/" in rows:
            return rows[f"{name}/"]
    return ""


@cache
def _tables() -> dict[str, dict[str, dict[str, str]]]:
    """Return release → kind → name → system packages; {} where this Python cannot read the table."""
    try:
        import lzma

        with lzma.open(DATA, "rt", encoding="utf-8") as file:
            return read(file)
    except (ImportError, OSError, EOFError, ValueError):  # advice only: a build's error must be told in any case
        return {}


def read(lines: Iterable[str]) -> dict[str, dict[str, dict[str, str]]]:
    """Return the tables in `lines`, as bootstrap/needs.py writes them; the newest release is the last."""
    rest = iter(lines)
    releases = next(rest, "").split()
    tables: dict[str, dict[str, dict[str, str]]] = {release: {} for release in releases}
    kind = ""
    for line in rest:
        if line.startswith("["):
            kind = line.strip()[1:-1]
            for table in tables.values():
                table[kind] = {}
            continue
        name, *packages = line.split()
        for number, table in enumerate(tables.values()):
            package = packages[min(number, len(packages) - 1)]
            if package != "-":
                table[kind][name] = package.replace(",", " ")
    return tables


def names(needs: Iterable[Need], supplier: Supplier) -> list[str]:
    """Return the system packages that have `needs`, each once, in their order; those that nobody knows left out."""
    found = (package for need in needs for package in supplier.package(need).split())
    return list(dict.fromkeys(found))
