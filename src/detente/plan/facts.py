"""What is true: one immutable snapshot of everything that a plan depends on."""

from typing import Any, NamedTuple

from detente.model import EMPTY_GENERATION, Artifact, DistroModules, Generation, Interpreter, StoreEntry, Wish

Slot = tuple[Artifact, str]
_NOTHING: dict[Any, Any] = {}  # nobody writes to facts


def slot(artifact: Artifact, interpreter: Interpreter) -> Slot:
    """Return what the store is asked for: a wheel is one entry, a source one per Python that it is built for."""
    return artifact, "" if artifact.kind == "wheel" else f"{interpreter.cache_tag}-{interpreter.platform}"


class Resolution(NamedTuple):
    """What one application resolved to.

    `name` is the distribution asked for; `artifacts` are in lock order; `lock` is the PEP 751 text.
    `age` is in seconds where an earlier answer was used again, 0 where it is fresh. `distro` are the modules that it
    gets from the distro's Python.
    """

    name: str
    wish: Wish
    interpreter: Interpreter
    artifacts: tuple[Artifact, ...]
    lock: str
    age: float = 0.0
    distro: DistroModules | None = None

    @property
    def key(self) -> str:
        """The application's key."""
        return self.name + self.wish.suffix


class Facts(NamedTuple):
    """The snapshot.

    `history` are the records on the way back from the current generation, newest first; `highest` is the
    largest generation number on disk. `entries` maps what `slot` names to the store entry that holds it;
    `shared` an entry's directory to the manual pages, completions and desktop files in it (paths below
    the generation, to paths in the environment). `compiled` are (entry, cache tag) pairs with bytecode.
    `environments` are the directory names in envs/. `foreign` maps a command name to a path on PATH, or in
    our own directory `bin`, that is not ours; `owners` such a path to whose it is. `now` is UTC, ISO 8601.
    """

    basis: str
    data: str
    generation: Generation = EMPTY_GENERATION
    history: tuple[Generation, ...] = ()
    highest: int = 0
    resolutions: tuple[Resolution, ...] = ()
    entries: dict[Slot, StoreEntry] = _NOTHING
    shared: dict[str, dict[str, str]] = _NOTHING
    compiled: frozenset[tuple[str, str]] = frozenset()
    environments: frozenset[str] = frozenset()
    foreign: dict[str, str] = _NOTHING
    owners: dict[str, str] = _NOTHING
    bin: str = ""
    now: str = ""
    user: str = ""
    command: tuple[str, ...] = ()


class Holdings(NamedTuple):
    """What `collect` looks at: everything in the store and who reaches it.

    `generations` maps a number on disk to the environments it names; `environments` a directory to the
    store entries it links; `in_use` are environment and entry directories that a running process uses.
    """

    basis: str
    current: int
    chain: tuple[int, ...]
    generations: dict[int, frozenset[str]]
    environments: dict[str, frozenset[str]]
    entries: frozenset[str]
    in_use: frozenset[str]
