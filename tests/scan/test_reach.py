"""What a name reaches, in which order, and whose that is."""

import subprocess
from pathlib import Path

import pytest

from detente.host.paths import user_paths
from detente.model import EMPTY_GENERATION
from detente.scan import reach
from detente.scan.reach import Owner, Owners, importable, on_path
from detente.scan.system import system
from support.apt_root import AptRoot
from support.index import Index
from support.peers import PYTHON, Person
from support.wheels import make_wheel

MINOR = Path(PYTHON).resolve().name.removeprefix("python")


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_path_is_searched_in_its_order_each_directory_once(tmp_path: Path) -> None:
    first, second = program(tmp_path / "a/x"), program(tmp_path / "b/x")
    (tmp_path / "c").symlink_to("a")
    (tmp_path / "d/x").mkdir(parents=True)
    (tmp_path / "e").mkdir()
    (tmp_path / "e/x").write_text("no program")
    (tmp_path / "f").mkdir()
    (tmp_path / "f/x").symlink_to("nowhere")
    path = ":".join(str(tmp_path / name) for name in "cefbadg") + "::relative"
    assert on_path("x", {"PATH": path}) == [str(tmp_path / "c/x"), second]
    assert on_path("x", {"PATH": f"{tmp_path}/a"}) == [first]
    assert on_path("x", {}) == []


def test_two_links_to_one_file_are_two_commands(tmp_path: Path) -> None:
    """Who installed the link that comes first decides, wherever both lead."""
    real = program(tmp_path / "real/x")
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").symlink_to(real)
    assert len(on_path("x", {"PATH": f"{tmp_path}/a:{tmp_path}/b"})) == 2


def ask_python(module: str, environ: dict[str, str]) -> str:
    """Return what the machine's own Python really imports as `module`."""
    code = f"from importlib.util import find_spec; s = find_spec({module!r})\n"
    code += "print(s.origin or list(s.submodule_search_locations)[0])"
    done = subprocess.run([PYTHON, "-c", code], env=environ, capture_output=True, text=True, cwd="/", check=True)
    return done.stdout.strip()


def test_the_first_is_what_python_really_imports(tmp_path: Path) -> None:
    home, extra = tmp_path / "home", tmp_path / "extra"
    user = home / f".local/lib/python{MINOR}/site-packages"
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    for folder in (user, extra):
        (folder / "plain_one").mkdir(parents=True)
        (folder / "plain_one/__init__.py").write_text("")
        (folder / "single_one.py").write_text("")
        (folder / "spread_one").mkdir()
        (folder / "spread_one/part.py").write_text("")
    for module in ("plain_one", "single_one", "spread_one"):
        (found,) = importable(module, MINOR, environ, str(home))
        assert ask_python(module, environ).removesuffix("/__init__.py") == found
        told = environ | {"PYTHONPATH": str(extra)}
        assert importable(module, MINOR, told, str(home)) == [found.replace(str(user), str(extra)), found]
        assert ask_python(module, told).removesuffix("/__init__.py") == found.replace(str(user), str(extra))
    assert importable("plain_one", MINOR, environ | {"PYTHONNOUSERSITE": "1"}, str(home)) == []


def test_pythons_own_modules_cannot_be_hidden_by_the_persons(tmp_path: Path) -> None:
    user = tmp_path / f".local/lib/python{MINOR}/site-packages"
    user.mkdir(parents=True)
    (user / "json.py").write_text("")
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    if not Path(f"/usr/lib/python{MINOR}/json").is_dir():
        pytest.skip("this machine's Python has its library elsewhere")
    first, second = importable("json", MINOR, environ, str(tmp_path))
    assert reach.is_standard(first, MINOR)
    assert not reach.is_standard(second, MINOR)
    assert ask_python("json", environ) == f"{first}/__init__.py"


def test_what_only_begins_with_the_name_is_another_module(tmp_path: Path) -> None:
    folder = tmp_path / "usr/lib/python3/dist-packages"
    for name in (
        "yamlish.py",
        "yaml.txt",
        "yaml-6.0.dist-info/METADATA",
        "data/readme.",
        "_yaml.cpython-311-x86_64-linux-gnu.so",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    assert importable("yaml", "3.11", {}, "/nonexistent", str(tmp_path)) == []
    (found,) = importable("_yaml", "3.11", {}, "/nonexistent", str(tmp_path))
    assert found.endswith("linux-gnu.so")


class Scene:
    """A home, a distro beside it, and who owns what there."""

    def __init__(self, tmp_path: Path) -> None:
        self.home = tmp_path / "home"
        self.home.mkdir()
        self.root = AptRoot(tmp_path / "root")
        self.environ = {"HOME": str(self.home), "DETENTE_DISTRO": str(self.root.path)}

    def owner(self, path: str) -> Owner:
        paths = user_paths(self.environ)
        (found,) = Owners(paths, self.environ, EMPTY_GENERATION, system(self.environ, paths.cache)).files([path])
        assert found.path == path
        return found.owner


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_the_distros_files_are_its_packages(scene: Scene) -> None:
    scene.root.python("python3-yaml", "6.0-3", "PyYAML", "6.0")
    inside = f"{scene.root.path}/usr/lib/python3/dist-packages/pyyaml"
    assert scene.owner(inside) == Owner("system package", "python3-yaml", "6.0-3")
    scene.root.installed("coreutils", "9.1-1", ["/usr/bin/ls"])
    assert scene.owner("/usr/bin/ls") == Owner("system package", "coreutils")


def test_a_link_belongs_to_whoever_owns_what_it_leads_to(scene: Scene, tmp_path: Path) -> None:
    scene.root.installed("vim", "9.0-1", ["/usr/bin/vim.basic"])
    link = tmp_path / "editor"
    link.symlink_to(f"{scene.root.path}/usr/bin/vim.basic")
    assert scene.owner(str(link)).name == "vim"


def test_what_pip_put_beside_a_command_is_pips(scene: Scene, tmp_path: Path) -> None:
    make_wheel(tmp_path / "stock", "demo", "1.0", commands=["demo"])
    with Index(tmp_path / "stock") as index:
        Person(scene.home, index).pip("install", "--user", "demo")
    place = str(scene.home / f".local/lib/python{MINOR}/site-packages")
    assert scene.owner(str(scene.home / ".local/bin/demo")) == Owner("pip --user", "demo", "1.0", place)
    assert scene.owner(f"{place}/demo/__init__.py") == Owner("pip --user", "demo", "1.0", place)
    assert scene.owner(program(scene.home / ".local/bin/mine")) == Owner()


def test_what_sudo_pip_put_over_the_distros_is_told_from_it(scene: Scene) -> None:
    scene.root.python("python3-yaml", "6.0-3", "yaml", "6.0")
    local = "/usr/local/lib/python3.11/dist-packages"
    scene.root.write(f"{local}/yaml/__init__.py", "")
    scene.root.write(f"{local}/yaml-6.9.dist-info/RECORD", "yaml/__init__.py,,\n../../../bin/yamltool,,\n")
    found = importable("yaml", "3.11", scene.environ, str(scene.home), str(scene.root.path))
    assert [scene.owner(path).kind for path in found] == ["sudo pip", "system package"]
    assert scene.owner(f"{scene.root.path}/usr/local/bin/yamltool").version == "6.9"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (".pyenv/shims/x", "pyenv"),
        (".cargo/bin/x", "cargo"),
        ("venv/bin/x", "environment"),
        ("bin/x", ""),
    ],
)
def test_other_places_are_known_by_their_names(scene: Scene, path: str, kind: str) -> None:
    (scene.home / "venv").mkdir()
    (scene.home / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    assert scene.owner(program(scene.home / path)).kind == kind


def test_an_environment_that_no_application_has_is_still_ours(scene: Scene) -> None:
    place = scene.home / ".local/share/detente/envs/old-1234"
    found = scene.owner(program(place / "bin/old"))
    assert (found.kind, found.place) == ("environment", str(place))
    assert scene.owner(program(scene.home / ".local/share/detente/witnesses/x")).kind == "detente"
