"""A plan: what would change, as a value that can be printed, saved, compared, refused, and run."""

from typing import Literal, NamedTuple

from detente.model import Application, Artifact, DistroModules, Generation, Interpreter


class EnvironmentSpec(NamedTuple):
    """An environment to be: `entries` are store directories in lock order; `directory` is its name in envs/.

    `lock` is the PEP 751 text it was resolved to; `label` is the application's key; `again` is the command line
    that asks for it anew, for the launchers to name. `distro` are the modules it has from the distro's Python.
    """

    directory: str
    label: str
    interpreter: Interpreter
    entries: tuple[str, ...]
    lock: str
    again: str = ""
    distro: DistroModules | None = None


class Fetch(NamedTuple):
    """Fetch a wheel, check it, and unpack it into the store. Invisible and repeatable."""

    artifact: Artifact
    interpreter: Interpreter
    step: Literal["fetch"] = "fetch"


class Build(NamedTuple):
    """Build a wheel from source and put it into the store. Invisible and repeatable."""

    artifact: Artifact
    interpreter: Interpreter
    step: Literal["build"] = "build"


class Compile(NamedTuple):
    """Add one Python version's bytecode to entries that are in the store already."""

    interpreter: Interpreter
    entries: tuple[str, ...]
    step: Literal["compile"] = "compile"


class Link(NamedTuple):
    """Make an environment: a farm of links into the store. Invisible and repeatable."""

    environment: EnvironmentSpec
    step: Literal["link"] = "link"


class Switch(NamedTuple):
    """Make `generation` the current one, and expose what it exposes. The one visible change.

    `over` are commands that someone else owns in our own directory: they go to quarantine first.
    """

    generation: Generation
    over: tuple[str, ...] = ()
    step: Literal["switch"] = "switch"


class Discard(NamedTuple):
    """Remove generations, environments and entries that nothing keeps. Cannot be undone."""

    generations: tuple[int, ...]
    environments: tuple[str, ...]
    entries: tuple[str, ...]
    step: Literal["discard"] = "discard"


class Mend(NamedTuple):
    """Make something damaged anew in its place, from what is whole of it. Repeatable.

    `kind` is `entry` (its modes and its bytecode), `unused` (an entry that nothing links goes), `generation` (from
    its record), or `links` (those outside); `name` is the directory's.
    """

    kind: str
    name: str
    step: Literal["mend"] = "mend"


class Relink(NamedTuple):
    """Make a damaged environment anew, in its place."""

    environment: EnvironmentSpec
    step: Literal["relink"] = "relink"


class SystemChange(NamedTuple):
    """What the package manager would do to one system package: "" for `before` or `after` where there is none."""

    package: str
    before: str
    after: str


class SystemInstall(NamedTuple):
    """Let the distro's package manager install `packages`: `changes` are all it would do by its own simulation.

    `argv` is the command that does it, with what gives it its privileges before it. Sizes are in bytes. What it does
    is no part of any generation: the package manager takes it back.
    """

    packages: tuple[str, ...]
    changes: tuple[SystemChange, ...]
    argv: tuple[str, ...]
    download: int = 0
    disk: int = 0
    step: Literal["system-install"] = "system-install"


# Each step says which it is in its last field: two kinds are never equal, and JSON has it, too.
Step = Fetch | Build | Compile | Link | Switch | Discard | Mend | Relink | SystemInstall
STEPS: dict[str, type[Step]] = {
    kind._field_defaults["step"]: kind
    for kind in (Fetch, Build, Compile, Link, Switch, Discard, Mend, Relink, SystemInstall)
}


class Effect(NamedTuple):
    """One application's change: versions are "" where there is none before or after."""

    key: str
    before: str
    after: str
    detail: str = ""

    @property
    def kind(self) -> str:
        """Return `install`, `remove`, or `change`."""
        if not self.before:
            return "install"
        return "change" if self.after else "remove"


class Plan(NamedTuple):
    """`basis` states the generation it was made for; `pending` that another plan follows once this one ran.

    `questions` must be answered yes before it may run; `reasons` and `warnings` are sentences for a person.
    """

    basis: str
    steps: tuple[Step, ...] = ()
    effects: tuple[Effect, ...] = ()
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    pending: bool = False

    @property
    def empty(self) -> bool:
        """Say whether nothing is to be done."""
        return not self.steps


def effects(before: dict[str, Application], after: dict[str, Application]) -> tuple[Effect, ...]:
    """Return what differs between two sets of applications, sorted by key."""
    found = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is None and new is not None:
            found.append(Effect(key, "", new.version))
        elif new is None and old is not None:
            found.append(Effect(key, old.version, ""))
        elif old is not None and new is not None and not same(old, new):
            found.append(Effect(key, old.version, new.version, _difference(old, new)))
    return tuple(found)


def same(one: Application, other: Application) -> bool:
    """Say whether two records describe the same state, whenever each was made."""
    return one._replace(since=0) == other._replace(since=0)


def _difference(old: Application, new: Application) -> str:
    if old.version != new.version:
        return ""
    if old.interpreter != new.interpreter:
        return f"Python {old.python} to {new.python}"
    if old.wish.added != new.wish.added:
        return "with " + ", ".join(new.wish.added) if new.wish.added else "nothing added any more"
    if old.wish.with_distro != new.wish.with_distro:
        return (
            f"with the distro's {', '.join(new.wish.with_distro)}" if new.wish.with_distro else "nothing of the distro"
        )
    if old.wish.editable != new.wish.editable:
        return "run from its source" if new.wish.editable else "a copy of its own"
    if old.environment != new.environment:
        return "built anew" if "/" in new.wish.requirement else "its dependencies change"
    if old.wish.prerelease != new.wish.prerelease:
        return "pre-releases too"
    if old.commands.keys() != new.commands.keys():
        return "other commands"
    return "asked for as " + new.wish.requirement
