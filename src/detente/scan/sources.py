"""Reads where distributions come from: the files pip would read, and what uv is configured with.

uv reads its own files and variables again by itself; they are read here to know which of pip's settings give way to
them, and because our own fetcher needs the same certificates, proxies and credentials.
"""

import contextlib
import os
from collections.abc import Mapping
from typing import Any

from detente.engine.sources import NO_FILE, NOTHING, Sources, file_path, from_pip, layered, merged
from detente.errors import ConfigError

_VARIABLES = {
    "index_url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "certificate": ("SSL_CERT_FILE",),
    "client_certificate": ("SSL_CLIENT_CERT",),
    "keyring": ("UV_KEYRING_PROVIDER",),
    "exclude_newer": ("UV_EXCLUDE_NEWER",),
}
_LIST_VARIABLES = {
    "extra_index_urls": (("UV_INDEX", None), ("UV_EXTRA_INDEX_URL", None)),
    "find_links": (("UV_FIND_LINKS", ","),),
    "insecure_hosts": (("UV_INSECURE_HOST", None),),
    "no_binary": (("UV_NO_BINARY_PACKAGE", None),),
    "only_binary": (("UV_NO_BUILD_PACKAGE", None),),
    "constraints": (("UV_CONSTRAINT", None),),
    "build_constraints": (("UV_BUILD_CONSTRAINT", None),),
}
_TEXT_KEYS = {"index-url": "index_url", "keyring-provider": "keyring", "exclude-newer": "exclude_newer"}
_LIST_KEYS = {
    "extra-index-url": "extra_index_urls",
    "find-links": "find_links",
    "allow-insecure-host": "insecure_hosts",
    "no-binary-package": "no_binary",
    "no-build-package": "only_binary",
    "only-binary": "only_binary",
    "build-constraint-dependencies": "build_constraints",
}
_OVERRIDES = ("override-dependencies", "exclude-dependencies", "dependency-metadata")
_TRUE = frozenset({"1", "true", "yes", "on", "t", "y"})


# What is needed here too; to tell uv again what it knows of these changes nothing (of UV_NO_BUILD and UV_NO_BINARY
# `uv pip` itself takes no notice).
_TRANSPORT = (
    "certificate", "client_certificate", "proxy", "insecure_hosts", "timeout", "retries", "keyring", "overridden",
    "no_binary", "only_binary",
)  # fmt: skip


def read_sources(
    environ: Mapping[str, str], home: str, *, cwd: str = "/", command_line: Sources = NOTHING, root: str = "/"
) -> Sources:
    """Return where distributions come from for the person with `environ` and `home`, who stands in `cwd`.

    `command_line` wins over uv's configuration, that over pip's. Indexes and links that uv reads by itself stay empty
    here; choices of files, certificates, proxies, time limits and logins are the ones that hold. `root` is where
    `/etc` is looked for. Raise ConfigError naming the file and line, or the variable, that cannot be understood.
    """
    pip = from_pip(_pip_files(environ, home, root), {"HOME": home, **environ}, cwd=cwd)
    missing = tuple(link for link in pip.find_links if (path := _local(link)) and not os.path.isdir(path))
    pip = pip._replace(find_links=tuple(link for link in pip.find_links if link not in missing), missing_links=missing)
    uv = _uv(environ, home, root)
    said = {name for name, own, none in zip(Sources._fields, uv, NOTHING, strict=True) if own != none}
    if environ.get("SSL_CERT_DIR"):
        said.add("certificate")
    told = merged(command_line, pip, said)
    if any(url.startswith("http://") for url in (uv.index_url, *uv.extra_index_urls, *uv.find_links)):
        told = told._replace(plain=True)
    logins = tuple((host, *login) for host, login in uv.credentials().items())
    return layered(told, NOTHING._replace(**{name: getattr(uv, name) for name in _TRANSPORT}, logins=logins))


def _local(link: str) -> str:
    """Return the path of a link to this machine, empty for any other."""
    return link if link.startswith("/") else file_path(link)


def _config_home(environ: Mapping[str, str], home: str) -> str:
    value = environ.get("XDG_CONFIG_HOME", "")
    return value if value.startswith("/") else os.path.join(home, ".config")


def _config_dirs(environ: Mapping[str, str], root: str) -> list[str]:
    value = environ.get("XDG_CONFIG_DIRS", "")
    found = [path for path in value.split(":") if path.startswith("/")]
    return found or [os.path.join(root, "etc/xdg")]


def _read(path: str) -> str | None:
    """Return the text of `path`, None where there is no file that we may read."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        data = file.read()
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as err:
            line = data.count(b"\n", 0, err.start) + 1
            raise ConfigError(
                f"{path}, line {line}: not UTF-8", hint=f"see the line: sed -n {line}p {path} | xxd"
            ) from err
    return None


def _pip_files(environ: Mapping[str, str], home: str, root: str) -> list[tuple[str, str]]:
    """Return pip's files that exist as (path, text), the weakest first."""
    chosen = environ.get("PIP_CONFIG_FILE", "")
    if chosen == NO_FILE:
        return []
    paths = [os.path.join(path, "pip/pip.conf") for path in _config_dirs(environ, root)]
    paths.append(os.path.join(root, "etc/pip.conf"))
    if not (chosen and os.path.exists(chosen)):
        paths += [os.path.join(home, ".pip/pip.conf"), os.path.join(_config_home(environ, home), "pip/pip.conf")]
    if chosen:
        paths.append(chosen)
    return [(path, text) for path in paths if (text := _read(path))]


def _uv(environ: Mapping[str, str], home: str, root: str) -> Sources:
    """Return what uv's variables and files say, its variables first."""
    found: dict[str, Any] = {}
    for field, variables in _VARIABLES.items():
        found[field] = next((environ[name] for name in variables if environ.get(name)), "")
    for field, pairs in _LIST_VARIABLES.items():
        words = (word for name, separator in pairs for word in environ.get(name, "").split(separator))
        found[field] = tuple(word.strip() for word in words if word.strip())
    found["extra_index_urls"] = tuple(_unnamed(url) for url in found["extra_index_urls"])
    for variable, field in (("UV_NO_BINARY", "no_binary"), ("UV_NO_BUILD", "only_binary")):
        if environ.get(variable, "").lower() in _TRUE:
            found[field] = (":all:",)
    found["prerelease"] = {"allow": True, "": None}.get(environ.get("UV_PRERELEASE", ""), False)
    found["timeout"] = _number(environ, "UV_HTTP_TIMEOUT", "UV_REQUEST_TIMEOUT", "HTTP_TIMEOUT")
    retries = _number(environ, "UV_HTTP_RETRIES")
    found["retries"] = None if retries is None else int(retries)
    found["overridden"] = True if environ.get("UV_OVERRIDE") or environ.get("UV_EXCLUDE") else None
    tables = [_uv_file(path, environ) for path in _uv_files(environ, home, root)]
    return layered(Sources(**found), *tables)


def _unnamed(index: str) -> str:
    """Return the URL of an index that may be written NAME=URL."""
    name, equals, url = index.partition("=")
    return url if equals and name.replace("-", "").replace("_", "").isalnum() else index


def _number(environ: Mapping[str, str], *names: str) -> float | None:
    for name in names:
        value = environ.get(name)
        if value:
            if not value.isdecimal():
                raise ConfigError(
                    f"the variable {name} is {value!r}, which is not a whole number", hint=f"unset {name}"
                )
            return float(value)
    return None


def _uv_files(environ: Mapping[str, str], home: str, root: str) -> list[str]:
    """Return the files that uv reads, the strongest first."""
    if environ.get("UV_NO_CONFIG", "").lower() in _TRUE:
        return []
    chosen = environ.get("UV_CONFIG_FILE")
    if chosen:
        return [chosen]
    system = [os.path.join(path, "uv/uv.toml") for path in _config_dirs(environ, root)]
    system.append(os.path.join(root, "etc/uv/uv.toml"))
    return [os.path.join(_config_home(environ, home), "uv/uv.toml"), *filter(os.path.isfile, system)][:2]


def _uv_file(path: str, environ: Mapping[str, str]) -> Sources:
    text = _read(path)
    if not text:
        return NOTHING
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"{path}: uv cannot read its configuration", hint="correct it", context=(str(err),)) from err
    pip = table.get("pip")
    own = _from_table(table, environ)
    return layered(_from_table(pip, environ), own) if isinstance(pip, dict) else own


def _from_table(table: Mapping[str, Any], environ: Mapping[str, str]) -> Sources:
    found: dict[str, Any] = {field: str(table[key]) for key, field in _TEXT_KEYS.items() if table.get(key)}
    for key, field in _LIST_KEYS.items():
        value = table.get(key)
        if isinstance(value, list):
            found[field] = tuple(str(word) for word in value)
    for key, field in (("no-binary", "no_binary"), ("no-build", "only_binary")):
        value = table.get(key)
        if value:
            found[field] = tuple(map(str, value)) if isinstance(value, list) else (":all:",)
    if isinstance(table.get("no-index"), bool):
        found["no_index"] = table["no-index"]
    if any(table.get(key) for key in _OVERRIDES):
        found["overridden"] = True
    if table.get("prerelease"):
        found["prerelease"] = table["prerelease"] == "allow"
    proxy = table.get("https-proxy") or table.get("http-proxy")
    if proxy:
        found["proxy"] = str(proxy)
    _indexes(table.get("index"), found, environ)
    return Sources(**found)


def _indexes(value: object, found: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Add uv's `[[index]]` tables to `found`, with the credentials that variables give to named ones."""
    extra: list[str] = []
    for index in value if isinstance(value, list) else ():
        if not isinstance(index, dict) or not isinstance(index.get("url"), str):
            continue
        url = _with_credentials(index["url"], str(index.get("name", "")), environ)
        if index.get("format") == "flat":
            found["find_links"] = (*found.get("find_links", ()), url)
        elif index.get("default"):
            found["index_url"] = url
        else:
            extra.append(url)
    if extra:
        found["extra_index_urls"] = (*extra, *found.get("extra_index_urls", ()))


def _with_credentials(url: str, name: str, environ: Mapping[str, str]) -> str:
    label = "".join(letter if letter.isalnum() else "_" for letter in name.upper())
    user, password = environ.get(f"UV_INDEX_{label}_USERNAME", ""), environ.get(f"UV_INDEX_{label}_PASSWORD", "")
    scheme, separator, rest = url.partition("://")
    if not label or not (user or password) or not separator or "@" in rest.split("/", 1)[0]:
        return url
    from urllib.parse import quote

    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"
