"""Where things lie (XDG Base Directory Specification 0.8; user scope)."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from detente.errors import ConfigError, Refused


class Paths(NamedTuple):
    """The directories of one scope, absolute, none created here."""

    home: str
    data: str
    store: str
    builds: str
    environments: str
    generations: str
    current: str
    share: str
    bin: str
    state: str
    config: str
    cache: str


def user_paths(environ: Mapping[str, str]) -> Paths:
    """Return the user scope's directories; raise ConfigError where HOME is missing or relative.

    XDG variables that are not absolute are ignored, as the specification asks.
    """
    home = environ.get("HOME", "")
    if not home.startswith("/"):
        msg = "HOME is not set to an absolute path" if home else "HOME is not set"
        raise ConfigError(msg, hint="set HOME to your home directory: export HOME=/home/NAME")
    home = home.rstrip("/") or "/"

    def base(variable: str, default: str) -> str:
        value = environ.get(variable, "")
        return value.rstrip("/") or "/" if value.startswith("/") else os.path.join(home, default)

    share = base("XDG_DATA_HOME", ".local/share")
    data = os.path.join(share, "detente")
    return Paths(
        home=home,
        data=data,
        store=os.path.join(data, "store"),
        builds=os.path.join(data, "builds"),
        environments=os.path.join(data, "envs"),
        generations=os.path.join(data, "generations"),
        current=os.path.join(data, "current"),
        share=share,
        bin=base("XDG_BIN_HOME", ".local/bin"),
        state=os.path.join(base("XDG_STATE_HOME", ".local/state"), "detente"),
        config=os.path.join(base("XDG_CONFIG_HOME", ".config"), "detente"),
        cache=os.path.join(base("XDG_CACHE_HOME", ".cache"), "detente"),
    )


def is_anothers(path: str) -> bool:
    """Say whether we are root, and `path`, or the directory that it would be made in, is another person's.

    What root makes there, that person cannot change any more.
    """
    if os.geteuid() != 0:
        return False
    while len(path) > 1 and not os.path.lexists(path):
        path = os.path.dirname(path)
    try:
        return os.lstat(path).st_uid != 0
    except OSError:
        return False


def check_owner(paths: Paths) -> None:
    """Raise Refused where we are root and the home is someone else's: root's files there would break it for them."""
    try:
        owner = os.stat(paths.home).st_uid
    except FileNotFoundError:
        return
    if os.geteuid() != 0 or owner == 0:
        return
    import pwd

    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"user {owner}"
    raise Refused(
        f"this runs as root, but HOME is {paths.home}, which belongs to {name}",
        hint="run it without sudo: detente needs no root for what one person uses",
    )
