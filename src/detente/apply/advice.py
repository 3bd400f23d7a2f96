"""What to type when a build failed for want of something on the machine. Pure: the log in, a hint out."""

import re

from detente.model import Interpreter

# What a log names → the system package of apt, dnf and pacman that has it.
_HEADERS = {
    "ffi.h": ("libffi-dev", "libffi-devel", "libffi"),
    "openssl/": ("libssl-dev", "openssl-devel", "openssl"),
    "libpq-fe.h": ("libpq-dev", "libpq-devel", "postgresql-libs"),
    "mysql.h": ("libmariadb-dev", "mariadb-connector-c-devel", "mariadb-libs"),
    "libxml/": ("libxml2-dev libxslt1-dev", "libxml2-devel libxslt-devel", "libxml2 libxslt"),
    "libxslt/": ("libxml2-dev libxslt1-dev", "libxml2-devel libxslt-devel", "libxml2 libxslt"),
    "zlib.h": ("zlib1g-dev", "zlib-devel", "zlib"),
    "jpeglib.h": ("libjpeg-dev", "libjpeg-turbo-devel", "libjpeg-turbo"),
    "sqlite3.h": ("libsqlite3-dev", "sqlite-devel", "sqlite"),
    "yaml.h": ("libyaml-dev", "libyaml-devel", "libyaml"),
    "lber.h": ("libldap-dev libsasl2-dev", "openldap-devel cyrus-sasl-devel", "libldap"),
    "ldap.h": ("libldap-dev libsasl2-dev", "openldap-devel cyrus-sasl-devel", "libldap"),
    "dbus/": ("libdbus-1-dev libglib2.0-dev", "dbus-devel glib2-devel", "dbus glib2"),
    "glib.h": ("libglib2.0-dev", "glib2-devel", "glib2"),
    "cairo.h": ("libcairo2-dev", "cairo-devel", "cairo"),
    "curl/": ("libcurl4-openssl-dev", "libcurl-devel", "curl"),
    "gmp.h": ("libgmp-dev", "gmp-devel", "gmp"),
    "portaudio.h": ("portaudio19-dev", "portaudio-devel", "portaudio"),
    "krb5.h": ("libkrb5-dev", "krb5-devel", "krb5"),
    "gssapi": ("libkrb5-dev", "krb5-devel", "krb5"),
    "systemd/": ("libsystemd-dev", "systemd-devel", "systemd-libs"),
}
_COMPILER = ("build-essential", "gcc gcc-c++ make", "base-devel")
_PROGRAMS = {
    "gcc": _COMPILER,
    "cc": _COMPILER,
    "g++": _COMPILER,
    "c++": _COMPILER,
    "make": _COMPILER,
    "cargo": ("cargo", "cargo", "rust"),
    "rustc": ("rustc cargo", "rust cargo", "rust"),
    "cmake": ("cmake", "cmake", "cmake"),
    "ninja": ("ninja-build", "ninja-build", "ninja"),
    "pkg-config": ("pkg-config", "pkgconf-pkg-config", "pkgconf"),
    "gfortran": ("gfortran", "gcc-gfortran", "gcc-fortran"),
    "swig": ("swig", "swig", "swig"),
    "pg_config": ("libpq-dev", "libpq-devel", "postgresql-libs"),
    "mysql_config": ("libmariadb-dev", "mariadb-connector-c-devel", "mariadb-libs"),
    "git": ("git", "git", "git"),
}
_TOOLS = ("apt", "dnf", "pacman")
_INSTALL = {"apt": "sudo apt install", "dnf": "sudo dnf install", "pacman": "sudo pacman -S"}
_HEADER = re.compile(r"fatal error: '?([\w./+-]+\.h(?:pp)?)'?(?:: No such file| file not found)")
_PROGRAM = re.compile(
    r"(?:No such file or directory: ['\"]|command ['\"]|error: |[Cc]ould not find |[Uu]nable to find |\bRust compiler )"
    r"?(?:[\w./-]*/)?(?:[\w]+-linux-gnu-)?(gcc|g\+\+|cc|c\+\+|make|cargo|rustc|cmake|ninja|pkg-config|gfortran|swig"
    r"|pg_config|mysql_config|git)['\"]?(?:: command not found|: not found| (?:executable )?not found|"
    r" failed: No such file| is not installed)"
)
# What a build prints when it misses what confinement keeps from it.
_NETWORK = re.compile(
    r"Temporary failure in name resolution|Network is unreachable|[Cc]ould not resolve host|Name or service not known"
    r"|NewConnectionError|Failed to establish a new connection|socket\.gaierror|failed to lookup address"
    r"|download of config\.json failed|dial tcp|ENETUNREACH|EAI_AGAIN"
)
_FILES = re.compile(
    r"Read-only file system|(?:Permission denied|PermissionError)\b.*[:'\"] ?'?/(?:home|root|var|srv|etc)/"
)
_MISSING_FILE = re.compile(r"No such file or directory: '(?:[\w./-]*/)?([\w+-]+)'")


def hint_for(log: str, interpreter: Interpreter, tool: str, *, own: bool = False) -> str:
    """Return the next step for the failed build that printed `log`; `tool` is apt, dnf, pacman or empty.

    `own` says that the person's own project was built.
    """
    header = _HEADER.search(log)
    if header:
        if header[1] in ("Python.h", "pyconfig.h"):
            return _headers_of(interpreter, tool)
        found = next((names for part, names in _HEADERS.items() if header[1].startswith(part)), None)
        if found:
            return _install(tool, found)
        if tool == "apt":
            return f"find what has it, and install that: apt-file search {header[1]}"
        return f"install the development files that have {header[1]}"
    program = _PROGRAM.search(log)
    name = program[1] if program else next((m for m in _MISSING_FILE.findall(log) if m in _PROGRAMS), "")
    name = name.rpartition("-linux-gnu-")[2]
    if name:
        return _install(tool, _PROGRAMS[name])
    if own:
        return "mend the project, and repeat the command"
    return "look for a version with a wheel, or another Python (--python), or ask the project about this log"


def refusal_in(log: str) -> tuple[str, str]:
    """Return why confinement made the build that printed `log` fail, and the way out; two empty texts if it did not."""
    if _NETWORK.search(log):
        return "it wants the network, which builds do not have", "if you trust it, repeat with --build-network"
    if _FILES.search(log):
        return (
            "it wants to write where builds may not",
            "if you trust it, let it do what you may: --build-confinement none",
        )
    return "", ""


def _headers_of(interpreter: Interpreter, tool: str) -> str:
    if not interpreter.path.startswith("/usr/bin/"):
        return f"the Python at {interpreter.path} has no headers: install it whole, or use --python /usr/bin/python3"
    major, minor = interpreter.minor
    return _install(tool, (f"python{major}.{minor}-dev", "python3-devel", "python"))


def _install(tool: str, names: tuple[str, str, str]) -> str:
    if tool not in _TOOLS:
        return f"install {names[0]} (as Debian calls it)"
    return f"{_INSTALL[tool]} {names[_TOOLS.index(tool)]}"
