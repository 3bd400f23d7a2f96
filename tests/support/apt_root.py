"""A root file system of Debian 12 as DETENTE_DISTRO takes one, with what apt and dpkg read of it, made by hand.

The names are real ones, so that the table of bookworm knows them. apt and dpkg's own formats are tested elsewhere, on
what real systems recorded; here the machine's real apt-cache reads this root.
"""

import shutil
import subprocess
from pathlib import Path

APT = shutil.which("apt-cache", path="/usr/bin")
NO_APT = "needs apt-cache, which the machine does not have"
_OS_RELEASE = 'ID=debian\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
_DIST = "/usr/lib/python3/dist-packages"


class AptRoot:
    """The root at `path`: nothing is installed, and apt's lists are empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._status: list[str] = []
        self._offered: dict[str, list[str]] = {}
        self._automatic: list[str] = []
        self.write("/etc/os-release", _OS_RELEASE)
        self.write("/usr/share/python3/debian_defaults", "[DEFAULT]\ndefault-version = python3.11\n")
        self.write("/usr/bin/dpkg-query", "")
        (path / "bin").symlink_to("usr/bin")
        self.write("/var/lib/dpkg/info/format", "1\n")
        self.installed("dpkg", "1.21.22", ["/usr/bin/dpkg"])

    def write(self, name: str, text: str) -> Path:
        """Write the file `name`, absolute below the root."""
        place = self.path / name.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def installed(
        self, package: str, version: str, files: list[str], *, manual: bool = True, state: str = "install ok installed"
    ) -> None:
        """Have `package` with `files`, which are made (empty) where they are not there."""
        fields = [f"Package: {package}", f"Status: {state}", "Architecture: all", f"Version: {version}"]
        self._status.append("\n".join([*fields, "Installed-Size: 100", "Description: made for a test"]) + "\n")
        if not manual:
            self._automatic.append(f"Package: {package}\nArchitecture: all\nAuto-Installed: 1\n")
        for name in files:
            if not (self.path / name.lstrip("/")).exists():
                self.write(name, "")
        folders = {str(parent) for name in files for parent in Path(name).parents if str(parent) != "/"}
        self.write(f"/var/lib/dpkg/info/{package}.list", "\n".join(["/.", *sorted(folders | set(files))]) + "\n")
        self.write("/var/lib/dpkg/status", "\n".join(self._status))
        self.write("/var/lib/apt/extended_states", "\n".join(self._automatic))

    def python(
        self, package: str, version: str, name: str, upstream: str, *, commands: tuple[str, ...] = (), **more: bool
    ) -> None:
        """Have `package` with the distribution `name`, a module of that name, and `commands`."""
        module = name.lower().replace("-", "_")
        files = [f"{_DIST}/{name}-{upstream}.dist-info/METADATA", f"{_DIST}/{module}/__init__.py"]
        self.installed(package, version, [*files, *(f"/usr/bin/{command}" for command in commands)], **more)

    def offered(
        self,
        package: str,
        version: str,
        *,
        suite: str = "bookworm",
        vendor: str = "Debian",
        label: str = "",
        words: str = "made for a test",
    ) -> None:
        """Have apt's lists offer `package` in `suite`."""
        known = self._offered.setdefault(suite, [])
        known.append(
            f"Package: {package}\nVersion: {version}\nArchitecture: all\nInstalled-Size: 400\nSize: 100556\n"
            f"Filename: pool/{package}.deb\nMD5sum: {'0' * 32}\nDescription: {words}\n"
        )
        arch = subprocess.run(
            ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
        ).stdout.strip()
        sources = "".join(f"deb [trusted=yes] http://deb.example/{each} {each} main\n" for each in self._offered)
        self.write("/etc/apt/sources.list", sources)
        stem = f"/var/lib/apt/lists/deb.example_{suite}_dists_{suite}_"
        self.write(
            f"{stem}InRelease",
            f"Origin: {vendor}\nLabel: {label or vendor}\nSuite: {suite}\nCodename: {suite}\nComponents: main\n"
            "Date: Sat, 01 Jul 2023 00:00:00 UTC\nSHA256:\n",
        )
        self.write(f"{stem}main_binary-{arch}_Packages", "\n".join(known))
