"""What a confined program sees of the machine: the system's programs and libraries, an interpreter, toolchains."""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping

from detente.host.box import Mount

_TREES = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_FILES = (
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld-musl-*.path", "/etc/alternatives",
    "/etc/os-release", "/etc/debian_version", "/etc/localtime", "/etc/timezone", "/etc/mime.types",
    "/etc/python3*", "/etc/ssl/openssl.cnf", "/etc/crypto-policies", "/etc/nsswitch.conf",
)  # fmt: skip
_NETWORK = (
    "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols",
    "/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust", "/etc/ca-certificates", "/etc/ssl/cert.pem",
)  # fmt: skip
_SYSTEM = tuple(place + "/" for place in _TREES)


def system(*, network: bool = False) -> tuple[Mount, ...]:
    """Return what belongs to the machine; with `network` also what name resolution and certificates need."""
    found = []
    for place in _TREES:
        if os.path.islink(place):
            found.append(Mount("link", os.readlink(place), place))
        elif os.path.isdir(place):
            found.append(Mount("ro", place, place))
    for pattern in _FILES + (_NETWORK if network else ()):
        found += [Mount("ro", path, path) for path in sorted(glob.glob(pattern)) if os.path.exists(path)]
    return tuple(found)


def accounts(scratch: str, user: tuple[int, int], home: str) -> tuple[Mount, ...]:
    """Write a passwd and a group file below `scratch` that know root and `user` alone, and return them as mounts."""
    uid, gid = user
    texts = {
        "passwd": f"root:x:0:0::/:/bin/sh\nbuild:x:{uid}:{gid}::{home}:/bin/sh\n",
        "group": f"root:x:0:\nbuild:x:{gid}:\n",
    }
    mounts = []
    for name, text in texts.items():
        path = os.path.join(scratch, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        mounts.append(Mount("ro", path, "/etc/" + name))
    return tuple(mounts)


def interpreter(path: str, home: str) -> Iterator[Mount]:
    """Yield what the Python at `path` needs where it is not the system's: every link on the way, and its prefix.

    `home` is never shown whole, nor its `.local`, where programs keep data: of a prefix that holds one of them,
    its `bin/python`, `lib` and `include` alone, and of a link there nothing else.
    """
    for _ in range(16):
        if not path.startswith(_SYSTEM):
            prefix = os.path.dirname(os.path.dirname(path))
            if not holds(prefix, home) and not holds(prefix, os.path.join(home, ".local")):
                yield Mount("ro", prefix, prefix)
            elif os.path.islink(path):
                yield Mount("link", os.readlink(path), path)
            else:
                parts = [path, *glob.glob(prefix + "/lib/python3*"), *glob.glob(prefix + "/lib/libpython*")]
                yield from (Mount("ro", one, one) for one in (*parts, prefix + "/include") if os.path.exists(one))
        if not os.path.islink(path):
            return
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))


def toolchains(environ: Mapping[str, str], variables: Iterable[str], home: str) -> Iterator[Mount]:
    """Yield what people compile with and keep elsewhere: Rust's toolchains, and the paths in `variables`.

    Of `/opt` the directory of each product that PATH or one of these variables leads to.
    """
    cargo = environ.get("CARGO_HOME") or os.path.join(home, ".cargo")
    rustup = environ.get("RUSTUP_HOME") or os.path.join(home, ".rustup")
    places = [os.path.join(cargo, "bin"), *(os.path.join(rustup, one) for one in ("toolchains", "settings.toml"))]
    for value in variables:
        places += re.findall(r"(?:^|[:;=\s]|-[ILB])(/[^:;\s]+)", value)
    places += [place for place in environ.get("PATH", "").split(":") if place.startswith("/opt/")]
    for place in places:
        shown = os.path.normpath(place)
        if shown.startswith("/opt/") and not holds("/opt", home):
            shown = "/".join(shown.split("/")[:3])
        known = shown.startswith((*_SYSTEM, "/proc", "/sys", "/dev", "/run", "/etc"))
        if not known and os.path.exists(shown) and not holds(shown, home):
            yield Mount("ro", shown, shown)


def holds(place: str, home: str) -> bool:
    """Say whether `place` is `home` or above it."""
    real, inner = os.path.realpath(place), os.path.realpath(home)
    return real in ("/", inner) or inner.startswith(real + "/")


def ordered(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """Return `mounts` so that what holds others comes first; of two for one target the later one stays.

    A link that is in what is shown anyway is left out.
    """
    last = {mount.target: mount for mount in mounts}
    places = [mount for mount in last.values() if mount.kind != "link"]

    def held(mount: Mount, *, there: bool) -> bool:
        return any(mount.target.startswith(one.target + "/") for one in places if not there or one.source == one.target)

    found = [mount for mount in last.values() if mount.kind != "link" or not held(mount, there=True)]
    return tuple(sorted(found, key=lambda one: (one.kind != "link" or held(one, there=False), one.target.split("/"))))
