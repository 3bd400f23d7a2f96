"""The records that pass between modules. Plain values: no behaviour that touches the machine."""

from typing import NamedTuple


class Command(NamedTuple):
    """A program to run: what `host.proc` takes.

    `environment` replaces the child's whole environment when given; `stdin` is fed as UTF-8.
    `timeout` is in seconds, None for no limit.
    """

    argv: tuple[str, ...]
    environment: dict[str, str] | None = None
    cwd: str | None = None
    stdin: str | None = None
    timeout: float | None = None


class Completed(NamedTuple):
    """What a program answered."""

    returncode: int
    stdout: str
    stderr: str


class Interpreter(NamedTuple):
    """One Python executable.

    `path` is versioned where the machine has such a name (`/usr/bin/python3.11`); `version` is `3.11.2`;
    `cache_tag` names its bytecode (`cpython-311`, PEP 3147); `site` is site-packages relative to an
    environment's prefix (`lib/python3.11/site-packages`); `platform` is sysconfig's platform tag.
    """

    path: str
    version: str
    implementation: str
    cache_tag: str
    site: str
    platform: str

    @property
    def minor(self) -> tuple[int, int]:
        """The pair that decides whether compiled modules fit, for example (3, 11)."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


class Artifact(NamedTuple):
    """One file or source tree that a lock names.

    `kind` is `wheel`, `sdist`, `archive` (direct URL to a source archive), `directory` or `vcs`.
    `location` is a URL, or an absolute path for local files and directories.
    `sha256` is the hex digest of the file; empty for directories and VCS trees.
    `size` is in bytes, 0 where the index does not say. `commit` is the full VCS revision.
    """

    kind: str
    name: str
    version: str
    location: str
    filename: str = ""
    sha256: str = ""
    size: int = 0
    commit: str = ""
    subdirectory: str = ""
    editable: bool = False


class StoreEntry(NamedTuple):
    """What `entry.json` of a store entry says (`store.wheels.admit` writes it).

    `directory` is the entry's name in the store. `commands` maps a console or GUI script to its
    `module:attribute`; `scripts` maps a file of the wheel's scripts scheme to True where it is a Python
    script whose first line must name the environment's interpreter. `startup` maps a file that runs code at
    every interpreter start (`.pth` with code, sitecustomize, usercustomize) to the SHA-256 of its bytes.
    `real` says why the entry cannot live behind a link, or is empty. `data` says whether a data scheme exists.
    """

    directory: str
    name: str
    version: str
    tag: str
    sha256: str
    commands: dict[str, str]
    scripts: dict[str, bool]
    startup: dict[str, str]
    real: str
    data: bool
    files: int
    size: int


class Wish(NamedTuple):
    """What a person asked for about one application; kept so that no later command forgets a choice.

    `requirement` is PEP 508 text, or an absolute path or URL. `python` is the wish as typed, None for the
    distro's own. `added` are the requirements of `--with`; `commands_from` the distributions whose commands
    are exposed besides its own. `only_binary` are the words of `--only-binary`, in their order. `with_distro` are
    modules of the distro's Python, by the names they are imported by, or system packages that have some.
    """

    requirement: str
    added: tuple[str, ...] = ()
    python: str | None = None
    suffix: str = ""
    prerelease: bool = False
    editable: bool = False
    commands_from: tuple[str, ...] = ()
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    with_distro: tuple[str, ...] = ()


class DistroModules(NamedTuple):
    """What an environment has from the distro's Python, and shows behind its own modules.

    `names` are what was asked for. `packages` maps each system package that has it, or that it needs, to its version
    when the links were made; `python` is the distro's own minor version, `3.11`. `links` maps a path below the
    environment's `distro` directory to where it leads.
    """

    names: tuple[str, ...]
    packages: dict[str, str]
    python: str
    links: dict[str, str]


class BuildPolicy(NamedTuple):
    """What code that builds sources may do: how it is confined (`host.confine`), for how many minutes it may run."""

    confinement: str = "auto"
    network: bool = False
    minutes: int = 60


CONFINED = BuildPolicy()


class Application(NamedTuple):
    """One application of a generation.

    `commands` maps an exposed name to a path inside the environment; `files` maps a path below the
    generation (`share/man/man1/x.1`) to one inside the environment. `startup` are the accepted start-up files
    (name to SHA-256). `since` is the generation in which this very state was made.
    """

    name: str
    version: str
    wish: Wish
    python: str
    interpreter: str
    environment: str
    commands: dict[str, str]
    files: dict[str, str]
    startup: dict[str, str]
    since: int

    @property
    def key(self) -> str:
        """What the person calls it: the name with its suffix."""
        return self.name + self.wish.suffix


class Generation(NamedTuple):
    """A numbered, immutable state of a profile. Number 0 is the empty beginning and is never on disk.

    `parent` is the generation that was current before; `origin` the one whose content this is (its own
    number unless a rollback made it). `time` is UTC, ISO 8601. `applications` is keyed by `Application.key`.
    """

    number: int
    parent: int
    origin: int
    time: str
    user: str
    command: tuple[str, ...]
    applications: dict[str, Application]


EMPTY_GENERATION = Generation(0, 0, 0, "", "", (), {})
