"""What one interpreter says about itself, as JSON on the last line of its output.

Run by the probed interpreter itself (`-I -S`, by path), never imported by ours: it must work on every Python
since 3.6, with the standard library alone, and import nothing of detente.
"""

import json
import os
import platform
import sys
import sysconfig


def _elf(path: str) -> "list[int]":
    """Return class, byte order, machine and flags of the ELF header of `path`, or zeros."""
    import struct

    try:
        with open(path, "rb") as file:
            head = file.read(64)
        if head[:4] != b"\x7fELF":
            return [0, 0, 0, 0]
        order = "<" if head[5] == 1 else ">"
        machine = struct.unpack_from(order + "H", head, 18)[0]
        flags = struct.unpack_from(order + "I", head, 36 if head[4] == 1 else 48)[0]
    except (OSError, IndexError, struct.error):
        return [0, 0, 0, 0]
    return [head[4], head[5], machine, flags]


def _glibc() -> str:
    """Return "2.36", or "" where this interpreter does not run on glibc."""
    try:
        family, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
    except (AttributeError, OSError, ValueError):
        return ""
    return version if family == "glibc" else ""


def _musl_loader() -> str:
    """Return the path of musl's loader where this interpreter was started by it, else ""."""
    try:
        with open("/proc/self/maps") as file:
            for line in file:
                path = line.split(None, 5)[5:]
                if path and os.path.basename(path[0].strip()).startswith("ld-musl-"):
                    return path[0].strip()
    except OSError:
        pass
    return ""


def _refused(glibc: str) -> "list[int]":
    """Return the glibc minors that a `_manylinux` module of this interpreter forbids (PEP 600)."""
    try:
        import _manylinux  # type: ignore[import-not-found]
    except ImportError:
        return []
    arch = sysconfig.get_platform().split("-", 1)[-1].replace("-", "_").replace(".", "_")
    newest = int("".join(c if c.isdigit() else " " for c in glibc.split(".")[1]).split()[0]) if glibc else 0
    ask = getattr(_manylinux, "manylinux_compatible", None)
    if ask is not None:
        answers = [(minor, ask(2, minor, arch)) for minor in range(newest + 1)]
        return [minor for minor, answer in answers if answer is not None and not answer]
    legacy = ((5, "manylinux1_compatible"), (12, "manylinux2010_compatible"), (17, "manylinux2014_compatible"))
    return [minor for minor, name in legacy if not getattr(_manylinux, name, True)]


def _site() -> str:
    """Return site-packages of an environment of this interpreter, relative to its prefix."""
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix"
    prefix = "/prefix"
    names = ("base", "platbase", "installed_base", "installed_platbase")
    return os.path.relpath(sysconfig.get_path("purelib", scheme, dict.fromkeys(names, prefix)), prefix)


def _number(info: "tuple[int, int, int, str, int]") -> str:
    text = f"{info[0]}.{info[1]}.{info[2]}"
    if info[3] != "final":
        text += {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info[3], info[3]) + str(info[4])
    return text


def facts() -> "dict[str, object]":
    """Return all facts as one dictionary of plain values."""
    glibc = _glibc()
    return {
        "version": _number(sys.version_info),
        "full_version": platform.python_version(),
        "implementation": sys.implementation.name,
        "implementation_version": _number(sys.implementation.version),
        "implementation_title": platform.python_implementation(),
        "cache_tag": sys.implementation.cache_tag or "",
        "extension": sysconfig.get_config_var("EXT_SUFFIX") or "",
        "debug": bool(sysconfig.get_config_var("Py_DEBUG") or hasattr(sys, "gettotalrefcount")),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "site": _site(),
        "stdlib": sysconfig.get_path("stdlib"),
        "platform": sysconfig.get_platform(),
        "wide": sys.maxsize > 2**32,
        "elf": _elf(sys.executable),
        "glibc": glibc,
        "musl_loader": "" if glibc else _musl_loader(),
        "refused": _refused(glibc),
        "executable": sys.executable,
        "os_name": os.name,
        "sys_platform": sys.platform,
        "machine": platform.machine(),
        "system": platform.system(),
    }


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(facts()) + "\n")
