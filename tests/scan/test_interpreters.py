"""Choosing an interpreter, with the Pythons that this machine really has."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from detente.errors import DetenteError, NotFound, Refused, UsageError
from detente.model import Interpreter
from detente.scan import tags as wheel_tags
from detente.scan.executables import canonical
from detente.scan.interpreters import DISTRO, MINIMUM, Inventory, available, choose

THIS = os.path.realpath(sys.executable)
THIS_VERSION = ".".join(map(str, sys.version_info[:3]))
needs_distro = pytest.mark.skipif(not os.path.exists(DISTRO), reason=f"there is no {DISTRO}")


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    return Inventory(str(tmp_path / "cache" / "interpreters.json"))


def pick(wish: str | None, inventory: Inventory, *, distro: str = DISTRO, **environ: str) -> Interpreter:
    return choose(wish, environ=environ or dict(os.environ), inventory=inventory, distro=distro)


def all_here() -> list[str]:
    return [each.path for each in available(os.environ, Inventory(f"/tmp/no-cache-{os.getpid()}/x.json"))]


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@needs_distro
def test_without_a_wish_the_distros_own_python_is_chosen_by_its_versioned_path(inventory: Inventory) -> None:
    chosen = pick(None, inventory)
    assert chosen.path == f"/usr/bin/python{chosen.minor[0]}.{chosen.minor[1]}"
    assert os.path.samefile(chosen.path, DISTRO)
    said = subprocess.run([DISTRO, "-c", "import platform; print(platform.python_version())"], capture_output=True)
    assert said.stdout.decode().strip() == chosen.version


@needs_distro
def test_an_active_virtual_environment_and_shims_before_it_on_path_change_nothing(
    inventory: Inventory, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    script(tmp_path / "shims" / "python3", "#!/bin/sh\nexit 3\n")
    chosen = pick(None, inventory, PATH=f"{tmp_path}/shims:{tmp_path}/venv/bin:/usr/bin", HOME=str(tmp_path))
    assert chosen == pick(None, inventory)


def test_without_a_distro_python_the_newest_on_path_is_chosen_and_shims_are_not(
    inventory: Inventory, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    script(tmp_path / "shims" / "python3.99", f'#!/bin/sh\nexec {THIS} "$@"\n')
    folder.mkdir()
    (folder / "python3").symlink_to(THIS)
    chosen = pick(None, inventory, distro=str(tmp_path / "none"), PATH=f"{tmp_path}/shims:{folder}")
    assert chosen.minor >= sys.version_info[:2]
    assert "shims" not in chosen.path


@pytest.mark.parametrize("link", ["bin/python", "bin/python3", "", "bin"])
def test_a_virtual_environment_stands_for_its_base_interpreter(inventory: Inventory, tmp_path: Path, link: str) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    if link == "bin":
        with pytest.raises(NotFound, match="holds no Python"):
            pick(str(tmp_path / "venv" / link), inventory)
        return
    chosen = pick(str(tmp_path / "venv" / link), inventory)
    assert str(tmp_path) not in chosen.path
    assert chosen.version == THIS_VERSION


def test_a_copied_virtual_environment_stands_for_its_base_interpreter(inventory: Inventory, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--copies", "--without-pip", str(tmp_path / "venv")], check=True)
    assert str(tmp_path) not in pick(str(tmp_path / "venv/bin/python3"), inventory).path


def test_a_virtual_environment_whose_base_is_gone_is_named(inventory: Inventory, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "pyvenv.cfg").write_text(f"home = {tmp_path}/gone/bin\nversion = 3.11.2\n")
    (tmp_path / "bin" / "python3").symlink_to(f"{tmp_path}/gone/bin/python3.11")
    with pytest.raises(NotFound, match="has lost its interpreter") as caught:
        pick(str(tmp_path / "bin" / "python3"), inventory)
    assert f"{tmp_path}/gone/bin" in caught.value.context[0]


def test_an_explicit_shim_stands_for_what_it_starts(inventory: Inventory, tmp_path: Path) -> None:
    shim = script(tmp_path / "shims" / "python3", f'#!/bin/sh\nexec {THIS} "$@"\n')
    chosen = pick(str(shim), inventory)
    assert os.path.samefile(chosen.path, THIS)


def test_a_relative_path_counts_from_here(
    inventory: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-python").symlink_to(THIS)
    monkeypatch.chdir(tmp_path)
    assert pick("./my-python", inventory).path == str(tmp_path / "my-python")


def test_the_versioned_name_is_found_beside_a_plain_copy_by_being_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("")
    os.link(tmp_path / "python3", tmp_path / "python3.12")
    (tmp_path / "python3.13").write_text("")
    assert canonical(str(tmp_path / "python3")) == str(tmp_path / "python3.12")


@pytest.mark.parametrize(
    "form", ["{0}.{1}", "{0}.{1}.{2}", "python{0}.{1}", "cpython@{0}.{1}", "cp{0}{1}", "=={0}.{1}.*"]
)
def test_every_way_to_write_a_version_finds_it(inventory: Inventory, form: str) -> None:
    newest = Inventory.interpreter(inventory, canonical(THIS))
    wish = form.format(*newest.version.split("."))
    environ = {"PATH": os.path.dirname(THIS), "HOME": os.environ.get("HOME", "/")}
    assert choose(wish, environ=environ, inventory=inventory).minor == newest.minor


@needs_distro
def test_the_distros_python_is_preferred_where_a_specifier_leaves_the_choice(inventory: Inventory) -> None:
    own = pick(None, inventory)
    assert pick(f">={MINIMUM[0]}.{MINIMUM[1]}", inventory) == own
    assert pick("3", inventory) == own
    assert pick("python3", inventory) == own
    newer = [Inventory.interpreter(inventory, path) for path in all_here()]
    if any(each.minor > own.minor for each in newer):
        assert pick(f">{own.minor[0]}.{own.minor[1]}.999", inventory).minor == max(each.minor for each in newer)


def test_a_version_that_is_not_here_names_those_that_are(inventory: Inventory) -> None:
    with pytest.raises(NotFound, match=r"there is no Python 3\.99 on this machine") as caught:
        pick("3.99", inventory)
    assert caught.value.hint is not None
    assert "apt install" not in caught.value.hint
    for path in all_here():
        assert path in caught.value.hint


@pytest.mark.skipif(not os.access("/usr/bin/apt-cache", os.X_OK), reason="there is no apt")
def test_apt_is_proposed_where_it_has_that_python(inventory: Inventory) -> None:
    answer = subprocess.run(["/usr/bin/apt-cache", "pkgnames", "python3."], capture_output=True, text=True)
    here = {Inventory.interpreter(inventory, path).minor for path in all_here()}
    offered = [name for name in answer.stdout.split() if name.removeprefix("python3.").isdigit()]
    missing = [name for name in offered if (3, int(name.removeprefix("python3."))) not in here]
    if not missing:
        pytest.skip("apt has no Python here that is not installed")
    with pytest.raises(NotFound) as caught:
        pick(missing[0].removeprefix("python"), inventory)
    assert caught.value.hint == f"sudo apt install {missing[0]}"


@pytest.mark.parametrize("wish", ["3.7", "2.7", "python3.6", "cp37"])
def test_a_version_below_the_minimum_is_refused_before_anything_is_searched(inventory: Inventory, wish: str) -> None:
    with pytest.raises(Refused, match=r"is too old: 3\.8 or newer is needed"):
        pick(wish, inventory)


def test_a_path_to_a_python_that_is_too_old_is_refused_with_its_version(inventory: Inventory, tmp_path: Path) -> None:
    old = script(tmp_path / "python2.7", '#!/bin/sh\n[ "$1" = -I ] && exit 2\nprintf "python 2.7.18"\n')
    with pytest.raises(Refused, match=r"Python 2\.7\.18"):
        inventory_with(old, inventory)


def inventory_with(path: Path, inventory: Inventory) -> Interpreter:
    """Choose `path` as if it were a program: a real Python 2.7 behaves as this script does."""
    binary = path.parent / "real" / path.name
    binary.parent.mkdir()
    source = binary.with_suffix(".c")
    source.write_text(f'#include <unistd.h>\nint main(int n, char **v) {{ return execv("{path}", v); }}\n')
    built = subprocess.run(["cc", "-o", str(binary), str(source)], capture_output=True)
    if built.returncode != 0:
        pytest.skip("there is no C compiler")
    return choose(str(binary), environ=os.environ, inventory=inventory)


@pytest.mark.parametrize("wish", ["", "foo", "3.x", "python 3", "3.12.1.2", ">=three", "-3.12"])
def test_what_names_no_python_is_a_usage_error(inventory: Inventory, wish: str) -> None:
    with pytest.raises(UsageError):
        pick(wish, inventory)


def test_paths_that_cannot_be_used_are_clear_errors(inventory: Inventory, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    script(tmp_path / "talks", "#!/bin/sh\necho not json\necho no such luck >&2\nexit 1\n")
    for name, kind, words in (
        ("absent", NotFound, "there is no interpreter at"),
        ("plain", UsageError, "may not be executed"),
        ("dangling", UsageError, "No such file"),
        ("talks", UsageError, "is not a Python that works"),
    ):
        with pytest.raises(kind, match=words) as caught:
            pick(str(tmp_path / name), inventory)
        assert name in caught.value.message
    with pytest.raises(UsageError, match="is not a Python that works"):
        pick("/bin/true", inventory)


def test_a_path_that_hangs_is_given_up(inventory: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detente.scan.inventory.ANSWER_SECONDS", 0.3)
    slow = script(tmp_path / "python3", "#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(UsageError, match="is not a Python that works") as caught:
        pick(str(slow), inventory)
    assert "gave no answer" in caught.value.context[0]


def test_a_broken_interpreter_on_path_does_not_hide_one_that_works(inventory: Inventory, tmp_path: Path) -> None:
    (tmp_path / "python3.99").symlink_to("/bin/false")
    environ = {"PATH": f"{tmp_path}:{os.path.dirname(THIS)}"}
    chosen = choose(None, environ=environ, inventory=inventory, distro=str(tmp_path / "none"))
    assert chosen.minor >= MINIMUM


def test_an_interpreter_is_asked_once_and_again_only_when_its_file_changes(tmp_path: Path) -> None:
    cache = str(tmp_path / "cache" / "interpreters.json")
    counter = tmp_path / "asked"
    wrapper = script(tmp_path / "python", f'#!/bin/sh\necho x >>{counter}\nexec {THIS} "$@"\n')
    for _ in range(3):
        assert Inventory(cache).interpreter(str(wrapper)).version == THIS_VERSION
    assert counter.read_text() == "x\n"
    os.utime(wrapper, (1, 1))
    Inventory(cache).probe(str(wrapper))
    assert counter.read_text() == "x\nx\n"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"schema":1}', '{"schema":999,"interpreters":{}}', "\x00\xff", '{"schema":1,"interpreters":[]}'],
)
def test_a_broken_cache_is_made_anew(tmp_path: Path, content: str) -> None:
    cache = tmp_path / "interpreters.json"
    cache.write_text(content, encoding="latin-1")
    assert Inventory(str(cache)).interpreter(THIS).version == THIS_VERSION
    assert THIS in json.loads(cache.read_text())["interpreters"]


def test_every_damage_of_one_byte_leaves_a_working_cache(tmp_path: Path) -> None:
    cache = tmp_path / "interpreters.json"
    Inventory(str(cache)).interpreter(THIS)
    whole = cache.read_bytes()
    for place in itertools.chain(range(0, len(whole), 97), [len(whole) - 1]):
        cache.write_bytes(whole[:place])
        assert Inventory(str(cache)).interpreter(THIS).version == THIS_VERSION


def test_a_cache_that_cannot_be_written_costs_time_only() -> None:
    assert Inventory("/dev/null/interpreters.json").probe(THIS).interpreter.version == THIS_VERSION


def test_the_file_of_the_hot_path_holds_no_tags(inventory: Inventory, tmp_path: Path) -> None:
    probe = inventory.probe(THIS)
    assert len(probe.tags) > 100
    assert (tmp_path / "cache" / "interpreters.json").stat().st_size < 2000
    assert Inventory(str(tmp_path / "cache" / "interpreters.json")).probe(THIS) == probe


def test_tags_and_markers_are_what_packaging_says_inside_each_interpreter_of_the_machine(
    inventory: Inventory,
) -> None:
    import packaging

    library = os.path.dirname(os.path.dirname(packaging.__file__))
    code = (
        f"import sys, json; sys.path.insert(0, {library!r})\n"
        "from packaging.tags import sys_tags; from packaging.markers import default_environment\n"
        "print(json.dumps([list(map(str, sys_tags())), default_environment()]))"
    )
    compared = 0
    for path in all_here():
        answer = subprocess.run([path, "-I", "-c", code], capture_output=True, text=True)
        if answer.returncode != 0:
            continue  # this packaging no longer runs on this Python
        own_tags, own_markers = json.loads(answer.stdout)
        probe = inventory.probe(path)
        assert list(probe.tags) == list(dict.fromkeys(own_tags))
        own_markers.pop("extra", None)
        assert probe.markers == own_markers
        compared += 1
    assert compared > 0


def test_site_is_where_an_environment_of_each_interpreter_imports_from(inventory: Inventory, tmp_path: Path) -> None:
    for number, path in enumerate(all_here()):
        place = tmp_path / str(number)
        made = subprocess.run([path, "-m", "venv", "--without-pip", str(place)], capture_output=True)
        if made.returncode != 0:
            continue
        said = subprocess.run(
            [place / "bin/python", "-c", "import sys; print(sys.path)"], capture_output=True, text=True
        )
        assert str(place / Inventory.interpreter(inventory, path).site) in said.stdout


@needs_distro
def test_the_mark_of_an_externally_managed_python_is_seen(inventory: Inventory) -> None:
    chosen = pick(None, inventory)
    code = "import sysconfig, os; print(os.path.exists(sysconfig.get_path('stdlib') + '/EXTERNALLY-MANAGED'))"
    said = subprocess.run([chosen.path, "-I", "-c", code], capture_output=True, text=True)
    assert inventory.probe(chosen.path).externally_managed is (said.stdout.strip() == "True")


def facts(**changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "version": "3.12.3",
        "implementation": "cpython",
        "extension": ".cpython-312-x86_64-linux-gnu.so",
        "debug": False,
        "free_threaded": False,
        "platform": "linux-x86_64",
        "wide": True,
        "elf": [2, 1, 62, 0],
        "glibc": "2.36",
        "refused": [],
    }
    return base | changes


def test_glibc_levels_end_at_the_machines_own_and_take_their_old_names() -> None:
    found = wheel_tags.platforms(facts(), "")
    assert found[:2] == ["linux_x86_64", "manylinux_2_36_x86_64"]
    assert "manylinux_2_37_x86_64" not in found
    assert found[-3:] == ["manylinux_2_6_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64"]
    assert found.index("manylinux2014_x86_64") == found.index("manylinux_2_17_x86_64") + 1
    arm = wheel_tags.platforms(facts(platform="linux-aarch64"), "")
    assert arm[-2:] == ["manylinux_2_17_aarch64", "manylinux2014_aarch64"]


def test_levels_that_the_distro_refuses_are_left_out() -> None:
    found = wheel_tags.platforms(facts(refused=[17, 5]), "")
    assert not {"manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux1_x86_64"}.intersection(found)
    assert "manylinux_2_18_x86_64" in found


def test_musl_takes_musllinux_and_no_manylinux() -> None:
    answer = "musl libc (x86_64)\nVersion 1.2.4_git20230717\nDynamic Program Loader\nUsage: ld [options]\n"
    assert wheel_tags.musl_version(answer) == "1.2.4"
    assert wheel_tags.musl_version("ld.so (Debian GLIBC 2.36) stable release version 2.36\n") == ""
    assert wheel_tags.platforms(facts(glibc=""), "1.2.4") == [
        "linux_x86_64",
        "musllinux_1_2_x86_64",
        "musllinux_1_1_x86_64",
        "musllinux_1_0_x86_64",
    ]


def test_small_pythons_on_wide_kernels_take_the_small_wheels() -> None:
    intel = facts(wide=False, elf=[1, 1, 3, 0])
    assert wheel_tags.platforms(intel, "")[:2] == ["linux_i686", "manylinux_2_36_i686"]
    hard = facts(platform="linux-aarch64", wide=False, elf=[1, 1, 40, 0x05000400])
    assert wheel_tags.platforms(hard, "")[:3] == ["linux_armv8l", "linux_armv7l", "manylinux_2_36_armv8l"]
    soft = facts(platform="linux-armv7l", wide=False, elf=[1, 1, 40, 0x05000200])
    assert wheel_tags.platforms(soft, "") == ["linux_armv7l"]


def test_abi3_fits_usual_builds_and_not_free_threaded_ones() -> None:
    usual = wheel_tags.tags(facts(), "")
    assert usual[0] == "cp312-cp312-linux_x86_64"
    assert {"cp312-abi3-manylinux_2_17_x86_64", "cp38-abi3-manylinux_2_17_x86_64", "py3-none-any"} <= set(usual)
    free = wheel_tags.tags(facts(version="3.13.0", free_threaded=True), "")
    assert free[0] == "cp313-cp313t-linux_x86_64"
    assert not any("-abi3-" in tag or "-cp313-" in tag for tag in free)
    debug = wheel_tags.tags(facts(debug=True), "")
    assert debug[0] == "cp312-cp312d-linux_x86_64"
    assert "cp312-cp312-linux_x86_64" in debug


def test_pypy_takes_its_own_abi() -> None:
    found = wheel_tags.tags(
        facts(version="3.10.14", implementation="pypy", extension=".pypy310-pp73-x86_64-linux-gnu.so"), ""
    )
    assert found[0] == "pp310-pypy310_pp73-linux_x86_64"
    assert "pp3-none-any" in found
    assert not any(tag.startswith("cp") for tag in found)


def test_each_error_has_a_hint(inventory: Inventory) -> None:
    for wish in ("3.99", "2.7", "foo", "/nope", "/etc", "/etc/passwd"):
        with pytest.raises(DetenteError) as caught:
            pick(wish, inventory)
        assert caught.value.hint
        assert not caught.value.message.endswith(".")
