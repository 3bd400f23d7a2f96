"""The tools that are compared: how each is told to do the same work, and what each keeps for the next time.

Each trial has a home of its own, in which nothing is configured. What is passed on from the person's environment is
only how to reach the index: without that nobody could fetch anything.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from bench.record import OURS
from bench.timing import Call

PYTHON = "/usr/bin/python3"
_PASSED = (
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT", "PIP_INDEX_URL", "UV_DEFAULT_INDEX"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)


def environ(home: Path) -> dict[str, str]:
    """Return what a program is told that runs for the person whose home is `home`."""
    told = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return told | {"HOME": str(home), "PATH": f"{home}/.local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Tool:
    """One tool, in one way of using it.

    `program` and `words` begin each command line, `options` are those of an install, `told` are variables it always
    gets. `offline` names variables that keep it from the network, `links` those that show it a directory of wheels,
    `alone` those that let it look nowhere else. `exposing` are the options for a command that a dependency has, which
    `{}` stands for. `environments` and `store` are where it has them below a home; `warm` is what stays of the home
    before a warm install. Of a `slow` one there are fewer rounds.
    """

    key: str
    program: str
    environments: str
    words: tuple[str, ...] = ()
    warm: tuple[str, ...] = (".cache",)
    store: tuple[str, ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    offline: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    exposing: tuple[str, ...] = ()
    slow: bool = False

    def call(self, home: Path, *words: str, offline: bool = False, links: Path | None = None) -> Call:
        """Return the command line with `words` for the person whose home is `home`."""
        told = environ(home) | dict(self.told)
        if offline:
            told |= dict.fromkeys(self.offline, "1")
        if links is not None:
            told |= dict.fromkeys(self.links, str(links)) | dict.fromkeys(self.alone, "1")
        return Call([self.program, *self.words, *words], told, home)

    def install(self, home: Path, *requirements: str, offline: bool = False, links: Path | None = None) -> Call:
        """Return the command line that installs applications (uv: one at a time)."""
        return self.call(home, "install", *self.options, *requirements, offline=offline, links=links)

    def remove(self, home: Path, name: str) -> Call:
        """Return the command line that removes an application."""
        return self.call(home, "remove" if self.key == OURS else "uninstall", name)

    def listing(self, home: Path) -> Call:
        """Return the command line that says what is installed."""
        return self.call(home, "list")

    def sites(self, home: Path) -> list[Path]:
        """Return the site-packages of all environments in `home`."""
        return sorted((home / self.environments).glob("*/lib/python*/site-packages"))

    def distributions(self, home: Path) -> set[str]:
        """Return what is installed in `home`: names and versions, as their directories spell them."""
        found = (path.name for site in self.sites(home) for path in site.glob("*.dist-info"))
        return {name.removesuffix(".dist-info").lower() for name in found}


@dataclass(frozen=True)
class Programs:
    """Where the programs are; `shared` is where pipx keeps the pip that all its environments use."""

    detente: str
    uv: str
    pipx: str
    shared: Path


def tools(programs: Programs) -> dict[str, Tool]:
    """Return all tools by their keys."""
    python = ("--python", PYTHON)
    ours = Tool(
        OURS,
        programs.detente,
        warm=(".cache", *(f".local/share/detente/{name}" for name in ("store", "builds", "witnesses/store"))),
        environments=".local/share/detente/envs",
        store=(".local/share/detente/store",),
        told=(("DETENTE_UV", programs.uv),),  # the same engine as the peer
        offline=("DETENTE_OFFLINE",),
        links=("DETENTE_FIND_LINKS",),
        alone=("DETENTE_OFFLINE",),
        exposing=("--commands-from", "{}"),
    )
    uv = Tool(
        "uv",
        programs.uv,
        words=("tool",),
        environments=".local/share/uv/tools",
        offline=("UV_OFFLINE",),
        links=("UV_FIND_LINKS",),
        alone=("UV_NO_INDEX",),
        options=python,
        exposing=("--with-executables-from", "{}"),
    )
    shared = ("PIPX_SHARED_LIBS", str(programs.shared))
    pipx_uv = Tool(
        "pipx-uv",
        programs.pipx,
        environments=".local/share/pipx/venvs",
        told=(shared, ("PIPX_DEFAULT_BACKEND", "uv")),
        offline=("UV_OFFLINE",),
        links=("UV_FIND_LINKS",),
        alone=("UV_NO_INDEX",),
        options=python,
        exposing=("--include-deps",),
    )
    pipx = Tool(
        "pipx",
        programs.pipx,
        environments=".local/share/pipx/venvs",
        told=(shared, ("PIPX_DEFAULT_BACKEND", "pip")),
        links=("PIP_FIND_LINKS",),
        alone=("PIP_NO_INDEX",),
        options=python,
        exposing=("--include-deps",),
        slow=True,
    )
    compiled = replace(uv, key="uv-compiled", options=(*python, "--compile-bytecode"), slow=True)
    return {tool.key: tool for tool in (ours, uv, compiled, pipx_uv, pipx)}
