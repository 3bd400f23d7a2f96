"""Bytecode in entries: made by the interpreter that reads it, used without a look at the source, made once."""

import ast
import hashlib
import importlib.util
import json
import marshal
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.errors import DiskError, ToolError
from detente.host import fs
from detente.host.paths import Paths, user_paths
from detente.model import Interpreter
from detente.store import compile_worker
from detente.store.bytecode import Compiler, compile_entries, compile_staged, compiled_tags

TAG = sys.implementation.cache_tag
HERE = Interpreter(os.path.realpath(sys.executable), "3.11.0", "cpython", TAG, "lib/python/site-packages", "linux")
MODULES = {
    "top.py": "VALUE = 1\n",
    "demo/__init__.py": "from demo.inner import f\n",
    "demo/inner.py": "def f():\n    return f.__code__.co_filename\n",
    "demo/deep/er/est.py": "X = 'é'\n",
    "demo/templates/{{name}}.py": "class {{name}}: pass\n",
    "demo/old.py": "print 'Python 2'\n",
    "demo/text.txt": "no module\n",
}
GOOD = 4  # of them compile
ENVIRON = {**os.environ, "PYTHONPATH": str(Path(fs.__file__).parents[2])}


def entry(folder: Path, name: str, *, sealed: bool = False, modules: dict[str, str] | None = None) -> Path:
    """Make an entry as `unpack` leaves it, or as it lies in the store."""
    place = folder / name
    for path, text in (modules or MODULES).items():
        file = place / "lib" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o444)
    if sealed:
        fs.seal(str(place))
    return place


def staged(folder: Path, number: int = 0, **how: object) -> Path:
    return entry(folder, f"{fs.STAGING}{number}", **how)  # type: ignore[arg-type]


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    """A store with one published entry of MODULES, demo-1.0, and everything writable again at the end."""
    found = user_paths({"HOME": str(tmp_path / "home")})
    os.makedirs(found.store)
    entry(Path(found.store), "demo-1.0", sealed=True)
    yield found
    for folder, _, _ in os.walk(found.store):
        os.chmod(folder, 0o755)


def compiled(paths: Paths, interpreter: Interpreter = HERE, *names: str, jobs: int = 2) -> int:
    return compile_entries(paths, interpreter, names or ("demo-1.0",), jobs=jobs, on_wait=lambda: None)


def caches(place: Path, tag: str = TAG) -> set[str]:
    """Return the modules of an entry that have bytecode."""
    found = set()
    for path in place.rglob(f"*.{tag}.pyc"):
        assert path.parent.name == "__pycache__"
        found.add(str((path.parent.parent / path.name.split(".")[0]).relative_to(place / "lib")) + ".py")
    return found


def others() -> list[Interpreter]:
    """Return other Pythons of this machine, one for each version."""
    found = {}
    for minor in range(8, 20):
        path = shutil.which(f"python3.{minor}")
        if path is None:
            continue
        code = "import sys; print(sys.implementation.cache_tag, sys.executable)"
        ran = subprocess.run([path, "-I", "-c", code], capture_output=True, text=True)
        if ran.returncode == 0:
            tag, real = ran.stdout.split()
            found[tag] = Interpreter(real, f"3.{minor}.0", "cpython", tag, "", "")
    found.pop(TAG, None)
    return list(found.values())


def test_every_module_that_compiles_gets_bytecode(tmp_path: Path) -> None:
    place = staged(tmp_path)
    assert compile_staged(HERE, [str(place)], jobs=2) == GOOD
    assert caches(place) == {"top.py", "demo/__init__.py", "demo/inner.py", "demo/deep/er/est.py"}


def test_bytecode_is_read_without_a_look_at_the_source(tmp_path: Path) -> None:
    place = staged(tmp_path)
    compile_staged(HERE, [str(place)], jobs=1)
    source = place / "lib/demo/inner.py"
    source.chmod(0o644)
    source.write_text("def f():\n    return 'from the source'\n")
    os.utime(source, (0, 0))
    code = f"import sys; sys.path.insert(0, {str(place / 'lib')!r}); import demo; print(demo.f())"
    ran = subprocess.run([HERE.path, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(source), "compiled from the old source, named where it lies now"


def test_bytecode_does_not_say_where_it_was_made(tmp_path: Path) -> None:
    one, two = staged(tmp_path, 1), staged(tmp_path / "elsewhere", 2)
    compile_staged(HERE, [str(one)], jobs=1)
    compile_staged(HERE, [str(two)], jobs=1)
    for path in one.rglob("*.pyc"):
        data = path.read_bytes()
        assert data == (two / path.relative_to(one)).read_bytes()
        assert str(tmp_path).encode() not in data
        assert marshal.loads(data[16:]).co_filename.startswith("lib/")


def test_bytecode_has_the_form_of_pep_552(tmp_path: Path) -> None:
    place = staged(tmp_path)
    compile_staged(HERE, [str(place)], jobs=1)
    data = (place / f"lib/__pycache__/top.{TAG}.pyc").read_bytes()
    assert data[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(data[4:8], "little") == 0b01, "by hash, unchecked"
    assert data[8:16] == importlib.util.source_hash(MODULES["top.py"].encode())


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_bytecode_is_read_only_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    place = staged(tmp_path)
    before = os.umask(umask)
    try:
        compile_staged(HERE, [str(place)], jobs=1)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.rglob("*.pyc")} == {0o444}


def test_the_mark_comes_with_the_bytecode(tmp_path: Path) -> None:
    place = staged(tmp_path)
    assert compiled_tags(str(place)) == frozenset()
    compile_staged(HERE, [str(place)], jobs=2)
    assert compiled_tags(str(place)) == {TAG}


def test_a_published_entry_is_sealed_again(paths: Paths) -> None:
    place = Path(paths.store, "demo-1.0")
    assert compiled(paths) == GOOD
    folders = [place, *(path for path in place.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o555}
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.rglob("*.pyc")} == {0o444}
    assert compiled_tags(str(place)) == {TAG}
    assert len(caches(place)) == GOOD
    assert os.listdir(paths.store) == ["demo-1.0"], "what was staged is gone"
    assert compiled(paths, HERE._replace(path="/nonexistent/python")) == 0, "not even started a second time"


def test_what_a_killed_command_had_moved_in_is_replaced(paths: Paths) -> None:
    place = Path(paths.store, "demo-1.0")
    place.joinpath("lib").chmod(0o755)
    (place / "lib/__pycache__").mkdir()
    (place / f"lib/__pycache__/top.{TAG}.pyc").write_bytes(b"half")
    assert compiled(paths) == GOOD
    assert (place / f"lib/__pycache__/top.{TAG}.pyc").read_bytes()[:4] == importlib.util.MAGIC_NUMBER
    assert stat.S_IMODE((place / "lib").stat().st_mode) == 0o555


def test_an_entry_that_was_collected_meanwhile_is_passed_over(paths: Paths) -> None:
    assert compiled(paths, HERE, "demo-1.0", "gone-1.0") == GOOD


@pytest.mark.skipif(not others(), reason="this machine has one Python")
def test_a_further_python_adds_its_own_and_changes_nothing(paths: Paths) -> None:
    place = Path(paths.store, "demo-1.0")
    compiled(paths)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    for interpreter in others():
        assert compiled(paths, interpreter) == GOOD, interpreter
        assert len(caches(place, interpreter.cache_tag)) == GOOD
        code = f"import sys; sys.path.insert(0, {str(place / 'lib')!r}); import demo; print(demo.__cached__)"
        ran = subprocess.run([interpreter.path, "-I", "-S", "-W", "ignore", "-c", code], capture_output=True, text=True)
        assert interpreter.cache_tag in ran.stdout, ran.stderr
    assert {path: path.read_bytes() for path in before} == before
    assert compiled_tags(str(place)) == {TAG, *(other.cache_tag for other in others())}


def test_entries_are_added_while_others_compile(tmp_path: Path) -> None:
    places = [staged(tmp_path, number) for number in range(12)]
    with Compiler(HERE, jobs=3) as compiler:
        for place in places:
            started = time.monotonic()
            compiler.add(str(place), str(place))
            assert time.monotonic() - started < 5
        assert [len(files) for files in compiler.finish().values()] == [GOOD] * len(places)
    assert all(len(caches(place)) == GOOD for place in places)


def test_adding_many_entries_does_not_wait_for_the_workers(tmp_path: Path) -> None:
    """The workers are stopped: if `add` waited for them, it would never return."""
    place = staged(tmp_path)
    with Compiler(HERE, jobs=1) as compiler:
        child = compiler._workers[0]._child
        child.send_signal(signal.SIGSTOP)
        adding = threading.Thread(
            target=lambda: [compiler.add(str(place), str(place)) for _ in range(3000)], daemon=True
        )
        adding.start()
        adding.join(30)
        waited = adding.is_alive()
        child.send_signal(signal.SIGCONT)
        assert not waited


def test_several_processes_may_compile_one_entry(paths: Paths) -> None:
    place = entry(
        Path(paths.store), "many-1.0", sealed=True, modules={f"m{n % 20}/a{n}.py": "x = 1\n" * 50 for n in range(100)}
    )
    script = (
        "from detente.host.paths import user_paths\nfrom detente.model import Interpreter\n"
        "from detente.store.bytecode import compile_entries\nimport os\n"
        f"paths = user_paths({{'HOME': {paths.home!r}}})\n"
        f"compile_entries(paths, Interpreter(*{tuple(HERE)!r}), ['many-1.0'], jobs=2, on_wait=lambda: None)"
    )
    crowd = [
        subprocess.Popen([sys.executable, "-c", script], env=ENVIRON, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [child.communicate()[1] for child in crowd]
    assert [child.returncode for child in crowd] == [0] * 4, said
    assert len(caches(place)) == 100
    mark = json.loads((place / f"bytecode/{TAG}").read_text())
    for path, digest in mark["files"].items():
        assert hashlib.sha256((place / "lib" / path).read_bytes()).hexdigest() == digest
    folders = [place, *(path for path in place.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o555}
    assert sorted(os.listdir(paths.store)) == ["demo-1.0", "many-1.0"]


def test_leaving_early_ends_the_workers(tmp_path: Path) -> None:
    place = staged(tmp_path)
    with Compiler(HERE, jobs=2) as compiler:
        children = [worker._child for worker in compiler._workers]
        compiler.add(str(place), str(place))
    assert all(child.returncode is not None for child in children)
    assert compiled_tags(str(place)) == frozenset()


def test_workers_die_with_us(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\n"
        "from detente.model import Interpreter\n"
        "from detente.store.bytecode import Compiler\n"
        f"with Compiler(Interpreter(*{tuple(HERE)!r}), jobs=2) as compiler:\n"
        "    print(*(worker._child.pid for worker in compiler._workers), flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], env=ENVIRON, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert len(pids) == 2
    deadline = time.monotonic() + 10
    while any(_lives(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(_lives(pid) for pid in pids)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_an_interpreter_that_is_gone_is_a_tool_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot start /nonexistent/python"):
        compile_staged(HERE._replace(path="/nonexistent/python"), [str(staged(tmp_path))], jobs=1)


def test_an_interpreter_of_another_version_is_refused(tmp_path: Path) -> None:
    place = staged(tmp_path)
    with pytest.raises(ToolError, match="failed to compile") as caught:
        compile_staged(HERE._replace(cache_tag="cpython-399"), [str(place)], jobs=2)
    assert f"it writes {TAG}, not cpython-399" in caught.value.context
    assert compiled_tags(str(place)) == frozenset()


def test_an_entry_that_is_gone_is_a_disk_error(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="gone"):
        compile_staged(HERE, [str(tmp_path / f"{fs.STAGING}gone")], jobs=2)


def test_a_source_that_crashes_the_compiler_costs_only_bytecode(tmp_path: Path) -> None:
    """Played by an interpreter that dies by SIGSEGV as soon as it gets work."""
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nhead -c 1 >/dev/null\nkill -SEGV $$\n")
    fake.chmod(0o755)
    place = staged(tmp_path)
    assert compile_staged(HERE._replace(path=str(fake)), [str(place)], jobs=1) == 0
    assert compiled_tags(str(place)) == frozenset(), "so that a later command tries again"


def test_a_python_without_bytecode_is_passed_over(tmp_path: Path) -> None:
    assert compile_staged(HERE._replace(cache_tag=""), [str(staged(tmp_path))], jobs=1) == 0


def test_the_shares_of_all_workers_are_all_modules_once(tmp_path: Path) -> None:
    place = os.fsencode(staged(tmp_path))
    for count in (1, 2, 3, 7):
        dealt = [path for number in range(count) for path in compile_worker.share(place, number, count)]
        assert sorted(dealt) == sorted(name.encode() for name in MODULES if name.endswith(".py"))


def test_hostile_sources_are_skipped(tmp_path: Path) -> None:
    modules = {
        "deep.py": "(" * 5000 + ")" * 5000,
        "nul.py": "a = 1\0",
        "coding.py": "# coding: rot13\n",
        "good.py": "a = 1\n",
    }
    place = staged(tmp_path, modules=modules)
    (place / "lib/latin.py").write_bytes(b"x = '\xe9'\n")
    assert compile_staged(HERE, [str(place)], jobs=1) == 1
    assert caches(place) == {"good.py"}


def test_a_name_with_odd_characters_is_compiled(tmp_path: Path) -> None:
    place = staged(tmp_path, modules={"a b'é\u20ac.py": "x = 1\n"})
    environment = {**os.environ, "LC_ALL": "C"}
    worker = str(Path(compile_worker.__file__))
    ran = subprocess.run(
        [HERE.path, "-I", "-S", "-X", "utf8", worker, "0", "1", TAG],
        input=(os.fsencode(place) + b"\0") * 2,
        capture_output=True,
        env=environment,
        check=True,
    )
    assert ran.stdout.startswith(b"compiled 1\n0\0")


def test_the_worker_is_readable_by_python_3_8_and_imports_nothing_of_ours() -> None:
    text = Path(compile_worker.__file__).read_text()
    tree = ast.parse(text, feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not any(name.startswith("detente") for name in imported)
    assert "typing" not in imported, "it costs more than the rest together"


def test_a_full_disk_is_told_by_the_worker(tmp_path: Path) -> None:
    """A file in the place of the cache directory is refused as the disk would: by the worker's own words."""
    place = staged(tmp_path)
    (place / "lib/__pycache__").write_text("in the way")
    with pytest.raises(DiskError, match="writing bytecode"):
        compile_staged(HERE, [str(place)], jobs=1)
    assert compiled_tags(str(place)) == frozenset()
