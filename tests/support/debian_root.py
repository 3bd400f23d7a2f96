"""A root file system with dpkg's records and a few system packages, as DETENTE_DISTRO takes one.

Its Python is the machine's /usr/bin/python3, so that what it has can be imported for real.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

PYTHON = "/usr/bin/python3"
TREE = "usr/lib/python3/dist-packages"
_OS_RELEASE = 'ID=debian\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'


def minor() -> str:
    """Return the minor version of the machine's own Python, "" where it has none."""
    if not os.access(PYTHON, os.X_OK):
        return ""
    ask = [PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()


class DebianRoot:
    """The root at `path`, with no Python system package; its own Python has the minor version `python`."""

    def __init__(self, path: Path, python: str) -> None:
        self.path = path
        self.tree = path / TREE
        self._packages: dict[str, dict[str, str]] = {"dpkg": {"Version": "1.21.22", "Architecture": "amd64"}}
        self._brought: dict[str, list[str]] = {"dpkg": ["/.", "/usr"]}
        self.write("etc/os-release", _OS_RELEASE)
        self.write("usr/share/python3/debian_defaults", f"[DEFAULT]\ndefault-version = python{python}\n")
        self.write("usr/bin/dpkg-query", "")
        (path / "var/lib/dpkg/info").mkdir(parents=True)
        self._record()

    def write(self, name: str, text: str) -> Path:
        """Write a file that no system package has."""
        place = self.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def install(
        self,
        package: str,
        files: Mapping[str, str],
        *,
        version: str = "1.0-1",
        depends: str = "",
        provides: str = "",
        state: str = "installed",
    ) -> None:
        """Install or upgrade `package`, with `files` (path in dist-packages to text), as dpkg would."""
        if package in self._packages:
            self._take_away(package, {f"/{TREE}/{name}" for name in files})
        paths = {"/."}
        for name, text in files.items():
            self.write(f"{TREE}/{name}", text)
            parts = f"{TREE}/{name}".split("/")
            paths |= {"/" + "/".join(parts[:end]) for end in range(1, len(parts) + 1)}
        fields = {"Version": version, "Architecture": "all", "Depends": depends, "Provides": provides, "state": state}
        self._packages[package] = fields
        self._brought[package] = sorted(paths)
        self._record()
        modules = [str(self.tree / name) for name in files if name.endswith(".py")]
        if modules:  # as its own script does, by py3compile
            subprocess.run([PYTHON, "-m", "py_compile", *modules], check=True)

    def remove(self, package: str) -> None:
        """Remove `package` and what is its alone."""
        self._take_away(package, set())
        del self._packages[package], self._brought[package]
        (self.path / f"var/lib/dpkg/info/{package}.list").unlink()
        self._record()

    def _take_away(self, package: str, kept: set[str]) -> None:
        others = {path for name, paths in self._brought.items() if name != package for path in paths}
        for path in sorted(set(self._brought[package]) - others - kept, reverse=True):
            place = self.path / path.lstrip("/")
            if place.is_dir():
                shutil.rmtree(place / "__pycache__", ignore_errors=True)
                with contextlib.suppress(OSError):
                    place.rmdir()
            elif place.exists():
                place.unlink()
                for compiled in place.parent.glob(f"__pycache__/{place.stem}.*.pyc"):
                    compiled.unlink()

    def _record(self) -> None:
        blocks = []
        for package, fields in self._packages.items():
            lines = [f"Package: {package}", f"Status: install ok {fields.get('state', 'installed')}"]
            lines += [f"{name}: {value}" for name, value in fields.items() if value and name != "state"]
            blocks.append("\n".join(lines) + "\n")
            text = "".join(f"{path}\n" for path in self._brought[package])
            (self.path / f"var/lib/dpkg/info/{package}.list").write_text(text)
        (self.path / "var/lib/dpkg/status").write_text("\n".join(blocks))
