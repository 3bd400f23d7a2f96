"""Which distro this is (os-release(5)), and whether a backend of ours knows its package manager."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from detente import config
from detente.distro.base import Release
from detente.errors import ConfigError
from detente.host import regular

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detente.distro.base import Backend

VARIABLE = "DETENTE_DISTRO"
_MOST = 1 << 16  # bytes of a file that says what the distro is
QUERY = "/usr/bin/dpkg-query"  # apt's; its module is loaded only where something is asked
_LINE = re.compile(r"""^([A-Z_0-9]+)=(?:"(.*)"|'(.*)'|(.*))$""", re.MULTILINE)
_DEFAULT = re.compile(r"^default-version\s*=\s*python(\d+\.\d+)", re.MULTILINE)


def chosen(environ: Mapping[str, str]) -> str | None:
    """Return the root to look at: "" for this machine's own, None where no distro is wanted.

    Raise ConfigError where DETENTE_DISTRO, or the key `distro` of the configuration, is neither `auto`, `none` nor
    the path of a directory.
    """
    value, where = environ.get(VARIABLE) or None, VARIABLE
    if value is None:
        value, where = config.value(environ, "", "distro")
    if value in (None, "auto"):
        return ""
    if value == "none":
        return None
    if not isinstance(value, str) or not value.startswith("/") or not os.path.isdir(value):
        raise ConfigError(
            f"{where} is {value!r}, and that is neither auto, none nor the path of a root file system",
            hint=f"{VARIABLE}=auto detente list",
        )
    return value.rstrip("/")


def backend(root: str) -> Backend:
    """Return the backend for the package manager below `root`: apt, the only one so far."""
    from detente.distro import apt

    return apt


def is_supported(root: str) -> bool:
    """Say whether there is a backend for the package manager below `root`."""
    return os.path.exists(root + QUERY)


def release(root: str) -> Release:
    """Return what the distro below `root` says of itself."""
    words: dict[str, str] = {}
    for place in ("/etc/os-release", "/usr/lib/os-release"):
        text = _text(_inside(root, place))
        if text:
            words = {match[1]: match[2] or match[3] or match[4] or "" for match in _LINE.finditer(text)}
            break
    distro, version, codename = words.get("ID", "linux"), words.get("VERSION_ID", ""), words.get("VERSION_CODENAME", "")
    name = words.get("NAME", distro).removesuffix(" GNU/Linux").removesuffix(" Linux")
    return Release(distro, version, codename, f"{name} {version or codename}".strip(), _python(root))


def _inside(root: str, path: str) -> str:
    """Return where `path` lies below `root`: a link there that is absolute means a file below it too."""
    target = os.readlink(root + path) if root and os.path.islink(root + path) else ""
    return root + target if target.startswith("/") else root + path


def _python(root: str) -> str:
    """Return the minor version of the distro's own python3: what it says itself, else where its link leads."""
    match = _DEFAULT.search(_text(f"{root}/usr/share/python3/debian_defaults"))
    if match:
        return match[1]
    try:
        link = os.readlink(f"{root}/usr/bin/python3")
    except OSError:
        return ""
    match = re.match(r"(?:/usr/bin/)?python(\d+\.\d+)\Z", link)
    return match[1] if match else ""


def _text(path: str) -> str:
    try:
        return regular.read(path, _MOST).decode("utf-8", "replace")
    except OSError:
        return ""
