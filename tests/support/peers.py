"""Other tools, real ones: those that ./prove pins, where it has made them, else what is on PATH."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.index import Index
from support.machine import engine

PYTHON = "/usr/bin/python3"


def peer(name: str) -> str | None:
    """Return the path of the program `name`, None where it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    made = sorted((cache / "detente-check/environments").glob(f"*/bin/{name}"))
    told = os.environ.get("DETENTE_PEERS")
    found = shutil.which(name, path=told) if told else None
    return found or shutil.which(name) or (str(made[0]) if made else None)


class Person:
    """Somebody whose home other tools install into, from `index` and nowhere else."""

    def __init__(self, home: Path, index: Index) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.environ = {
            "HOME": str(home),
            "PATH": f"{home}/.local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index.url,
            "PIP_BREAK_SYSTEM_PACKAGES": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_DEFAULT_INDEX": index.url,
            "UV_PYTHON": PYTHON,
            "UV_PYTHON_DOWNLOADS": "never",
        }

    def run(self, *command: str) -> None:
        """Run another tool and insist on success."""
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, cwd=self.home, timeout=120)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"

    def uv(self, *words: str) -> None:
        """Run uv."""
        self.run(engine(), *words)

    def pip(self, *words: str) -> None:
        """Run pip, as it works for the distro's own Python."""
        self.run(sys.executable, "-m", "pip", "--python", PYTHON, *words)
