"""Where distributions come from, as pip's configuration and the command line say it. Pure.

pip's rules are kept: later files win over earlier ones, `[global]` gives way to the section of the command, variables
win over files, an empty value says nothing, and the two lists of formats add up instead of replacing each other.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from detente.errors import ConfigError
from detente.names import normalized

NO_FILE = "/dev/null"
_PATIENCE = 22.0
_TRIES = 3
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/@\s?#]*)@([^/\s?#]*)")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Sources(NamedTuple):
    """Where distributions come from. An empty string or tuple and None all mean "nothing said".

    `index_url`, `extra_index_urls` and `find_links` may carry credentials: never show them, see `without_credentials`.
    `keyring` is `subprocess`, `disabled` or empty. `no_binary` and `only_binary` hold normalized names or `:all:`.
    `constraints` and `build_constraints` are requirement files. `exclude_newer` is a date or a duration.
    `logins` are (host, name, password) of indexes that uv knows by itself; `missing_links` those of pip's find-links
    that do not exist (pip warns and goes on, uv would stop). `overridden`: uv is told to take other requirements than
    the distributions' own; `plain`: uv knows by itself of an index without encryption.
    """

    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool | None = None
    certificate: str = ""
    client_certificate: str = ""
    proxy: str = ""
    insecure_hosts: tuple[str, ...] = ()
    timeout: float | None = None
    retries: int | None = None
    keyring: str = ""
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    prerelease: bool | None = None
    constraints: tuple[str, ...] = ()
    build_constraints: tuple[str, ...] = ()
    exclude_newer: str = ""
    logins: tuple[tuple[str, str, str], ...] = ()
    missing_links: tuple[str, ...] = ()
    overridden: bool | None = None
    plain: bool | None = None

    @property
    def patience(self) -> float:
        """How many seconds servers may send nothing before we give up, all tries together."""
        return _PATIENCE if self.timeout is None else max(_PATIENCE, _TRIES * self.timeout)

    def credentials(self) -> dict[str, tuple[str, str]]:
        """Return host (with its port where it is written) → name and password, from the URLs and `logins`."""
        found = {host: (name, password) for host, name, password in self.logins}
        for url in (self.index_url, *self.extra_index_urls, *self.find_links):
            login = login_of(url)
            if login and (login[2] or login[0] not in found):
                found[login[0]] = login[1:]
        return found


NOTHING = Sources()


def merged(command_line: Sources, pip: Sources, uv_says: Iterable[str]) -> Sources:
    """Return what to tell uv: the command line, and pip's settings for what neither it nor uv's configuration says.

    `uv_says` names the fields that uv reads by itself; they stay empty here. An index that the command line or uv's
    configuration names also ends pip's `no-index`.
    """
    said = set(uv_says)
    if "index_url" in said or command_line.index_url:
        said.add("no_index")
    return layered(command_line, pip._replace(**{name: getattr(NOTHING, name) for name in said}))


def layered(first: Sources, *others: Sources) -> Sources:
    """Return the settings of `first`, and for each that it does not say, that of the next of `others` that does."""
    for other in others:
        silent = [name for name, value in zip(Sources._fields, first, strict=True) if _says_nothing(value)]
        first = first._replace(**{name: getattr(other, name) for name in silent})
    return first


def _says_nothing(value: object) -> bool:
    return value is None or value in ("", ())


def without_credentials(text: str) -> str:
    """Return `text` with the name and password of every URL in it removed."""
    return _USERINFO.sub(r"\1\3", text)


def login_of(url: str) -> tuple[str, str, str] | None:
    """Return host, name and password of a URL that carries credentials, decoded; None for any other."""
    match = _USERINFO.match(url)
    if match is None:
        return None
    from urllib.parse import unquote

    name, _, password = match[2].partition(":")
    return match[3].lower(), unquote(name), unquote(password)


def file_path(url: str) -> str:
    """Return the absolute path that a `file:` URL means, odd bytes kept; empty for any other URL."""
    if not url.startswith("file:"):
        return ""
    from urllib.parse import unquote

    rest = re.split(r"[?#]", url.removeprefix("file:"), maxsplit=1)[0]
    if rest.startswith("//"):
        rest = "/" + rest[2:].partition("/")[2]
    return posixpath.normpath(posixpath.join("/", unquote(rest, errors="surrogateescape")))


def from_pip(
    files: Sequence[tuple[str, str]], environ: Mapping[str, str], *, cwd: str = "/", command: str = "install"
) -> Sources:
    """Return what pip would use: `files` are (path, text), the weakest first; `environ` holds its PIP_ variables.

    Relative paths count from `cwd`, as for pip. Raise ConfigError naming file and line, or the variable, for what
    cannot be understood. Settings that do not say where distributions come from are passed over.
    """
    if environ.get("PIP_CONFIG_FILE") == NO_FILE:
        files = ()
    sections: dict[tuple[str, str], _Setting] = {}
    for path, text in files:
        sections.update(_parsed(path, text))
    order = [setting for (section, _), setting in sections.items() if section == "global"]
    order += [setting for (section, _), setting in sections.items() if section == command]
    for variable, value in environ.items():
        if variable.startswith("PIP_"):
            order.append(_Setting(_key(variable[4:]), value, f"the variable {variable}"))
    reader = _Reader(environ.get("HOME", ""), cwd)
    for setting in order:
        if setting.value:
            reader.take(setting)
    return reader.sources(environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or "")


class _Setting(NamedTuple):
    key: str
    value: str
    where: str


def _key(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def _parsed(path: str, text: str) -> dict[tuple[str, str], _Setting]:
    import configparser

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text, path)
    except configparser.Error as err:
        errors = getattr(err, "errors", None)
        line = errors[0][0] if errors else getattr(err, "lineno", None)
        where = f"{path}, line {line}" if line else path
        raise ConfigError(
            f"{where}: not a configuration file that pip can read",
            hint="correct that line, or leave the file out once: PIP_CONFIG_FILE=/dev/null detente …",
            context=(without_credentials(str(err)).replace("\n", " "),),
        ) from err
    found: dict[tuple[str, str], _Setting] = {}
    for section in parser.sections():
        for name, value in parser.items(section):
            where = f"{path}, line {_line(text, section, name)}"
            found[section, _key(name)] = _Setting(_key(name), value or "", where)
    return found


def _line(text: str, section: str, name: str) -> int:
    """Return the number of the line that sets `name` in `section`, 1 where it cannot be told."""
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("[") and bare.endswith("]"):
            inside = bare[1:-1]
        elif inside in (section, "DEFAULT") and re.split(r"[=:]", bare, maxsplit=1)[0].strip().lower() == name:
            return number
    return 1


_Value = TypeVar("_Value", int, float)


class _Reader:
    """Takes settings one by one, the weakest first, and keeps what they add up to."""

    def __init__(self, home: str, cwd: str) -> None:
        self.home = home
        self.cwd = cwd
        self.found: dict[str, object] = {}
        self.formats: dict[str, set[str]] = {"no_binary": set(), "only_binary": set()}

    def take(self, setting: _Setting) -> None:
        """Keep one setting, or raise ConfigError where its value cannot be understood."""
        key, value = setting.key, setting.value.strip()
        if key in _TEXTS:
            self.found[_TEXTS[key]] = value
        elif key in _PATHS:
            self.found[_PATHS[key]] = self.absolute(value)
        elif key in _LISTS:
            self.found[_LISTS[key]] = tuple(value.split())
        elif key in _PATH_LISTS:
            self.found[_PATH_LISTS[key]] = tuple(self.location(word) for word in value.split())
        elif key in _SWITCHES:
            self.found[_SWITCHES[key]] = _boolean(setting)
        elif key in ("timeout", "default-timeout"):
            self.found["timeout"] = _number(setting, float)
        elif key == "retries":
            self.found["retries"] = _number(setting, int)
        elif key == "keyring-provider":
            provider = {"import": "subprocess", "subprocess": "subprocess", "disabled": "disabled"}.get(value, "")
            self.found["keyring"] = provider
        elif key in ("no-binary", "only-binary"):
            self.choose(key.replace("-", "_"), value)

    def choose(self, own: str, value: str) -> None:
        """Add names to one list of formats and take them from the other; `:none:` empties, `:all:` stands alone."""
        target, other = self.formats[own], self.formats["only_binary" if own == "no_binary" else "no_binary"]
        for word in re.split(r"[\s,]+", value.strip(" ,\n")):
            if word == ":none:":
                target.clear()
            elif word == ":all:":
                target.clear()
                target.add(":all:")
                other.clear()
            elif word:
                name = normalized(word)
                target.add(name)
                other.discard(name)

    def location(self, text: str) -> str:
        """Return a URL as it is, and a path made absolute."""
        return text if _URL.match(text) else self.absolute(text)

    def absolute(self, path: str) -> str:
        """Return `path` with a leading `~` expanded, counted from the person's directory."""
        if path == "~" or path.startswith("~/"):
            path = self.home + path[1:]
        return posixpath.normpath(posixpath.join(self.cwd, path))

    def sources(self, bundle: str) -> Sources:
        """Return all that was taken; `bundle` is the certificate file where no setting names one."""
        index = self.found.get("index_url")
        if isinstance(index, str) and index.startswith(("/", "./", "../", "~")):
            self.found["index_url"] = self.absolute(index)
        if bundle:
            self.found.setdefault("certificate", bundle)
        return Sources(
            **self.found,  # type: ignore[arg-type]
            no_binary=tuple(sorted(self.formats["no_binary"])),
            only_binary=tuple(sorted(self.formats["only_binary"])),
        )


def _boolean(setting: _Setting) -> bool:
    word = setting.value.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ConfigError(
        f"{setting.where}: {setting.key} is {setting.value!r}, which is neither yes nor no",
        hint=f"write {setting.key} = true or {setting.key} = false",
    )


def _number(setting: _Setting, kind: type[_Value]) -> _Value:
    try:
        number = kind(setting.value)
    except ValueError:
        number = kind(-1)
    if not 0 <= number < 1e9:
        raise ConfigError(
            f"{setting.where}: {setting.key} is {setting.value!r}, which is not a number",
            hint=f"write a number, for example {setting.key} = 15",
        )
    return number


_TEXTS = {"index-url": "index_url", "pypi-url": "index_url", "proxy": "proxy", "uploaded-prior-to": "exclude_newer"}
_PATHS = {"cert": "certificate", "client-cert": "client_certificate"}
_LISTS = {"extra-index-url": "extra_index_urls", "trusted-host": "insecure_hosts"}
_PATH_LISTS = {"find-links": "find_links", "constraint": "constraints", "build-constraint": "build_constraints"}
_SWITCHES = {"no-index": "no_index", "pre": "prerelease"}
