"""What every backend offers: the words of system packages, commands for the package manager, parsers of its answers.

A backend is a module; nothing runs in it. Each query takes many names, because each call costs tens of milliseconds:
`scan.system` runs them and remembers what they said.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from detente.errors import DetenteError
from detente.model import Command, Completed

RELEASE, UPDATES, SECURITY, BACKPORTS, THIRD_PARTY, LOCAL = (
    "release", "updates", "security", "backports", "third-party", "local"
)  # fmt: skip
"""The kinds of origin. `local`: no index has this version, it is only installed."""

SAME, OTHER, ABSENT, UNPROVED = "same", "other", "absent", "unproved"
"""What is known of the name on the index: the same project; another project of that name; no project of that name;
recorded by the distro, and nothing shows that the two are one."""


class Release(NamedTuple):
    """A release of a distro: `debian`, `12`, `bookworm`, "Debian 12"; `python` is its own minor version, `3.11`.

    `root` is where its files lie ("" for this machine), `cache` where a table of its own may be kept ("": nowhere).
    """

    distro: str
    version: str
    codename: str
    title: str
    python: str = ""
    root: str = ""
    cache: str = ""


class Origin(NamedTuple):
    """Where a version is offered: `bookworm-security`, `main`, and who answers for it (`Debian`)."""

    kind: str
    archive: str
    component: str
    vendor: str


class Version(NamedTuple):
    """One version of a system package, in the package manager's spelling, and everywhere that offers it."""

    text: str
    origins: tuple[Origin, ...] = ()


class Candidate(NamedTuple):
    """What the package manager would install: "" for `installed` or `candidate` where there is none.

    `versions` are all that are known, newest first. Sizes are in bytes, 0 where not known: `size` once installed,
    `download` of the archive. `held`: the person told the package manager to leave it.
    """

    package: str
    installed: str
    candidate: str
    versions: tuple[Version, ...] = ()
    held: bool = False
    size: int = 0
    download: int = 0


class Installed(NamedTuple):
    """A system package that is on the machine, as far as Python is concerned.

    `state` is dpkg's third word (`installed`, `half-installed`, `unpacked` …). `manual`: a person asked for it, no
    other package brought it. `size` is in bytes. `distributions` maps the normalized names of those whose metadata it
    has to their recorded versions; `commands` are the paths of its programs, `modules` the names that it lets import.
    """

    package: str
    version: str
    architecture: str
    source: str
    state: str
    manual: bool
    held: bool
    size: int
    distributions: dict[str, str]
    commands: tuple[str, ...]
    modules: tuple[str, ...]


class Known(NamedTuple):
    """What the table of a release says of one distribution.

    `package` has its metadata; `application` is the system package that has its commands ("" where none has), often
    the same. `identity` says how sure it is that the index means the same project. `recorded` is the package's version
    when the table was made, `exception` the version that its metadata then had where `distro.versions.upstream` of
    `recorded` would be wrong ("?" where nobody can tell).
    """

    name: str
    package: str
    application: str = ""
    commands: tuple[str, ...] = ()
    identity: str = UNPROVED
    recorded: str = ""
    exception: str = ""


class Offer(NamedTuple):
    """What the distro has of one distribution: for its application where it has commands, else for its module.

    `package` is the system package to install (`known.application` or `known.package`); `installed` and `candidate`
    are its facts. `upstream_installed` and `upstream_candidate` are PEP 440 versions, "" where not known.
    """

    known: Known
    package: str
    installed: Installed | None
    candidate: Candidate | None
    upstream_installed: str = ""
    upstream_candidate: str = ""


class Change(NamedTuple):
    """One line of a simulation: versions are "" where there is none before or after."""

    package: str
    before: str
    after: str
    origin: str = ""


class Simulation(NamedTuple):
    """What the package manager would do: `changes` in its order, `download` and `disk` in bytes where it says so."""

    changes: tuple[Change, ...]
    download: int = 0
    disk: int = 0


class Backend(Protocol):
    """The contract of a backend module. `root` is "" for this machine, else the path of another root file system."""

    QUERY: str
    """Absolute path of the program that answers; its presence says that the distro is of this family."""

    OWN_CACHE: str
    """Absolute path of what the package manager keeps so as to answer quickly; "" where it needs no such file."""

    def owners(self, paths: Sequence[str]) -> Command:
        """Return the command that asks which system package owns each of `paths`."""
        ...

    def parse_owners(self, text: str, paths: Sequence[str]) -> Mapping[str, str]:
        """Return path to system package for those of `paths` that the answer `text` names."""
        ...

    def candidates(self, packages: Sequence[str], root: str = "") -> Command:
        """Return the command that asks for the versions of `packages`, all at once."""
        ...

    def parse_candidates(self, text: str, origins: Mapping[str, Origin]) -> dict[str, Candidate]:
        """Return package to its versions; those that the package manager does not know are left out."""
        ...

    def origins(self, root: str = "") -> Command | None:
        """Return the command that asks where `parse_candidates`' origins belong; None where it need not be told."""
        ...

    def parse_origins(self, text: str) -> dict[str, Origin]:
        """Return the origins by the words that name them beside a version."""
        ...

    def sizes(self, packages: Sequence[str], root: str = "") -> Command | None:
        """Return the command that asks for the sizes of `packages`; None where `parse_candidates` reads them."""
        ...

    def parse_sizes(self, text: str) -> dict[tuple[str, str], tuple[int, int]]:
        """Return package and version to its sizes in bytes: installed, and of the archive."""
        ...

    def descriptions(self, words: Sequence[str], root: str = "") -> Command:
        """Return the command that asks for the system packages whose name or description has all of `words`."""
        ...

    def parse_descriptions(self, text: str) -> dict[str, str]:
        """Return system package to its one-line description."""
        ...

    def split(self, packages: Sequence[str]) -> Iterator[list[str]]:
        """Yield `packages` in parts that fit a command line."""
        ...

    def faster(self, command: Command, place: str) -> Command:
        """Return the query `command` with what OWN_CACHE would be kept in the new file `place`."""
        ...

    def simulate(self, packages: Sequence[str], root: str = "") -> Command:
        """Return the command that says, without privileges, what installing `packages` would do."""
        ...

    def parse_simulation(self, text: str) -> Simulation:
        """Return the changes that it names."""
        ...

    def install(self, packages: Sequence[str], *, removes: bool, interactive: bool) -> Command:
        """Return the command that installs `packages`; `removes`: it was agreed that others go for it."""
        ...

    def complaint(self, answer: Completed) -> DetenteError:
        """Return the error that a failed command means, with what to do next."""
        ...
