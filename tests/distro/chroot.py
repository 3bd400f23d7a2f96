"""A Debian of its own for a test: a root file system built once per release, and a throw-away copy of it per test.

Everything mounted lives in a mount namespace of the one program that runs, and goes away with it; the machine's own
/dev, /home and /run are never inside. A copy is an overlay where the kernel allows it, else real copied files.
"""

import fcntl
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

SUITES = ("bookworm", "trixie")
INCLUDED = "python3,ca-certificates"
HOME = "/home/person"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PLACE = f"{HOME}/detente"
CHECKOUT = Path(__file__).resolve().parents[2]
# How this machine reaches an index: passed on, so that the tests pass behind a proxy or with a mirror.
PASSED_ON = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "PIP_DEFAULT_TIMEOUT", "PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL", "PIP_TRUSTED_HOST",
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS",
)  # fmt: skip
CERTIFICATES = ("CURL_CA_BUNDLE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")

# $1 root, $2 lower ("" where the root is a copy), $3 upper, $4 work, $5 user, $6 directory, then the command.
_ENTER = """
set -e
root=$1 lower=$2 upper=$3 work=$4 user=$5 place=$6
shift 6
if [ -n "$lower" ]; then
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$work" "$root"
fi
mount -t tmpfs -o mode=755,nosuid dev "$root/dev"
while read -r name major minor; do
    mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done <<END
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
END
ln -s /proc/self/fd "$root/dev/fd"
mkdir -m 1777 "$root/dev/shm"
mkdir -m 755 "$root/dev/pts"
# An instance of its own: terminals of the machine are not in it.
mount -t devpts -o newinstance,nosuid,noexec,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o mode=1777,nosuid,nodev tmp "$root/tmp"
# Not exec: this shell is the first of its process namespace, so all of them end with it; and it ends with us, which
# a program that has changed its user would not.
status=0
chroot --userspec="$user:$user" "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$place" "$@" || status=$?
exit $status
"""


class Unavailable(Exception):
    """There can be no such root file system here; the text says why."""


class Answer(NamedTuple):
    """What a program said."""

    status: int
    out: str
    err: str


def build(chroots: Path, suite: str) -> Path:
    """Return the root file system of `suite` below `chroots`; make it where it is missing.

    Raise Unavailable where that cannot be.

    Tests must not change it: `Chroot` gives them copies.
    """
    if os.geteuid() != 0:
        raise Unavailable("a chroot needs root")
    _reach_mirror(suite)
    chroots.mkdir(parents=True, exist_ok=True)
    try_it = 'mount -t tmpfs try "$1" && mknod "$1/null" c 1 3'
    words = [*_namespace(network=True), "sh", "-c", try_it, "sh", str(chroots)]
    probe = subprocess.run(words, capture_output=True, text=True)
    if probe.returncode != 0:
        raise Unavailable(f"no mounts and devices of our own here: {probe.stderr.strip()}")
    final = chroots / f"debian-{suite}-{os.uname().machine}"
    with open(chroots / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            stage = chroots / ".staging"
            if stage.exists():
                remove(stage)
            _debootstrap(stage, suite)
            stage.rename(final)
    return final


def _debootstrap(stage: Path, suite: str) -> None:
    command = shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if command is None:
        raise Unavailable("there is no debootstrap: sudo apt install debootstrap")
    stage.mkdir(mode=0o755)
    words = [command, "--variant=minbase", f"--include={INCLUDED}", suite, str(stage), *_mirror()]
    try:
        done = subprocess.run([*_namespace(network=True), *words], capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, f"debootstrap failed\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        settings = subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout
        kept = [line for line in settings.splitlines() if line.startswith(("Acquire::Check-", "Acquire::http"))]
        (stage / "etc/apt/apt.conf.d/99machine").write_text("".join(f"{line}\n" for line in kept))
    except BaseException:
        remove(stage)
        raise


def _reach_mirror(suite: str) -> None:
    """Raise Unavailable where the mirror cannot be reached: tests install system packages from it."""
    for mirror in _mirror():
        try:
            urllib.request.urlopen(f"{mirror.rstrip('/')}/dists/{suite}/Release", timeout=20).close()
        except OSError as err:
            raise Unavailable(f"the distro's mirror cannot be reached: {err}") from err


def _mirror() -> list[str]:
    """Return the mirror of Debian that this machine's apt uses, or nothing: debootstrap has a default."""
    wanted = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"
    words = ["apt-get", "indextargets", "--format", wanted, "Created-By: Packages"]
    try:
        lines = subprocess.run(words, capture_output=True, text=True).stdout.splitlines()
    except FileNotFoundError:
        return []
    prefix = "Debian|Debian|main|http"
    return [line.split("|", 3)[3] for line in lines if line.startswith(prefix)][:1]


def _namespace(*, network: bool) -> list[str]:
    """Return the words before a command that give it mounts and processes of its own; all of it dies with us."""
    words = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
    return words if network else [*words, "--net"]


class Chroot:
    """A throw-away copy of a root file system, kept below `scratch`, with the checkout at `place`.

    `layers` are laid over each other, the first one on top; without overlays the first one must be whole.
    """

    def __init__(self, scratch: Path, *layers: Path, place: str = PLACE) -> None:
        self.root = scratch / "root"
        self.place = place
        layers = tuple(layer.resolve() for layer in layers)  # a copy of a link would be no copy
        self._lower = ":".join(map(str, layers))
        self._upper, self._work = scratch / "upper", scratch / "work"
        for folder in (self.root, self._upper, self._work):
            folder.mkdir()
            folder.chmod(0o755)
        if self._run(["true"], user="root").status != 0:
            self._lower = ""
            self.root.rmdir()
            words = ["cp", "--archive", "--reflink=auto", "--one-file-system", str(layers[0]), str(self.root)]
            subprocess.run(words, check=True)
        self.changed = self._upper if self._lower else self.root
        self._furnish()

    def run(
        self,
        *argv: str,
        user: str = "person",
        cwd: str = "",
        network: bool = True,
        timeout: float = 300,
        environ: Mapping[str, str] = {},
    ) -> Answer:
        """Run `argv` inside, as `user`, with a plain environment and `environ` on top; in the checkout if no `cwd`."""
        cwd = cwd or self.place
        return self._run(list(argv), user=user, cwd=cwd, network=network, timeout=timeout, environ=environ)

    @property
    def overlaid(self) -> bool:
        """Whether the copy is an overlay: then what changed lies apart."""
        return bool(self._lower)

    def files(self) -> set[str]:
        """Return every path that differs from the distro's own (all paths, where the copy is no overlay)."""
        return {str(path.relative_to(self.changed)) for path in self.changed.rglob("*")}

    def _run(
        self,
        argv: list[str],
        *,
        user: str,
        cwd: str = "/",
        network: bool = True,
        timeout: float = 300,
        environ: Mapping[str, str] = {},
    ) -> Answer:
        home = "/root" if user == "root" else f"/home/{user}"
        plain = {"HOME": home, "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8"}
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        passed |= dict.fromkeys((name for name in CERTIFICATES if os.environ.get(name)), BUNDLE)
        places = [str(self.root), self._lower, str(self._upper), str(self._work), user, cwd]
        done = subprocess.run(
            [*_namespace(network=network), "sh", "-c", _ENTER, "sh", *places, *argv],
            env={**plain, **passed, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def _furnish(self) -> None:
        """Put in what a person's machine has: a resolver, the certificates, an account, a clone of the project."""
        for name in ("/etc/resolv.conf", "/etc/hosts"):
            self._write(name, Path(name).read_bytes())
        bundle = next((os.environ[name] for name in CERTIFICATES if os.path.isfile(os.environ.get(name, ""))), BUNDLE)
        if os.path.isfile(bundle):
            self._write(BUNDLE, Path(bundle).read_bytes())
        if not (self.look("/home/person")).exists():
            made = self._run(["useradd", "--create-home", "--uid", "1000", "person"], user="root")
            assert made.status == 0, made.err
        place = self.changed / self.place.lstrip("/")
        for name in checkout_files():
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, target)
        owner = 1000 if self.place.startswith("/home/") else 0
        for folder, _, names in os.walk(place):
            for path in (folder, *(os.path.join(folder, name) for name in names)):
                os.chown(path, owner, owner)

    def look(self, path: str) -> Path:
        """Return where the file or directory `path` of the inside can be read: in the uppermost layer that has it."""
        places = [self.changed, *map(Path, self._lower.split(":"))] if self._lower else [self.changed]
        found = [place / path.lstrip("/") for place in places]
        return next((place for place in found if os.path.lexists(place)), found[-1])

    def _write(self, path: str, data: bytes) -> None:
        """Write a file of root's, its directories with the modes that the distro gives them."""
        target = self.changed / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_bytes(data)
        target.chmod(0o644)


def checkout_files() -> list[str]:
    """Return the files of this checkout as a clone would have them, with what is not committed yet."""
    words = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True)
    if listed.returncode == 0:
        return [name for name in listed.stdout.split("\0") if name and (CHECKOUT / name).is_file()]
    every = (path.relative_to(CHECKOUT) for path in CHECKOUT.rglob("*") if path.is_file())
    return [str(path) for path in every if "__pycache__" not in path.parts and not path.parts[0].startswith(".")]


def remove(place: Path) -> None:
    """Remove a root file system; refuse where anything is mounted in it."""
    inside = f"{place.resolve()}/"
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    busy = [path for path in mounted if f"{path}/".startswith(inside)]
    if busy:
        raise AssertionError(f"not removed, because something is mounted there: {busy}")
    subprocess.run(["rm", "--recursive", "--force", "--one-file-system", str(place)], check=True)
