"""What the distro has built of what failed to build: looked up in its table and in what is installed."""

from pathlib import Path

import pytest

from detente.errors import BuildError, ToolError
from detente.host.escalate import as_root, seat
from detente.model import Wish
from detente.scan.built import name_the_distros
from support.debian_root import DebianRoot


@pytest.fixture
def debian(tmp_path: Path) -> DebianRoot:
    return DebianRoot(tmp_path / "debian", "3.11")


def hint(debian: DebianRoot, name: str, wish: Wish) -> str:
    """Return the hint of a failed build of `name`, for which one had to have a compiler before."""
    err = BuildError("it failed", hint="have a compiler")
    err.distribution = name
    name_the_distros(err, [wish], {"DETENTE_DISTRO": str(debian.path)}, str(debian.path.parent / "cache"))
    return str(err.hint)


def test_the_module_is_the_tables_until_its_system_package_is_there(debian: DebianRoot) -> None:
    wish = Wish("app", added=("pillow",))
    first = as_root("apt install python3-pil", seat({}))
    assert hint(debian, "pillow", wish) == (
        f"{first}; then --with-distro PIL in place of --with pillow; else: have a compiler"
    )
    debian.install("python3-pil", {"renamed/__init__.py": ""})
    assert hint(debian, "pillow", wish) == "--with-distro renamed in place of --with pillow; else: have a compiler"


def test_what_is_not_of_the_index_or_not_in_the_table_keeps_its_hint(debian: DebianRoot) -> None:
    for name in ("", "nosuch"):
        assert hint(debian, name, Wish(name or "pillow")) == "have a compiler"


def test_broken_records_of_the_distro_cost_only_the_hint(debian: DebianRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hint(debian, "pillow", Wish("pillow")) == "detente install pillow --from distro; else: have a compiler"

    def broken(_: object) -> dict[str, object]:
        raise ToolError("dpkg's records cannot be read", hint="restore them")

    monkeypatch.setattr("detente.scan.system.System.installed", broken)
    assert hint(debian, "pillow", Wish("pillow")) == "have a compiler"
