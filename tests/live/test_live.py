"""The real index, real applications: each runs as it does in a plain virtual environment, and leaves nothing.

Deselected unless asked for (`./check live`), but for the three marked `small`.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.machine import Machine, engine

# what to install; further words for detente; the command, and how it says its version
APPLICATIONS = {
    "httpie": ([], ["http", "--version"]),
    "black": ([], ["black", "--version"]),
    "ruff": ([], ["ruff", "--version"]),
    "ansible": (["--commands-from", "ansible-core"], ["ansible", "--version"]),
    "jupyterlab": ([], ["jupyter-lab", "--version"]),
    "poetry": ([], ["poetry", "--version"]),
    "yt-dlp": ([], ["yt-dlp", "--version"]),
    "cookiecutter": ([], ["cookiecutter", "--version"]),
    "mercurial": ([], ["hg", "version", "-q"]),
    "awscli": ([], ["aws", "--version"]),
    "pgcli": ([], ["pgcli", "--version"]),
    "mypy": ([], ["mypy", "--version"]),
}
SMALL = ("httpie", "black", "ruff")
_PASSED_ON = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "PIP_INDEX_URL",
    "UV_DEFAULT_INDEX",
)


@pytest.fixture
def real_machine(tmp_path: Path) -> Machine:
    """A machine that asks the engine's default index, through whatever proxy this one is behind."""
    machine = Machine(tmp_path / "home")
    machine.environ.update({name: os.environ[name] for name in _PASSED_ON if name in os.environ})
    del machine.environ["UV_HTTP_RETRIES"]
    return machine


@pytest.mark.live
@pytest.mark.parametrize("name", [name for name in APPLICATIONS if name not in SMALL])
def test_a_real_application(real_machine: Machine, tmp_path: Path, name: str) -> None:
    _as_in_a_virtual_environment(real_machine, tmp_path, name)


@pytest.mark.live
@pytest.mark.small
@pytest.mark.parametrize("name", SMALL)
def test_a_real_small_application(real_machine: Machine, tmp_path: Path, name: str) -> None:
    _as_in_a_virtual_environment(real_machine, tmp_path, name)


def _as_in_a_virtual_environment(machine: Machine, tmp_path: Path, name: str) -> None:
    options, (command, *words) = APPLICATIONS[name]
    machine.ok("install", name, *options, timeout=600)
    shown = machine.json("show", name)
    pins = [f"{name}=={shown['version']}", *(f"{key}=={value}" for key, value in shown["dependencies"].items())]
    plain = tmp_path / "plain"
    uv = [engine(), "--quiet", "--no-config"]
    environ = {**machine.environ, "UV_SYSTEM_CERTS": "true", "UV_CACHE_DIR": str(machine.home / ".cache/detente/uv")}
    subprocess.run([*uv, "venv", "--python", shown["interpreter"], plain], check=True, env=environ)
    subprocess.run(
        [*uv, "pip", "install", "--no-deps", "--python", plain / "bin/python", *pins], check=True, env=environ
    )
    expected = subprocess.run([plain / "bin" / command, *words], capture_output=True, text=True, env=machine.environ)
    got = machine.call(command, *words)
    assert got.status == expected.returncode == 0, got.err
    assert _plain(got.out, shown["environment"]) == _plain(expected.stdout, str(plain))
    assert shown["version"].split("+")[0] in got.out or name in ("ansible", "mercurial")
    machine.ok("remove", name)
    assert machine.commands() == []
    machine.ok("collect", "--keep", "1")
    assert json.loads(machine.ok("list", "--json").out)["data"] == []
    shutil.rmtree(machine.home / ".cache", ignore_errors=True)


def _plain(text: str, prefix: str) -> str:
    """Take out of `text` what names the environment itself."""
    return "\n".join(line for line in text.splitlines() if prefix not in line and "location" not in line)
