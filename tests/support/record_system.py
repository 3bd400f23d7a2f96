"""Record what apt and dpkg write on a real system, odd packages included: `python record_system.py SUITE…`, as root.

A throw-away copy of a Debian (`tests/distro/chroot.py`) is used. What is recorded goes to tests/fixtures/systems/SUITE,
without the names of this machine's mirrors.
"""

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Container
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "distro"), str(HERE.parents[1] / "src")]

from chroot import Answer, Chroot, _mirror, build, remove  # noqa: E402

from detente.distro import apt  # noqa: E402
from support import odd_packages as odd  # noqa: E402

FIXTURES = HERE.parent / "fixtures/systems"
PLAIN = ("python3-yaml", "python3-requests", "yamllint")  # from Debian itself; requests has a security update
ASKED = (
    *PLAIN, "httpie", "python3", "python3-urllib3", "python3-epochal", "python3-heldback", "python3-repacked",
    "shouter", "python3-twoarch", "python3-twoarch:i386", "python3-leftover", "hermit", "unknown-package", "awk",
)  # fmt: skip
WHOLE = ("dpkg", "coreutils", "python3", "python3-minimal", "mawk")  # recorded besides the Python packages
CLOSED = "127.0.0.1:9"  # where nobody listens
LOCK = """
import fcntl, subprocess, sys
lock = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""


class Recorder:
    """One system being recorded, into `folder`."""

    def __init__(self, base: Path, scratch: Path) -> None:
        self.folder = scratch / "recorded"
        self.folder.mkdir()
        self.chroot = Chroot(scratch, base)
        self.suite = ""
        self._secret = sorted({re.sub(r"^https?://", "", url).rstrip("/") for url in _mirror()}, key=len, reverse=True)

    def root(self, *argv: str, expected: int | None = 0, user: str = "root") -> Answer:
        """Run a program inside; insist on its status, unless that is None."""
        environ = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        answer = self.chroot.run(*argv, user=user, cwd="/", environ=environ)
        assert expected is None or answer.status == expected, f"{argv}: {answer.out[-1500:]}\n{answer.err[-1500:]}"
        return answer

    def read(self, path: str) -> str:
        """Return a file of the system."""
        return self.root("cat", path).out

    def write(self, path: str, text: str) -> None:
        """Write a file of the system."""
        place = self.chroot.changed / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def keep(self, name: str, text: str) -> None:
        """Keep `text` in the fixture, without what is this machine's own."""
        (self.folder / name).write_text(self.scrubbed(text))

    def scrubbed(self, text: str) -> str:
        """Return `text` with every host that is not the example's replaced."""
        for url in self._secret:
            host, _, path = url.partition("/")
            text = text.replace(url, f"deb.example/{path.rpartition('/')[2]}").replace(host, "deb.example")
        text = re.sub(
            r"(https?://)(?!deb\.example|127\.|www\.|packages\.debian)[^/\s']+(?:/[^/\s']+)*?(/debian(?:-security)?)\b",
            r"\1deb.example\2",
            text,
        )
        return re.sub(r"(?m)^(\s+origin )(?!Debian).+$", r"\1deb.example", text)

    def complain(self, name: str, *argv: str, user: str = "root", shown: tuple[str, ...] = ()) -> None:
        """Keep what a command that fails says."""
        answer = self.root(*argv, expected=None, user=user)
        assert answer.status != 0, f"{name}: {argv} did not fail: {answer}"
        words = " ".join(shown or argv)
        self.keep(
            f"complaint-{name}.txt",
            f"$ {words}\nstatus: {answer.status}\n-- stdout\n{answer.out}-- stderr\n{answer.err}",
        )
        print(f"  {name}: {answer.err.strip().splitlines()[-1:]}")


def furnish(at: Recorder) -> None:
    """Bring the system into all the states that are recorded."""
    codename = re.search(r"^VERSION_CODENAME=(\w+)", at.read("/etc/os-release"), re.MULTILINE)
    assert codename is not None
    at.suite = codename[1]
    (mirror,) = _mirror()
    security = re.sub(r"debian/*$", "debian-security", mirror)
    suites = [
        (mirror, at.suite),
        (mirror, f"{at.suite}-updates"),
        (security, f"{at.suite}-security"),
        (mirror, f"{at.suite}-backports"),
    ]
    lines = [f"deb [arch=amd64] {url} {suite} main\n" for url, suite in suites]
    at.write("/etc/apt/sources.list", "".join([*lines, "deb [trusted=yes] file:/srv/odd stable main\n"]))
    offered = (*odd.INSTALLED, *odd.TWICE, *odd.UNFINISHED, *odd.REFUSED)
    odd.publish(offered, at.chroot.changed / "srv/odd")
    at.root("dpkg", "--add-architecture", "i386")
    at.root("apt-get", "update")
    names = [deb.name for deb in odd.INSTALLED]
    at.root(
        "apt-get",
        "install",
        "--yes",
        "--no-install-recommends",
        *PLAIN,
        *names,
        "python3-twoarch",
        "python3-twoarch:i386",
        "python3-leftover",
    )
    at.root("apt-mark", "auto", "python3-shouter", "python3-yaml")
    at.root("apt-mark", "hold", "python3-heldback")
    at.root("dpkg", "--remove", "python3-leftover")
    odd.publish(odd.NEWER, at.chroot.changed / "srv/odd")
    at.root("apt-get", "update")


def facts(at: Recorder) -> None:
    """Keep dpkg's files, cut down to the packages that matter, and apt's answers."""
    listed = at.root("sh", "-c", "grep -lE 'dist-packages|(egg|dist)-info' /var/lib/dpkg/info/*.list").out.split()
    stems = {Path(path).stem for path in listed}
    names = {stem.partition(":")[0] for stem in stems} | set(WHOLE)
    names |= {deb.name for deb in (*odd.INSTALLED, *odd.UNFINISHED, *odd.TWICE)}
    at.keep("status", cut(at.read("/var/lib/dpkg/status"), names))
    at.keep("extended_states", cut(at.read("/var/lib/apt/extended_states"), names))
    at.keep("diversions", at.read("/var/lib/dpkg/diversions"))
    at.keep("os-release", at.read("/etc/os-release"))
    at.keep("debian_defaults", at.read("/usr/share/python3/debian_defaults"))
    every = at.root("sh", "-c", "ls /var/lib/dpkg/info").out.split()
    files = sorted(
        name for name in every if name.endswith(".list") and name.removesuffix(".list").partition(":")[0] in names
    )
    at.keep("lists.txt", "".join(f"== {name}\n{at.read(f'/var/lib/dpkg/info/{name}')}" for name in files))
    at.keep("policy.txt", at.root("apt-cache", "policy", "--", *ASKED).out)
    at.keep("sources.txt", at.root("apt-cache", "policy").out)
    known = [name for name in ASKED if name not in ("unknown-package", "awk")]
    show = at.root("apt-cache", "show", "--", *known).out
    at.keep("show.txt", re.sub(r"(?m)^(?!Package|Version|Architecture|Installed-Size|Size|Source|$).*\n", "", show))
    at.keep("search.txt", at.root("apt-cache", "search", "--", "yaml", "linter").out)
    simulating = ("apt-get", "-s", "-o", "Debug::NoLocking=1")
    at.keep("simulate-install.txt", at.root(*simulating, "--no-install-recommends", "install", "--", "httpie").out)
    at.keep("simulate-upgrade.txt", at.root(*simulating, "install", "--", "python3-epochal", "python3-twoarch").out)
    at.keep("simulate-remove.txt", at.root(*simulating, "install", "--", "python3-rival").out)
    at.keep("simulate-everything.txt", at.root(*simulating, "dist-upgrade").out)
    at.keep("simulate-foreign.txt", at.root(*simulating, "--reinstall", "install", "--", "python3-twoarch:i386").out)
    at.keep("simulate-nothing.txt", at.root(*simulating, "install", "--", "yamllint").out)
    paths = ["/usr/bin/yamllint", "/usr/bin/ls", "/usr/bin/shouter", "/usr/bin/shouter.real", f"{odd.DIST}/yaml"]
    at.keep("owners.txt", at.root(*apt.owners([*paths, "/usr/bin/awk", "/nothing"]).argv, expected=1).out)


def cut(text: str, packages: Container[str]) -> str:
    """Return the paragraphs of `packages`, as dpkg and apt write them."""
    blocks = text.split("\n\n")
    kept = [block for block in blocks if block.partition("\n")[0].removeprefix("Package: ") in packages]
    return "".join(f"{block}\n\n" for block in kept)


def complaints(at: Recorder) -> None:
    """Make apt and dpkg fail in every way that has a meaning of its own, and keep their words."""
    simulating = ("apt-get", "-s", "-o", "Debug::NoLocking=1", "install", "--")
    really = ("apt-get", "install", "--yes", "--no-remove", "--")
    at.complain("unknown", *simulating, "unknown-package")
    at.write("/etc/apt/preferences.d/never", "Package: httpie\nPin: release *\nPin-Priority: -1\n")
    at.complain("no-candidate", *simulating, "httpie")
    at.root("rm", "/etc/apt/preferences.d/never")
    at.complain("impossible", *simulating, "python3-impossible")
    at.complain("removes", *really, "python3-rival")
    at.complain("held", "apt-get", "install", "--yes", "--", "python3-heldback")
    at.complain("not-root", *really, "httpie", user="person")
    lock = ("python3", "-c", LOCK, "apt-get", "-o", "DPkg::Lock::Timeout=1", *really[1:], "python3-rival-not")
    at.complain("locked", *lock, shown=lock[3:])
    full = 'cd /var/cache/apt && mount -t tmpfs -o size=16k small archives && mkdir archives/partial && exec "$@"'
    at.complain("full", "sh", "-c", full, "sh", *really, "hello", shown=(*really, "hello"))
    small = 'mount -t tmpfs -o size=4k small /usr/share/doc && exec "$@"'
    at.complain("full-dpkg", "sh", "-c", small, "sh", *really, "hello", shown=(*really, "hello"))
    at.root("dpkg", "--purge", "hello", expected=None)
    at.root("apt-get", "clean")
    lock = ("python3", "-c", LOCK, "dpkg", "--configure", "-a")
    at.complain("locked-dpkg", *lock, shown=lock[3:])
    sources = at.read("/etc/apt/sources.list")
    fetch = f"sed -i 's,http[s]*://[^/]*,http://{CLOSED},' /etc/apt/sources.list; cd /var/lib/apt/lists; "
    fetch += f'for f in *_debian*; do mv $f {CLOSED}_${{f#*_}}; done; exec "$@"'
    at.root("cp", "-a", "/var/lib/apt/lists", "/var/lib/apt/lists.kept")
    at.complain("fetch", "sh", "-c", fetch, "sh", *really, "hello", shown=(*really, "hello"))
    at.write("/etc/apt/sources.list", sources)
    at.root("sh", "-c", "rm -r /var/lib/apt/lists && mv /var/lib/apt/lists.kept /var/lib/apt/lists")
    at.complain("script", *really, "python3-halfdone")
    at.root("dpkg", "--purge", "python3-halfdone")
    at.root(*really, "python3-torn", expected=None)  # kills dpkg
    at.complain("interrupted", *really, "httpie")
    at.keep("updates.txt", at.root("sh", "-c", "for f in /var/lib/dpkg/updates/0*; do head -n 12 $f; done").out)
    at.root("dpkg", "--configure", "-a", expected=None)
    at.root("sh", "-c", "dpkg --install /srv/odd/pool/python3-halfdone*.deb", expected=1)
    unfinished = {"dpkg", *(deb.name for deb in odd.UNFINISHED)}
    at.keep("status-unfinished", cut(at.read("/var/lib/dpkg/status"), unfinished))
    at.root("dpkg", "--purge", "--force-all", "python3-torn", "python3-halfdone", expected=None)
    at.root("sh", "-c", "dpkg --force-depends --install /srv/odd/pool/python3-impossible*.deb", expected=None)
    at.complain("unmet", *really, "httpie")
    at.root("dpkg", "--purge", "python3-impossible")
    status = at.read("/var/lib/dpkg/status")
    at.root("cp", "-a", "/var/lib/dpkg/status", "/var/lib/dpkg/status.kept")
    at.write("/var/lib/dpkg/status", status[: len(status) // 2])
    at.complain("status-truncated-dpkg", "dpkg-query", "-W", "dpkg-nothing")
    at.write("/var/lib/dpkg/status", "\0\0garbage\n" + status)
    at.complain("status-garbage", *simulating, "httpie")
    at.complain("status-garbage-cache", "apt-cache", "policy", "--", "httpie")
    at.complain("status-garbage-dpkg", "dpkg-query", "-W", "dpkg")
    at.root("mv", "/var/lib/dpkg/status.kept", "/var/lib/dpkg/status")
    at.root("sh", "-c", "for list in /var/lib/apt/lists/*_Packages; do echo garbage > $list; done")
    at.complain("lists-garbage", "apt-cache", "policy", "--", "httpie")
    at.root("sh", "-c", "rm -rf /var/lib/apt/lists/*")
    at.complain("no-lists", *simulating, "httpie")


def record(suite: str, base: Path) -> None:
    """Record the release `suite`, whose root file system is `base`."""
    with tempfile.TemporaryDirectory(prefix="detente-record-") as folder:
        scratch = Path(folder)
        scratch.chmod(0o755)
        at = Recorder(base, scratch)
        try:
            furnish(at)
            versions = at.root("dpkg-query", "-W", "-f", "${Package} ${Version}\n", "apt", "dpkg", "base-files").out
            at.keep("recorded.txt", f"by tests/support/record_system.py on {time.strftime('%Y-%m-%d')}\n{versions}")
            facts(at)
            complaints(at)
            shutil.rmtree(FIXTURES / suite, ignore_errors=True)
            shutil.copytree(at.folder, FIXTURES / suite)
        finally:
            remove(at.chroot.root)


def main() -> int:
    """Record; return the exit status."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    for suite in sys.argv[1:]:
        record(suite, build(cache / "detente-check/chroots", suite))
    return 0 if sys.argv[1:] else 2


if __name__ == "__main__":
    sys.exit(main())
