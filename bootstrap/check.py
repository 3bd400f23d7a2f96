"""Run the checks of this checkout (called by ../check) in an environment of their own, below the cache directory.

The environment holds what check.lock pins. Its wheels are kept beside it: tests serve some of them from an index on
loopback, so that they need no network. Once it is made, nothing here needs one.
"""

import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # the checkout stays clean
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bootstrap
import pinned

SETS = ("distro", "live", "faults", "property")
SERVED = ("flit_core-", "packaging-", "pyproject_hooks-", "urllib3-", "uv-")  # what installing detente itself needs
# commands that tests call, and the system packages of Debian that have them
TOOLS = {
    "bwrap": "bubblewrap",
    "debootstrap": "debootstrap",
    "fish": "fish",
    "git": "git",
    "man": "man-db",
    "mkfs.btrfs": "btrfs-progs",
    "mkfs.xfs": "xfsprogs",
    "zsh": "zsh",
}


def main(arguments: list[str]) -> int:
    """Run the chosen checks, all of them whatever the first ones say; return the exit status."""
    os.chdir(bootstrap.CHECKOUT)
    root = pinned.root()
    environment = pinned.have_environment("check", SERVED)
    have_tools()
    settings = {
        "DETENTE_TEST_WHEELS": os.path.join(environment, "served"),
        "HYPOTHESIS_STORAGE_DIRECTORY": os.path.join(root, "hypothesis"),
        "MYPY_CACHE_DIR": os.path.join(root, "mypy"),
        "RUFF_CACHE_DIR": os.path.join(root, "ruff"),
    }
    os.environ.update(settings)
    programs = os.path.join(environment, "bin")
    tests = [os.path.join(programs, "python"), "-m", "pytest", "-o", f"cache_dir={os.path.join(root, 'pytest')}"]
    if arguments and arguments != ["fast"]:
        return run([*tests, *(["-m"] if arguments[0] in SETS else []), *arguments])
    chosen = "not (distro or live or faults)" if arguments else "not live or small"
    if not arguments and not has_route():
        sys.stderr.write("this machine has no network: the tests of the set `live` are skipped\n")
        chosen = "not live"
    steps = {
        "ruff format": [os.path.join(programs, "ruff"), "format", "--check", "--quiet", "."],
        "ruff check": [os.path.join(programs, "ruff"), "check", "--quiet", "."],
        "mypy": [os.path.join(programs, "mypy")],
        "pytest": [*tests, "--numprocesses", "2", "--dist", "loadfile", "-m", chosen],
    }
    failed = [name for name, step in steps.items() if run(step) != 0]
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return 1 if failed else 0


def run(command: list[str]) -> int:
    """Say what runs, run it, and return its exit status."""
    sys.stderr.write(f"$ {' '.join([os.path.basename(command[0]), *command[1:]])}\n")
    return subprocess.run(command, check=False).returncode


def has_route() -> bool:
    """Say whether packets can leave this machine at all (proc_net(5))."""
    with open("/proc/net/route", encoding="ascii") as stream:
        if any(line.split()[1] == "00000000" for line in stream):
            return True
    try:
        with open("/proc/net/ipv6_route", encoding="ascii") as stream:
            return any(line.split()[1] == "00" and line.split()[-1] != "lo" for line in stream)
    except FileNotFoundError:
        return False


def have_tools() -> None:
    """Install the programs that tests call, where we are root on a Debian; else say what will be skipped, and why."""
    path = f"{os.environ.get('PATH', '/usr/bin:/bin')}:/usr/sbin:/sbin"
    missing = {command: name for command, name in TOOLS.items() if shutil.which(command, path=path) is None}
    if not missing:
        return
    names = sorted(set(missing.values()))
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update"], ["install", "--yes", "--no-install-recommends", *names]):
            done = subprocess.run(["apt-get", "-q", *step], env=quiet, stdout=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            return
    line = f"sudo apt install {' '.join(names)}"
    sys.stderr.write(f"tests that need {', '.join(sorted(missing))} are skipped; for all of them: {line}\n")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
