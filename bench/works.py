"""What is measured: each work's title, and exactly what happens in it, as the page says it."""

from typing import NamedTuple

TITLES = {
    "detente": "détente",
    "uv": "uv",
    "uv-compiled": "uv, compiled",
    "pipx-uv": "pipx (uv)",
    "pipx": "pipx (pip)",
    "script": "plain script",
    "python": "bare Python",
    "apt": "apt",
}


class Work(NamedTuple):
    """`beside` is the work of the peers that it is compared with, where that has another key."""

    key: str
    title: str
    what: str
    beside: str = ""


INSTALLING = (
    Work(
        "cold-run",
        "Cold, until the command has run",
        "The home is empty: no cache, no store. The application is installed from the index; as soon as its command "
        "is there it is run with `--version`, and the time is that until its end. What the install does after "
        "that (détente compiles) goes on meanwhile.",
    ),
    Work(
        "cold",
        "Cold, the install alone",
        "The whole install of the same trials, until it ends: of détente all bytecode included.",
    ),
    Work(
        "warm",
        "Warm, without network",
        "The application was installed before. Everything in the home is deleted but caches and store: of détente "
        "`~/.cache`, `store`, its witnesses and `builds` stay, and generations, environments, links outside and the "
        "kept answers of the engine go (so the requirements are resolved anew, as uv does); of the peers `~/.cache` "
        "stays. Then it is installed with the network forbidden. Bytecode is part of détente's store, and of what *uv, "
        "compiled* makes. pipx with pip cannot install from its cache without network.",
    ),
    Work(
        "kept",
        "Warm, without network, with the engine's answer kept",
        "The same, but détente still has what the same question was answered before, and uses it as `--offline` lets "
        "it. The peers' times are those of the table above.",
        beside="warm",
    ),
    Work("online", "Warm, with the index", "As *warm, without network*, but with the index to ask."),
    Work("first", "First run", "The command with `--version`, for the first time after the warm install."),
    Work("later", "Later run", "The same once more."),
    Work("again", "Install what is installed", "The same install again: there is nothing to do."),
    Work("remove", "Remove", "The application is removed."),
)
SIZES = (
    Work(
        "installed",
        "All but caches",
        "What lies in the home after a warm install and before the first run: of détente store, environments, "
        "generations and links; of the peers their environments. The pip that pipx shares is not counted.",
    ),
    Work("environments", "Without store and caches", "What an application adds to what is shared."),
    Work("whole", "With caches", "The whole home. uv links its environments' files to its cache, hard."),
)
STARTING = (
    Work("version", "`--version`", ""),
    Work("help", "`--help` (uv: of `uv tool`)", ""),
    Work("typo", "a typo: `instal`", ""),
    Work("list", "`list`", ""),
    Work("show", "`show NAME`", ""),
    Work("history", "`history`", ""),
)
LAUNCHING = (
    Work("bare", "bare interpreter", ""),
    Work("launch", "a small command", ""),
)
HISTORY = (
    Work("change", "change one application to another version", ""),
    Work("back", "back to the version before (peers: install it again)", ""),
    Work("back-long", "`rollback` with all generations", ""),
    Work("switch-long", "`rollback NUMBER` with all generations", ""),
    Work("history-long", "`history` with all generations", ""),
    Work("list-long", "`list` with all generations", ""),
    Work("collect", "`collect` of all but ten", ""),
)
LOOKING = (
    Work("list-first", "`list`, nothing remembered", ""),
    Work("list-again", "`list`, remembered", ""),
    Work("why-first", "`why httpie`, nothing remembered, the index asked", ""),
    Work("why-again", "`why httpie`, remembered", ""),
    Work("policy", "`apt-cache policy httpie`", ""),
)
ALL = (*INSTALLING, *STARTING, *LAUNCHING, *LOOKING, *HISTORY)
