"""Make the run-time environment of a checkout, once: wheels that pip fetches and checks, unpacked beside each other.

pip only downloads here. It knows the index, the mirrors, the proxies and the passwords of this machine; but it
installs nothing, so no setting of it and no mistake of ours can make it write where the distribution does.
"""

import contextlib
import fcntl
import glob
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from typing import NoReturn

from bootstrap import fail, install_line, owner, whole

STAGING = ".staging-"
PIP_IN = {
    "apt-get": "python3-pip-whl",
    "dnf": "python3-pip",
    "pacman": "python-pip",
    "zypper": "python3-pip",
    "apk": "py3-pip",
}
# Run pip out of a wheel, the first argument: wheels are zip files that Python can import from.
FROM_WHEEL = """
import runpy, sys
sys.path.insert(0, sys.argv.pop(1))
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
_UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|NameResolutionError|Temporary failure in name resolution"
    r"|Network is unreachable|Max retries exceeded|ProxyError|Connection refused|timed out"
)


def prepare(runtime: str, lock: str) -> None:
    """Make the environment `runtime` of what `lock` pins: whole or not at all. Others who want it wait meanwhile."""
    pip = pip_command()
    if pip is None:
        fail(f"detente needs pip for its first run, and there is none; install it: {install_line(PIP_IN)}")
    parent = os.path.dirname(runtime)
    try:
        with alone(parent) as held:
            if not whole(runtime):
                sys.stderr.write(f"preparing detente's run-time environment in {runtime} (once)\n")
                _make(runtime, lock, pip, held)
    except OSError as err:
        reason = err.strerror or err
        fail(f"{err.filename or parent}: {reason}; or let XDG_CACHE_HOME name a directory that you can write to")


@contextlib.contextmanager
def alone(parent: str) -> Iterator[int]:
    """Hold the lock of `parent`, made where missing; what dead ones staged in it is gone. Yields the descriptor.

    A child that inherits the descriptor keeps the lock, so nothing is swept away under a pip that outlives us.
    """
    if os.geteuid() == 0 and owner(parent) != 0:
        fail(f"this runs as root, but {parent} is in another person's home; run it without sudo: detente needs no root")
    os.makedirs(parent, exist_ok=True)
    fd = os.open(os.path.join(parent, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write("waiting for another detente that prepares the run-time environment\n")
            fcntl.flock(fd, fcntl.LOCK_EX)
        for name in os.listdir(parent):
            if name.startswith(STAGING):
                shutil.rmtree(os.path.join(parent, name))
        yield fd
    finally:
        os.close(fd)


def _make(runtime: str, lock: str, pip: list[str], held: int) -> None:
    stage = os.path.join(os.path.dirname(runtime), STAGING + secrets.token_hex(8))
    wheels, finished = os.path.join(stage, "wheels"), os.path.join(stage, "finished")
    os.makedirs(wheels)
    try:
        download(pip, lock, wheels, held)
        for wheel in sorted(os.listdir(wheels)):
            _unpack(os.path.join(wheels, wheel), finished)
        os.sync()  # or a power cut after the rename could leave empty files under the final name
        if os.path.isdir(runtime):  # a part of it is missing
            os.rename(runtime, os.path.join(stage, "broken"))
        os.rename(finished, runtime)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _unpack(wheel: str, prefix: str) -> None:
    """Put the commands of `wheel` into `bin` and its modules into `lib`, both below `prefix`."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            top, _, below = member.filename.partition("/")
            if not top.endswith(".data"):
                archive.extract(member, os.path.join(prefix, "lib"))
            elif below.startswith("scripts/") and not member.is_dir():
                path = os.path.join(prefix, "bin", os.path.basename(below))
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with archive.open(member) as source, open(path, "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                os.chmod(path, stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)


def pip_command() -> list[str] | None:
    """Return how to call some pip of this machine: installed, or a wheel that Python or the distro carries."""
    probe = subprocess.run([sys.executable, "-I", "-c", "import pip"], stderr=subprocess.DEVNULL, check=False)
    if probe.returncode == 0:
        return [sys.executable, "-I", "-m", "pip"]
    stdlib = sysconfig.get_path("stdlib")
    wheels = [
        *glob.glob(os.path.join(stdlib, "ensurepip", "_bundled", "pip-*.whl")),
        *glob.glob("/usr/share/python-wheels/pip-*.whl"),
        *glob.glob("/usr/share/python3*-wheels/pip-*.whl"),
    ]
    return [sys.executable, "-I", "-c", FROM_WHEEL, wheels[0]] if wheels else None


def download(pip: list[str], lock: str, folder: str, held: int) -> None:
    """Fetch the wheels that `lock` pins into `folder`, each with its hash checked; where it fails, say why and end."""
    scratch = os.path.join(folder, ".tmp")
    os.makedirs(scratch)
    environment = {name: value for name, value in os.environ.items() if name not in ("PIP_PYTHON", "PIP_REQUIREMENT")}
    environment |= {"PIP_QUIET": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_CONSTRAINT": os.devnull, "TMPDIR": scratch}
    environment.setdefault("PIP_RETRIES", "2")
    # Only a verbose pip says why an index gave it nothing.
    options = ["-vv", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    child = subprocess.Popen(
        [
            *pip,
            "download",
            *options,
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--dest",
            folder,
            "--requirement",
            lock,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd="/",
        pass_fds=(held,),
    )
    try:
        said = child.communicate()[0].decode("utf-8", "replace")
    except BaseException:
        child.kill()
        child.wait()
        raise
    shutil.rmtree(scratch)
    if child.returncode != 0:
        _explain(said)


def _explain(said: str) -> NoReturn:
    """End with what pip's words come down to."""
    if "CERTIFICATE_VERIFY_FAILED" in said:
        fail("the package index shows a certificate that this machine does not trust; tell pip of yours with PIP_CERT")
    if "DO NOT MATCH THE HASHES" in said:
        fail("the package index has other files than detente expects; they were not used (check your index or mirror)")
    if _UNREACHABLE.search(said):
        fail("the package index cannot be reached; detente needs it for its first run: go online, or name pip a mirror")
    errors = [line.strip() for line in said.splitlines() if line.lstrip().upper().startswith("ERROR:")]
    last = errors[-1] if errors else (said.strip().splitlines() or ["it said nothing"])[-1]
    fail(f"pip could not fetch what detente needs: {re.sub('(?i)^error: *', '', last)}")
