"""Start detente from this checkout (called by ../detente, isolated and without site).

The usual way through is a few file look-ups: keep it so. This file must be readable by Python 3.6, so that an old
interpreter ends in a sentence and not in a SyntaxError; everything newer goes to prepare.py.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

OLDEST = (3, 11)
HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.dirname(HERE)


def fail(message: str) -> "NoReturn":
    """End with one sentence."""
    sys.stderr.write("error: " + message + "\n")
    sys.exit(1)


def cache() -> str:
    """Return detente's cache directory (XDG Base Directory Specification); it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        home = os.path.expanduser("~")
        if not home.startswith("/"):
            fail("HOME is not set; set it to your home directory: export HOME=/home/NAME")
        base = os.path.join(home, ".cache")
    return os.path.join(base, "detente")


def owner(path: str) -> int:
    """Return the user id that owns `path`, or the nearest directory above it that exists."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.stat(path).st_uid


def digest(lock: str) -> str:
    """Return the name of the run-time environment that `lock` makes on this platform."""
    try:
        from _blake2 import blake2b  # hashlib would load OpenSSL, which costs more than all else here
    except ImportError:
        from hashlib import blake2b
    platform = getattr(sys.implementation, "_multiarch", "") or "-".join((os.uname().machine, str(sys.maxsize)))
    with open(lock, "rb") as stream:
        return blake2b(stream.read() + platform.encode(), digest_size=10).hexdigest()


def newer() -> str:
    """Return a Python on PATH that is new enough, or ""."""
    import subprocess

    question = "import sys; sys.exit(sys.version_info < {!r})".format(OLDEST)
    for name in ["python3.{}".format(minor) for minor in range(15, OLDEST[1] - 1, -1)] + ["python3"]:
        for folder in os.get_exec_path():
            python = os.path.join(folder, name)
            if folder.startswith("/") and os.access(python, os.X_OK):
                quiet = subprocess.DEVNULL
                if subprocess.call([python, "-I", "-S", "-c", question], stdout=quiet, stderr=quiet) == 0:
                    return python
    return ""


def distro() -> str:
    """Return which package manager this distro has: its command, or ""."""
    for command in ("apt-get", "dnf", "pacman", "zypper", "apk"):
        if any(os.access(os.path.join(folder, command), os.X_OK) for folder in ("/usr/bin", "/usr/sbin", "/sbin")):
            return command
    return ""


def install_line(names: "dict[str, str]") -> str:
    """Return what to type so that the one system package in `names` (by package manager) is there."""
    verbs = {"apt-get": "apt install", "dnf": "dnf install", "pacman": "pacman -S", "zypper": "zypper install"}
    command = distro()
    if command not in names:
        return "with your distribution's package manager"
    return ("" if os.geteuid() == 0 else "sudo ") + verbs.get(command, "apk add") + " " + names[command]


def whole(runtime: str) -> bool:
    """Say whether all of the run-time environment is there: who cleans a cache may have taken a part of it."""
    parts = ["bin/uv"] + ["lib/%s/__init__.py" % name for name in ("packaging", "pyproject_hooks", "urllib3")]
    return all(os.path.exists(os.path.join(runtime, part)) for part in parts)


def main() -> int:
    """Have a run-time environment, and run the command line in it."""
    if sys.version_info < OLDEST:
        python = newer()
        if python:
            os.execv(python, [python, "-I", "-S", os.path.abspath(__file__)] + sys.argv[1:])
        names = {"apt-get": "python3.11", "dnf": "python3.11", "pacman": "python", "zypper": "python311"}
        found = "{}.{}.{}".format(*sys.version_info[:3])
        line = install_line(dict(names, apk="python3"))
        fail("detente needs Python 3.11 or newer, and this is {}; install a newer one: {}".format(found, line))
    root = cache()
    lock = os.path.join(HERE, "runtime.lock")
    runtime = os.path.join(root, "runtime", digest(lock))
    sys.pycache_prefix = os.path.join(root, "pycache")  # the checkout stays clean
    if os.geteuid() == 0 and owner(root) != 0:
        sys.dont_write_bytecode = True  # root leaves no files in another person's cache
    if not whole(runtime):
        sys.path.insert(0, HERE)
        import prepare

        prepare.prepare(runtime, lock)
        del sys.path[0]
    sys.argv[0] = os.path.join(CHECKOUT, "detente")
    sys.path[:0] = [os.path.join(CHECKOUT, "src"), os.path.join(runtime, "lib")]
    from detente.cli.main import main as run

    return run()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
