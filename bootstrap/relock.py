"""Write the locks of this directory anew: `python3 bootstrap/relock.py UV`, UV being an engine to resolve with.

A lock is a requirements file that pip reads: `name==version`, and the SHA-256 of every wheel that a Linux machine
could take. It names no index and no path, so it means the same everywhere; pip knows where its index is.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
OLDEST = (3, 11)
_WHEEL_TAGS = re.compile(r"-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl\Z")
_CPYTHON = re.compile(r"cp3(\d+)\Z")


def fits(filename: str) -> bool:
    """Say whether the wheel `filename` could be installed on some Linux, by CPython 3.11 or newer."""
    tags = _WHEEL_TAGS.search(filename)
    if tags is None:
        return False
    if tags["platform"] != "any" and "linux" not in tags["platform"]:
        return False
    stable = tags["abi"] == "abi3"
    for tag in tags["python"].split("."):
        cpython = _CPYTHON.match(tag)
        if tag == "py3" or (cpython and (stable or int(cpython[1]) >= OLDEST[1])):
            return True
    return False


def resolve(engine: str, wanted: Path) -> list[dict[str, Any]]:
    """Return what the requirements file `wanted` resolves to, for every platform, as PEP 751 writes it."""
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder, "pylock.toml")
        oldest = ".".join(map(str, OLDEST))
        options = ["--universal", "--python-version", oldest, "--only-binary", ":all:", "--no-header", "--quiet"]
        subprocess.run(
            [engine, "pip", "compile", "--no-config", *options, "--format", "pylock.toml", "-o", lock, wanted],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        found: list[dict[str, Any]] = tomllib.loads(lock.read_text("utf-8"))["packages"]
    return [one for one in found if "win32" not in one.get("marker", "")]


def lines(distribution: dict[str, Any]) -> list[str]:
    """Return the lines of one distribution: its pin, then one hash each, in the order of the wheels' names."""
    wheels = {
        one.get("name") or one["url"].rsplit("/", 1)[1]: one["hashes"]["sha256"] for one in distribution["wheels"]
    }
    marker = f" ; {distribution['marker']}" if distribution.get("marker") else ""
    pin = f"{distribution['name']}=={distribution['version']}{marker}"
    return [pin, *(f"--hash=sha256:{wheels[name]}" for name in sorted(wheels) if fits(name))]


def main() -> None:
    """Resolve each list and write its lock."""
    for name in ("runtime", "check", "peers"):
        found = resolve(sys.argv[1], HERE / f"{name}.in")
        text = "".join(" \\\n    ".join(lines(one)) + "\n" for one in found)
        (HERE / f"{name}.lock").write_text(f"# Written by bootstrap/relock.py from {name}.in\n{text}", "utf-8")


if __name__ == "__main__":
    main()
