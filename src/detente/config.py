"""The configuration: `config.toml` of the person, then of the machine. Keys are the long options' names.

A key at the top goes for every command that has the option; one in a table named as a verb for that verb.
"""

import functools
import os
from collections.abc import Collection, Container, Mapping
from typing import Any

from detente.errors import ConfigError
from detente.names import is_name, normalized

MACHINE = "/etc/detente/config.toml"
_TABLES = "a table is named as a command, or [from]; detente --help lists the commands"


def value(environ: Mapping[str, str], verb: str, name: str) -> tuple[Any, str]:
    """Return what the configuration says of option `name` for `verb`, and where; (None, "") where nothing."""
    for path in files(environ):
        table = _read(path)
        own = table.get(verb)
        for place in (own if isinstance(own, dict) else {}, table):
            if name in place and not isinstance(place[name], dict):
                return place[name], f"`{name}` in {path}"
    return None, ""


def check(environ: Mapping[str, str], verb: str, known: Container[str]) -> None:
    """Raise ConfigError where a table for `verb` has a key that is none of the options `known`."""
    for path in files(environ):
        table = _read(path).get(verb, {})
        for key in table if isinstance(table, dict) else ():
            if key not in known:
                raise ConfigError(
                    f"{path} has `{key}` in [{verb}], and detente {verb} has no such option",
                    hint=f"detente {verb} --help lists the options",
                )


def check_top(environ: Mapping[str, str], verbs: Container[str], options: Collection[str]) -> None:
    """Raise ConfigError for a key at the top that no command has as an option, and for a table of no command's."""
    for path in files(environ):
        for key, said in _read(path).items():
            if isinstance(said, dict):
                if key not in verbs and key != "from":
                    raise ConfigError(f"{path} has a table [{key}], and detente has no such command", hint=_TABLES)
            elif key not in options and key != "distro":
                from difflib import get_close_matches

                near = get_close_matches(key, [*options, "distro"], 1)
                raise ConfigError(
                    f"{path} has `{key}`, and no command has such an option",
                    hint=f"did you mean `{near[0]}`" if near else "detente COMMAND --help lists the options",
                )


def ways(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the tables `[from]` say: a distribution's normalized name to `distro` or `index`.

    The person's file wins for each name. Raise ConfigError for what is no name, or no way.
    """
    found: dict[str, str] = {}
    for path in files(environ):
        table = _read(path).get("from")
        said: dict[str, str] = {}
        for name, way in table.items() if isinstance(table, dict) else ():
            where = f"`{name}` in [from] of {path}"
            if not is_name(name):
                raise ConfigError(f"{where} is no name of a distribution", hint='write it as in: httpie = "distro"')
            if way not in ("distro", "index"):
                raise ConfigError(f"{where} cannot be `{way}`", hint='write "distro" or "index"')
            if said.setdefault(normalized(name), way) != way:
                raise ConfigError(f"{where} says {way}, and another spelling of it does not", hint="keep one of them")
        found = {**said, **found}
    return found


def files(environ: Mapping[str, str]) -> list[str]:
    """Return the configuration files there are, the one that wins first."""
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", "/"), ".config")
    return [path for path in (os.path.join(home, "detente", "config.toml"), MACHINE) if os.path.exists(path)]


@functools.cache
def _read(path: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path} cannot be read: {err}", hint="mend the file, or move it away") from err
