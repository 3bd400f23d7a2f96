"""dpkg's files, read: /var/lib/dpkg/status, info/*.list, diversions, alternatives, and apt's extended_states.

Their parsers are loaded only where something is read: mostly all is remembered (`scan.system`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from detente.errors import ToolError
from detente.host import regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from detente.distro.dpkg import Diversion, Paragraph

_ALTERNATIVES = "/etc/alternatives/"
_FEW = 16  # so many directories are looked for first: few packages have files in them
_OWN = "dpkg"  # the package that every status has; its architecture is the machine's own


class DpkgFiles:
    """The records below `root` ("" for this machine), each read once and only where it is needed."""

    def __init__(self, root: str = "") -> None:
        self.root = root
        self.status = f"{root}/var/lib/dpkg/status"
        self.info = f"{root}/var/lib/dpkg/info"
        self.updates = f"{root}/var/lib/dpkg/updates"
        self.diverted = f"{root}/var/lib/dpkg/diversions"
        self.states = f"{root}/var/lib/apt/extended_states"
        self._paragraphs: dict[str, Paragraph] | None = None
        self._diversions: list[Diversion] | None = None
        self._listed: frozenset[str] | None = None
        self._merged = {name: _is_merged(root, name) for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32")}

    def records(self) -> list[str]:
        """Return the paths that change with what is installed."""
        return [self.status, self.updates, self.info, self.states, self.diverted]

    def paragraphs(self) -> dict[str, Paragraph]:
        """Return what is on the machine by name; one of another architecture is `name:arch` where both are there.

        Raise ToolError where the status is missing, unreadable or damaged.
        """
        if self._paragraphs is None:
            self._paragraphs = self._read_status()
        return self._paragraphs

    def _read_status(self) -> dict[str, Paragraph]:
        from detente.distro import dpkg

        try:
            data = regular.read(self.status)
        except OSError as err:
            raise _unreadable("record of what is installed", self.status, err) from err
        try:
            read = dpkg.parse_status(data.decode("utf-8", "surrogateescape"))
        except dpkg.Broken as err:
            raise _damaged(self.status, str(err)) from err
        if not read:
            raise _damaged(self.status, "it is empty")
        read = [*{(each.package, each.architecture): each for each in (*read, *self._unmerged())}.values()]
        here = [each for each in read if each.state not in dpkg.ABSENT]
        own = next((each.architecture for each in here if each.package == _OWN), "")
        found: dict[str, Paragraph] = {}
        for each in sorted(here, key=lambda each: each.architecture not in (own, "all")):
            found[f"{each.package}:{each.architecture}" if each.package in found else each.package] = each
        return found

    def _unmerged(self) -> list[Paragraph]:
        """Return what an interrupted dpkg wrote beside the status; a last file that it did not finish counts not."""
        from detente.distro import dpkg

        found: list[Paragraph] = []
        try:
            names = sorted(name for name in os.listdir(self.updates) if name.isdigit())
        except OSError:
            return found
        for name in names:
            try:
                found += dpkg.parse_update(_text(os.path.join(self.updates, name)))
            except dpkg.Broken:
                break
        return found

    def automatic(self) -> set[tuple[str, str]]:
        """Return package and architecture of those that another one brought; none where apt has recorded nothing."""
        from detente.distro import dpkg

        return dpkg.parse_automatic(_text(self.states))

    def diversions(self) -> list[Diversion]:
        """Return what is diverted."""
        if self._diversions is None:
            from detente.distro import dpkg

            self._diversions = dpkg.parse_diversions(_text(self.diverted))
        return self._diversions

    def files(self, package: str) -> list[str]:
        """Return where what `package` (a key of `paragraphs`) has brought lies now; [] where it is not there."""
        paragraph = self.paragraphs().get(package)
        if paragraph is None:
            return []
        moved = {each.path: each for each in self.diversions() if each.by != paragraph.package}
        lines = self.listed(paragraph).strip("\n").split("\n")
        return [self.placed(moved[path].to if path in moved else path) for path in lines]

    def listed(self, paragraph: Paragraph) -> str:
        """Return the text of its list of files; "" where there is none (half-installed)."""
        names = (f"{paragraph.package}:{paragraph.architecture}.list", f"{paragraph.package}.list")
        same = names if self._has_list(names[0]) else names[1:]
        return _text(os.path.join(self.info, same[0]))

    def may_have(self, package: str) -> bool:
        """Say, quickly, whether something of the system package `package` is there; its state is another question."""
        return self._has_list(f"{package}.list") or any(name.startswith(f"{package}:") for name in self._lists())

    def _has_list(self, name: str) -> bool:
        return name in self._lists()

    def _lists(self) -> frozenset[str]:
        if self._listed is None:
            try:
                names = os.listdir(self.info)
            except OSError as err:
                raise _unreadable("lists of files", self.info, err) from err
            self._listed = frozenset(name for name in names if name.endswith(".list"))
        return self._listed

    def placed(self, path: str) -> str:
        """Return where a path of a list really is: /bin/x at /usr/bin/x where /usr is merged."""
        first, slash, rest = path[1:].partition("/")
        return f"/usr/{first}/{rest}" if slash and self._merged.get(first) else path

    def owners(self, paths: Iterable[str]) -> dict[str, str]:
        """Return path to the system package that brought it; what none or several (a directory) have is left out.

        A path is one of the machine, also with another `root`. A diverted file belongs to the package that it was
        diverted from, its old place to the one that it was diverted for; an alternative to whoever has its target.
        """
        places = {path: self._canonical(path) for path in paths}
        links = {path: self._canonical(target) for path in places if (target := self._alternative(path))}
        owned = self._owned({*places.values(), *links.values()})
        found = {path: owned[place] for path, place in places.items() if place in owned}
        return {path: owned[place] for path, place in links.items() if place in owned} | found

    def _owned(self, places: Collection[str]) -> dict[str, str]:
        """Return place to its one owner for those of `places`, which are canonical."""
        moved = {self.placed(each.to): each for each in self.diversions()}
        taken = {self.placed(each.path): each for each in self.diversions()}
        spelled: dict[str, list[str]] = {}
        for place in places:
            source = self.placed(moved[place].path) if place in moved else place
            for spelling in self._spellings(source):
                spelled.setdefault(spelling, []).append(place)
        if not spelled:
            return {}
        found: dict[str, set[str]] = {}
        for name, lines in self._listing(frozenset(spelled)):
            package = name.partition(":")[0]
            for place in (place for line in lines for place in spelled[line]):
                diversion, taker = moved.get(place), taken.get(place)
                if package != diversion.by if diversion is not None else taker is None or package == taker.by:
                    found.setdefault(place, set()).add(package)
        return {place: names.copy().pop() for place, names in found.items() if len(names) == 1}

    def _listing(self, paths: frozenset[str]) -> Iterator[tuple[str, Collection[str]]]:
        """Yield each package whose list has some of `paths`, and which."""
        folders = {f"\n{os.path.dirname(path).rstrip('/')}/" for path in paths}
        few = len(folders) <= _FEW
        for name in self._lists():
            text = _text(os.path.join(self.info, name))
            if few and not any(folder in text for folder in folders):
                continue
            lines = paths.intersection(text.split("\n"))
            if lines:
                yield name.removesuffix(".list"), lines

    def _spellings(self, place: str) -> list[str]:
        first = place.removeprefix("/usr/").partition("/")[0]
        return [place, place.removeprefix("/usr")] if place.startswith("/usr/") and self._merged.get(first) else [place]

    def _canonical(self, path: str) -> str:
        """Return `path` with the links of its directories followed, but not itself one that is the answer."""
        folder, name = os.path.split(os.path.normpath(path))
        real = os.path.realpath(self.root + folder)
        base = os.path.realpath(self.root) if self.root else ""
        inside = real[len(base) :] if base and f"{real}/".startswith(f"{base}/") else real
        return self.placed(os.path.join(inside or "/", name))

    def _alternative(self, path: str) -> str:
        """Return the file that update-alternatives(1) lets the link `path` mean; "" where it is none of its links."""
        try:
            first = os.readlink(self.root + path)
            return os.readlink(self.root + first) if first.startswith(_ALTERNATIVES) else ""
        except OSError:
            return ""


def _is_merged(root: str, name: str) -> bool:
    try:
        return os.readlink(f"{root}/{name}").strip("/") == f"usr/{name}"
    except OSError:
        return False


def _text(path: str) -> str:
    """Return the text of a file that need not be there."""
    try:
        return regular.read(path).decode("utf-8", "surrogateescape")
    except (OSError, ValueError):  # ValueError: a name with a null in it
        return ""


def _unreadable(what: str, place: str, err: OSError) -> ToolError:
    return ToolError(f"dpkg's {what} cannot be read: {err.strerror}", hint=f"ls -ld {place}", context=[place])


def _damaged(path: str, why: str) -> ToolError:
    return ToolError(
        f"dpkg's record of what is installed is damaged: {why}",
        hint=f"sudo cp {path}-old {path}",
        context=[path],
    )
