"""Environments for the checks and the proofs: what a lock beside this file pins, below the cache directory."""

import os
import shutil
import subprocess
import sys

import bootstrap
import prepare


def root() -> str:
    """Return the directory below which everything lies that the checks keep."""
    return bootstrap.cache() + "-check"


def have_environment(name: str, served: tuple[str, ...] = ()) -> str:
    """Return the environment that `name`.lock makes for this Python; make it where missing, whole or not at all.

    It is made at its final place, because a virtual environment cannot be moved; `finished` is written last. Wheels
    whose names begin with one of `served` are kept beside it, in `served`, for tests to serve from an index.
    """
    lock = os.path.join(bootstrap.HERE, f"{name}.lock")
    parent = os.path.join(root(), "environments")
    place = os.path.join(parent, f"{bootstrap.digest(lock)}-{'.'.join(map(str, sys.version_info[:3]))}")
    mark = os.path.join(place, "finished")
    if os.path.exists(mark):
        return place
    pip = prepare.pip_command()
    if pip is None:
        bootstrap.fail(f"the checks need pip, and there is none; install it: {bootstrap.install_line(prepare.PIP_IN)}")
    with prepare.alone(parent) as held:
        if os.path.exists(mark):
            return place
        sys.stderr.write(f"preparing an environment of {name}.lock in {place} (once)\n")
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", place], check=True)
        wheels, kept = os.path.join(place, "wheels"), os.path.join(place, "served")
        os.mkdir(wheels)
        os.mkdir(kept)
        prepare.download(pip, lock, wheels, held)
        files = [os.path.join(wheels, one) for one in sorted(os.listdir(wheels))]
        options = ["--isolated", "--no-index", "--no-deps", "--quiet", "--disable-pip-version-check"]
        its_pip = next(path for path in files if os.path.basename(path).startswith("pip-"))
        call = [os.path.join(place, "bin", "python"), "-I", "-c", prepare.FROM_WHEEL, its_pip]
        subprocess.run([*call, "install", *options, *files], check=True, cwd="/")
        for path in files:
            if os.path.basename(path).startswith(served):
                os.rename(path, os.path.join(kept, os.path.basename(path)))
        shutil.rmtree(wheels)
        with open(mark, "w", encoding="utf-8"):
            pass
    return place
