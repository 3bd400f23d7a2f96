"""What to type when a build failed for want of something on the machine: the log in, a hint out."""

import re
from collections.abc import Iterator

from detente.apply.needs import ANY, CMAKE, HEADER, LIBRARY, PKG_CONFIG, PROGRAM, Need, Supplier, names
from detente.host.escalate import as_root
from detente.model import Interpreter

# What Debian's system packages are called by dnf and pacman.
_ELSEWHERE = {
    "libffi-dev": ("libffi-devel", "libffi"),
    "libssl-dev": ("openssl-devel", "openssl"),
    "libpq-dev": ("libpq-devel", "postgresql-libs"),
    "default-libmysqlclient-dev": ("mariadb-connector-c-devel", "mariadb-libs"),
    "libmariadb-dev": ("mariadb-connector-c-devel", "mariadb-libs"),
    "libxml2-dev": ("libxml2-devel", "libxml2"),
    "libxslt1-dev": ("libxslt-devel", "libxslt"),
    "zlib1g-dev": ("zlib-devel", "zlib"),
    "libjpeg-dev": ("libjpeg-turbo-devel", "libjpeg-turbo"),
    "libsqlite3-dev": ("sqlite-devel", "sqlite"),
    "libyaml-dev": ("libyaml-devel", "libyaml"),
    "libldap-dev": ("openldap-devel", "libldap"),
    "libsasl2-dev": ("cyrus-sasl-devel", "libsasl"),
    "libdbus-1-dev": ("dbus-devel", "dbus"),
    "libglib2.0-dev": ("glib2-devel", "glib2"),
    "libcairo2-dev": ("cairo-devel", "cairo"),
    "libcurl4-openssl-dev": ("libcurl-devel", "curl"),
    "libgmp-dev": ("gmp-devel", "gmp"),
    "portaudio19-dev": ("portaudio-devel", "portaudio"),
    "libkrb5-dev": ("krb5-devel", "krb5"),
    "libsystemd-dev": ("systemd-devel", "systemd-libs"),
    "build-essential": ("gcc gcc-c++ make", "base-devel"),
    "cargo": ("cargo", "rust"),
    "rustc": ("rust", "rust"),
    "cmake": ("cmake", "cmake"),
    "ninja-build": ("ninja-build", "ninja"),
    "pkg-config": ("pkgconf-pkg-config", "pkgconf"),
    "gfortran": ("gcc-gfortran", "gcc-fortran"),
    "swig": ("swig", "swig"),
    "git": ("git", "git"),
}
# What is nearly always needed as well: the next attempt would only fail for that.
_ALONG = {
    "libxml2-dev": "libxslt1-dev",
    "libxslt1-dev": "libxml2-dev",
    "libldap-dev": "libsasl2-dev",
    "libdbus-1-dev": "libglib2.0-dev",
    "graphviz": "libgraphviz-dev",
}
_INSTALL = {"apt": "apt install", "dnf": "dnf install", "pacman": "pacman -S"}
_PYTHON = ("Python.h", "pyconfig.h")
_NOT = r"(?:[Cc]ould not|ouldn't|[Dd]id not|[Cc]annot|[Uu]nable to)"
_WORD = r"[\w.+-]*\w[\w+]*"
# Words with which compilers, linkers and configuration tools end when something is missing. One group: what.
_MISSING = (
    (HEADER, r"fatal error: '?([\w./+-]+)'?(?:: No such file or directory| file not found)"),
    (LIBRARY, r"(?:^|[ :])[Cc]annot find -l:?(?:lib)?([\w.+-]*[\w+])"),
    (LIBRARY, r"lib([\w+-][\w.+-]*?)\.so[\d.]*: cannot open shared object file"),
    (LIBRARY, r"unable to find library -l([\w.+-]*[\w+])"),
    (PKG_CONFIG, r"Package '([^']+)', required by '[^']*', not found"),
    (PKG_CONFIG, r"No package '([^']+)' found"),
    (PKG_CONFIG, r"Package (\S+) was not found in the pkg-config search path"),
    (PKG_CONFIG, r"ERROR: (?:C |C\+\+ )?[Dd]ependency \"([^\"]+)\" not found"),
    (PKG_CONFIG, r"ERROR: Dependency lookup for (\S+) with method 'pkg-?config' failed"),
    (PKG_CONFIG, r"pkg-config(?: --?[\w-]+)* ([\w.+-]+)(?: [<>=]+ ?\S+)?' returned non-zero"),
    (CMAKE, r"CMake Error[^\n]*\n(?:[^\n]*\n){0,2}? *Could NOT find (\w+)"),
    (CMAKE, r"Could not find a package configuration file provided by\s+\"(\w+)\""),
    (CMAKE, r"package configuration file\s+provided by\s+\"(\w+)\""),
    (ANY, r"headers or library files could not be found for (\w+)"),
    (ANY, r"install ([\w+-]+) development (?:headers|files|libraries|packages?)"),
    (ANY, r"make sure the (\w+) and \w+ development packages are installed"),
    (ANY, rf"{_NOT} find (?:the |a )?(?:local )?([\w+-]+)(?: version \S+)?(?: installation)? (?:header|librar|devel)"),
    (ANY, rf"{_NOT} find library ([\w+-]+)"),
)  # fmt: skip
_AS_PROGRAM = r"(?: executable| program| command| tool| binary|\.|,|$| on (?:your )?PATH|: \[Errno 2\])"
# The same for programs. These are tried one after the other and often in vain, so the last one counts.
_PROGRAMS = (
    rf"(?:^|\s)(?:/bin/)?(?:ba|da)?sh: (?:line )?(?:\d+: )?({_WORD}): (?:command )?not found",
    rf"No such file or directory: ['\"]((?:[\w./-]*/)?{_WORD})['\"]",
    rf"error: command '((?:[\w./-]*/)?{_WORD})' failed: No such file",
    rf"[Pp]rogram ['\"]?({_WORD})['\"]?(?: or [^\n]*?)? not found",
    rf"{_NOT} (?:find|locate|execute|run|invoke) (?:the )?[`'\"]?({_WORD}?)[`'\".]?{_AS_PROGRAM}",
    rf"(?:^|\s)[`'\"]?({_WORD})[`'\"]? executable not found",
    rf"(?:^|\s)[`'\"]?({_WORD}?)[`'\"]?(?: binary)? (?:is required (?:to|for)|(?:probably|is) not installed)",
    rf"(?:[Pp]lease|need to) install ({_WORD})(?:\s|$)",
    rf"specify a working '({_WORD})'|PyProjectOptionException\('({_WORD})'",
    r"(?i:Unknown compiler\(s\)): \[\[?'([\w+]+)'",
    r"(?:No |CMAKE_)(?:CMAKE_)?(C|CXX|Fortran)_COMPILER (?:could be found|not set)",
)
_RUST = re.compile(
    r"Rust (?:compiler )?not found|(?:can't|cannot) find Rust compiler|[Cc]argo, the Rust package manager, is not"
    r"|requires Rust (?:>=|to)|`?cargo`? (?:is )?not (?:found|installed)|Rust toolchain (?:is )?not (?:found|installed)"
)
_PATTERNS = [(kind, re.compile(pattern, re.MULTILINE)) for kind, pattern in _MISSING]
_PROGRAM_PATTERNS = [re.compile(pattern, re.MULTILINE) for pattern in _PROGRAMS]
_COMPILERS = {"C": "cc", "CXX": "c++", "Fortran": "gfortran"}
_NO_PKG_CONFIG = re.compile(
    r"(?i:pkg-config)(?: for machine host machine not found|: (?:command )?not found|' failed: No)"
)
# A tool that asks which of several compilers is there, and says that one is not: no failure yet.
_TRIAL = re.compile(r"^.*Running `[^\n]*` gave .*$", re.MULTILINE)
# What a build prints when it misses what confinement keeps from it.
_NETWORK = re.compile(
    r"Temporary failure in name resolution|Network is unreachable|[Cc]ould not resolve host|Name or service not known"
    r"|NewConnectionError|Failed to establish a new connection|socket\.gaierror|failed to lookup address"
    r"|download of config\.json failed|dial tcp|ENETUNREACH|EAI_AGAIN"
)
_FILES = re.compile(
    r"Read-only file system|(?:Permission denied|PermissionError)\b.*[:'\"] ?'?/(?:home|root|var|srv|etc)/"
)


def hint_for(log: str, interpreter: Interpreter, supplier: Supplier, *, own: bool = False) -> str:
    """Return the next step for the failed build that printed `log`; `own`: it was the person's own project."""
    missing = missing_in(log, interpreter, supplier)
    if missing:
        return missing
    if own:
        return "mend the project, and repeat the command"
    return "look for a version with a wheel, or another Python (--python), or ask the project about this log"


def missing_in(log: str, interpreter: Interpreter, supplier: Supplier) -> str:
    """Return what to install, all at once, before the build that printed `log` can go on; "" where nothing says so."""
    needs = needs_in(log, supplier)
    if not needs:
        return ""
    packages = []
    for need in needs:
        if need.name.rpartition("/")[2] in _PYTHON and need.kind == HEADER:
            if not interpreter.path.startswith("/usr/bin/"):
                path = interpreter.path
                return f"the Python at {path} has no headers: install it whole, or use --python /usr/bin/python3"
            packages.append("python{}.{}-dev".format(*interpreter.minor))
        else:
            packages += names([need], supplier)
    if "build-essential" in packages and interpreter.path.startswith("/usr/bin/"):
        packages.append("python{}.{}-dev".format(*interpreter.minor))  # where no compiler is, no Python.h is either
    packages = list(dict.fromkeys(packages))
    if not packages:
        name = needs[0].name
        if needs[0].kind == HEADER and supplier.tool == "apt":
            return f"find what has it, and install that: apt-file search {name}"
        return f"install the development files that have {name}"
    wanted = list(dict.fromkeys((*packages, *(_ALONG[name] for name in packages if name in _ALONG))))
    absent = [name for name in wanted if supplier.tool != "apt" or not supplier.has(name)]
    if not absent:
        return (
            f"{packages[0]} is installed, but the build does not find {needs[0].name}: ask the project about this log"
        )
    return _install(supplier, absent)


def needs_in(log: str, supplier: Supplier) -> list[Need]:
    """Return what the build that printed `log` did not find, in the log's order; programs only where nothing else."""
    log = _TRIAL.sub("", log)
    found = [(match.start(), kind, match[1]) for kind, pattern in _PATTERNS for match in pattern.finditer(log)]
    needs = list(dict.fromkeys(Need(kind, name) for _, kind, name in sorted(found)))
    # of several .pc files that are tried, the first that somebody has is enough
    tried = [need for need in needs if need.kind == PKG_CONFIG and f"{need.name}' returned" in log]
    known = next((need for need in tried if supplier.package(need)), None)
    needs = [need for need in needs if need not in tried or need == known]
    needs = [need for need in needs if need.kind in (HEADER, PKG_CONFIG) or supplier.package(need)]
    rust = [Need(PROGRAM, "rustc")] if _RUST.search(log) else []
    if needs:
        tool = [Need(PROGRAM, "pkg-config")] if _NO_PKG_CONFIG.search(log) else []
        return [*(tool if any(need.kind == PKG_CONFIG for need in needs) else []), *needs, *rust]
    return rust or list(_programs(log, supplier))[:1]


def _programs(log: str, supplier: Supplier) -> Iterator[Need]:
    """Yield the programs that somebody has of those that `log` misses, the last one first."""
    found = [(match.start(), match) for pattern in _PROGRAM_PATTERNS for match in pattern.finditer(log)]
    for _, match in sorted(found, key=lambda pair: -pair[0]):
        said = match[match.lastindex or 1]
        # what is no program may be a library's name: "xmlsec1 is not installed"
        for need in (Need(PROGRAM, _COMPILERS.get(said, said)), Need(PKG_CONFIG, said)):
            if supplier.package(need):
                yield need


def refusal_in(log: str) -> tuple[str, str]:
    """Return why confinement made the build that printed `log` fail, and the way out; two empty texts if it did not.

    What fetches a compiler because there is none is better helped by a compiler.
    """
    if _NETWORK.search(log) and not _RUST.search(log):
        return "it wants the network, which builds do not have", "if you trust it, repeat with --build-network"
    if _FILES.search(log):
        return (
            "it wants to write where builds may not",
            "if you trust it, let it do what you may: --build-confinement none",
        )
    return "", ""


def _install(supplier: Supplier, packages: list[str]) -> str:
    if supplier.tool not in _INSTALL:
        return f"install {' '.join(packages)} (as Debian calls {'it' if len(packages) == 1 else 'them'})"
    words = packages
    if supplier.tool != "apt":
        place = ("dnf", "pacman").index(supplier.tool)
        known = [_elsewhere(name)[place] for name in packages if _elsewhere(name)]
        words = list(dict.fromkeys(known))
        if not words:
            return f"install what your distribution has for {' '.join(packages)} (as Debian calls it)"
    line = as_root(f"{_INSTALL[supplier.tool]} {' '.join(words)}", supplier.seat)
    return f"as Debian calls it: {line}" if supplier.tool == "apt" and supplier.borrowed else line


def _elsewhere(package: str) -> tuple[str, str] | tuple[()]:
    if re.fullmatch(r"python\d\.\d+-dev", package):
        return "python3-devel", "python"
    return _ELSEWHERE.get(package, ())
