"""Real .debs with what is odd about system packages, and an index of them: epochs, diversions, failing scripts."""

import hashlib
import subprocess
from pathlib import Path
from typing import NamedTuple

ORIGIN = "Example"  # who answers for the index: neither Debian nor Ubuntu
DIST = "/usr/lib/python3/dist-packages"


class Deb(NamedTuple):
    """One binary package: `files` by path, `scripts` by maintainer script's name, `fields` of its control file."""

    name: str
    version: str
    files: dict[str, str] = {}
    architecture: str = "all"
    scripts: dict[str, str] = {}
    fields: dict[str, str] = {}


def python(name: str, version: str, egg: bool = False) -> dict[str, str]:
    """Return the files of a distribution with one module, as a Debian package has them."""
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    module = {f"{DIST}/{name}.py": f"VERSION = {version!r}\n"}
    if egg:
        return module | {f"{DIST}/{name}-{version}.egg-info": text}
    return module | {
        f"{DIST}/{name}-{version}.dist-info/METADATA": text,
        f"{DIST}/{name}-{version}.dist-info/RECORD": "",
    }


def program(path: str) -> dict[str, str]:
    """Return a program at `path`."""
    return {path: "#!/bin/sh\necho done\n"}


_DIVERT = """#!/bin/sh
set -e
dpkg-divert --package shouter-wrapper --add --rename --divert /usr/bin/shouter.real /usr/bin/shouter
"""
_UNDIVERT = """#!/bin/sh
set -e
[ "$1" != remove ] || dpkg-divert --package shouter-wrapper --rename --remove /usr/bin/shouter
"""

_SHOUTER = {"Source": "shouter"}

INSTALLED = (
    Deb("python3-epochal", "1:2.0-1", python("epochal", "2.0")),
    Deb("python3-repacked", "1.4.2+dfsg-3", python("repacked", "1.4.2", egg=True)),
    Deb("python3-heldback", "1.0-1", python("heldback", "1.0")),
    Deb("python3-shouter", "2.0~rc1-2", python("shouter", "2.0rc1"), fields=_SHOUTER),
    Deb(
        "shouter",
        "2.0~rc1-2",
        program("/usr/bin/shouter") | {"/usr/share/doc/shouter/README": "loud\n"},  # the diversion leaves it this file
        fields={**_SHOUTER, "Depends": "python3-shouter"},
    ),
    Deb(
        "shouter-wrapper",
        "1",
        program("/usr/bin/shouter"),
        scripts={"preinst": _DIVERT, "postrm": _UNDIVERT},
        fields={"Depends": "shouter"},
    ),
    Deb(
        "hermit",
        "0.9-1",
        {"/usr/share/hermit/hermit-0.9.egg-info": "", "/usr/share/hermit/hermit.py": ""} | program("/usr/bin/hermit"),
    ),
    Deb(
        "nameless",
        "3.1-1",
        {"/usr/share/nameless/nameless.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: Name.Less\nVersion: 3.1\n"},
    ),
    Deb(
        "python3-vendors",
        "1.0-1",
        python("vendors", "1.0") | {f"{DIST}/vendors_more/_vendor/inner-9.dist-info/METADATA": "Name: inner\n"},
    ),
    Deb(
        "python3-nodata",
        "4.0-1",
        {f"{DIST}/nodata/__init__.py": "", f"{DIST}/_nodata.cpython-311-x86_64-linux-gnu.so": ""},
    ),
)
TWICE = tuple(
    Deb("python3-twoarch", "3.0-1", python("twoarch", "3.0"), architecture, fields={"Multi-Arch": "same"})
    for architecture in ("amd64", "i386")
)
NEWER = (
    Deb("python3-epochal", "1:2.1~rc1-1", python("epochal", "2.1rc1")),
    Deb("python3-heldback", "1.1-1", python("heldback", "1.1")),
    Deb("python3-repacked", "1.5.0~rc1+dfsg-1", python("repacked", "1.5.0rc1")),
)
UNFINISHED = (
    Deb("python3-halfdone", "1.0-1", python("halfdone", "1.0"), scripts={"postinst": "#!/bin/sh\nexit 1\n"}),
    Deb("python3-torn", "1.0-1", python("torn", "1.0"), scripts={"preinst": "#!/bin/sh\nkill -KILL $PPID\n"}),
    Deb("python3-leftover", "1.0-1", python("leftover", "1.0") | {"/etc/leftover": "x\n"}),
)
REFUSED = (
    Deb("python3-impossible", "1-1", fields={"Depends": "no-such-package (>= 9)"}),
    Deb("python3-rival", "1-1", python("rival", "1"), fields={"Conflicts": "python3-epochal"}),
    Deb("python3-needsnew", "1-1", fields={"Depends": "python3-heldback (>= 1.1)"}),
    Deb("python3-slow", "1-1", scripts={"preinst": "#!/bin/sh\nsleep 60\n"}),
)


def build(deb: Deb, folder: Path) -> Path:
    """Make the .deb file in `folder`."""
    tree = folder / f"{deb.name}_{deb.version.replace(':', '%3a')}_{deb.architecture}"
    (tree / "DEBIAN").mkdir(parents=True)
    fields = {
        "Package": deb.name, "Version": deb.version, "Architecture": deb.architecture, "Installed-Size": "12",
        "Maintainer": "Somebody <somebody@example.org>", "Section": "python", "Priority": "optional",
        **deb.fields, "Description": f"one of the odd packages\n It is {deb.name}.",
    }  # fmt: skip
    (tree / "DEBIAN/control").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))
    for path, text in deb.files.items():
        place = tree / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(0o755 if "/bin/" in path else 0o644)
    for name, text in deb.scripts.items():
        (tree / "DEBIAN" / name).write_text(text)
        (tree / "DEBIAN" / name).chmod(0o755)
    conffiles = [path for path in deb.files if path.startswith("/etc/")]
    if conffiles:
        (tree / "DEBIAN/conffiles").write_text("".join(f"{path}\n" for path in conffiles))
    for place in (tree, *tree.rglob("*")):
        if place.is_dir():
            place.chmod(0o755)
    file = folder / f"{tree.name}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(file)], check=True, capture_output=True)
    subprocess.run(["rm", "-r", str(tree)], check=True)
    return file


def publish(debs: tuple[Deb, ...], folder: Path) -> None:
    """Make of `folder` an index (suite `stable`, component `main`) that offers `debs` for amd64 and i386."""
    pool = folder / "pool"
    pool.mkdir(parents=True, exist_ok=True)
    for deb in debs:
        build(deb, pool)
    sums = []
    for architecture in ("amd64", "i386"):
        place = folder / f"dists/stable/main/binary-{architecture}/Packages"
        place.parent.mkdir(parents=True, exist_ok=True)
        words = ["dpkg-scanpackages", "--multiversion", "--arch", architecture, "pool"]
        data = subprocess.run(words, cwd=folder, check=True, capture_output=True).stdout
        place.write_bytes(data)
        sums.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} main/binary-{architecture}/Packages\n")
    head = f"Origin: {ORIGIN}\nLabel: {ORIGIN}\nSuite: stable\nCodename: stable\nArchitectures: amd64 i386\n"
    date = "Date: Sat, 21 Nov 2026 12:00:00 UTC\n"
    (folder / "dists/stable/Release").write_text(f"{head}Components: main\n{date}SHA256:\n{''.join(sums)}")
