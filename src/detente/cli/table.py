"""Every verb: where it lives, what it does, in which group the overview shows it. Help imports nothing else."""


class Verb:
    """One row; `module` is below `detente.cli.commands`. A NamedTuple's `typing` would cost more than all of help."""

    def __init__(self, module: str, summary: str, group: str) -> None:
        self.module = module
        self.summary = summary
        self.group = group


CHANGE = "Change what is installed"
LOOK = "Look"
BACK = "Go back, tidy up"
SELF = "détente itself"

VERBS: dict[str, Verb] = {
    "install": Verb("install", "install applications, each in an environment of its own", CHANGE),
    "remove": Verb("remove", "remove applications; `collect` then frees their space", CHANGE),
    "run": Verb("run", "run an application, installed or not", CHANGE),
    "list": Verb("list", "what is installed, whoever installed it", LOOK),
    "show": Verb("show", "everything about an application or system package", LOOK),
    "why": Verb("why", "what there is of a name, what is chosen, whose it is, what it hides", LOOK),
    "search": Verb("search", "find a name in the distro, and on the index", LOOK),
    "history": Verb("history", "what was changed, when, by which command", LOOK),
    "rollback": Verb("rollback", "go back to an earlier state, of everything or of one application", BACK),
    "verify": Verb("verify", "find what was damaged, by digests; --repair brings it back", BACK),
    "collect": Verb("collect", "remove from the disk what nothing needs any more", BACK),
    "setup": Verb("setup", "install detente itself as a command on PATH", SELF),
    "paths": Verb("paths", "where things are on the disk", SELF),
}

ALIASES: dict[str, str] = {
    "uninstall": "remove",
    "info": "show",
    "ls": "list",
    "undo": "rollback",
    "gc": "collect",
}

EXAMPLES = (
    ("detente install httpie", "the newest release, in an environment of its own"),
    ("detente list", "what is installed"),
    ("detente rollback", "undo the last change"),
)

# every option of any command by its long name: what the configuration may set at the top
OPTIONS = frozenset(
    (
        *("all", "as", "build-confinement", "build-network", "build-timeout", "color", "commands-from", "dry-run"),
        *("editable", "extra-index-url", "find-links", "force", "from", "index-url", "json", "keep", "no-build"),
        *("offline", "only-binary", "pre", "prefer", "python", "quiet", "repair", "requirement", "undo", "verbose"),
        *("with", "with-distro", "yes"),
    )
)

# words that people bring along from other tools, and what does it here
HABITS: dict[str, str] = {
    "upgrade": "there is no upgrade yet; for the newest: detente remove NAME && detente install NAME",
    "update": "there is no upgrade yet; for the newest: detente remove NAME && detente install NAME",
    "upgrade-all": "there is no upgrade yet; for the newest: detente remove NAME && detente install NAME",
    "outdated": "there is no such list yet; what is installed: detente list",
    "find": "detente search WORD",
    "explain": "detente why NAME",
    "policy": "detente why NAME",
    "which": "detente why COMMAND",
    "whereis": "detente why COMMAND",
    "owns": "detente why FILE",
    "index": "what the index has of it: detente why NAME",
    "inject": "add to an application's environment: detente install APPLICATION --with REQUIREMENT",
    "uninject": "ask for the application afresh: detente remove NAME && detente install NAME",
    "ensurepath": "detente says after an install how its commands get onto PATH",
    "check": "detente verify",
    "repair": "detente verify --repair",
    "freeze": "as JSON: detente list --json",
    "reinstall": "detente remove NAME && detente install NAME",
    "uninstall-all": "name them: detente remove NAME…; the names: detente list",
    "tool": "there is no second word: detente install NAME",
    "venv": "each application has an environment of its own: detente install NAME",
    "autoremove": "detente collect",
    "clean": "detente collect",
    "purge": "detente remove NAME && detente collect",
}

_NEWEST = "there is no upgrade yet; for the newest: detente remove NAME && detente install NAME"
_OWN = "not needed: each application has an environment of its own, below your home"

# options that people bring along
OPTION_HABITS: dict[str, str] = {
    "-U": _NEWEST,
    "--upgrade": _NEWEST,
    "--user": _OWN,
    "--break-system-packages": _OWN,
    "--no-binary": "a wheel is taken where there is one; to build it from source, name that: detente install URL",
    "--target": "where applications go is not chosen; detente paths says where they are",
    "--include-deps": "the commands of one dependency: --commands-from NAME",
}
