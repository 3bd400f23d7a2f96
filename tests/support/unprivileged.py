"""A machine of a person without root's powers, for tests that run as root."""

import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

from support.index import Index
from support.machine import SOURCE, Machine, engine

USER = 1977
_LIBRARIES = ("packaging", "urllib3", "pyproject_hooks")


class Unprivileged(Machine):
    """`run` calls detente as the user USER; all that it needs is copied below `root`, where that user can read it."""

    def __init__(self, root: Path, index: Index | None = None) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        for place in (root, *root.parents):  # they are closed, where a test or a section made them
            if place.is_relative_to(tempfile.gettempdir()) and place != Path(tempfile.gettempdir()):
                place.chmod(place.stat().st_mode | 0o011)
        super().__init__(root / "home", index)
        libraries = Path(sysconfig.get_path("purelib"))
        shutil.copytree(SOURCE, root / "src", ignore=shutil.ignore_patterns("__pycache__"))
        for name in _LIBRARIES:
            shutil.copytree(libraries / name, root / "lib" / name)
        shutil.copyfile(engine(), root / "uv")
        (root / "uv").chmod(0o755)
        self.environ["DETENTE_UV"] = str(root / "uv")
        self.own(self.home)

    def own(self, place: Path) -> None:
        """Give `place` and all below it to the user."""
        for one in (place, *place.rglob("*")):
            os.chown(one, USER, USER, follow_symlinks=False)

    def argv(self, *words: str) -> list[str]:
        """Return the command line that starts detente as the user."""
        _, *rest = super().argv(*words)
        rest[rest.index(str(SOURCE))] = str(self._root / "src")
        rest[rest.index(sysconfig.get_path("purelib"))] = str(self._root / "lib")
        python = os.path.realpath(sys.executable)
        change = ["/usr/bin/setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        return [*change, python, *rest]


def possible() -> bool:
    """Say whether this can be: we are root, and the interpreter is one that others may run."""
    python = Path(os.path.realpath(sys.executable))
    return os.geteuid() == 0 and all(place.stat().st_mode & 0o001 for place in (python, *python.parents))
