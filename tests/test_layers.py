"""The shape of the code: imports point one way, deciding is pure, files stay small enough to read at once."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"
LIMIT = 300

# Each layer may import the ones above it in this list, and itself; see OWN_ONLY for layers of several parts.
LAYERS = (
    ("detente", "model", "errors", "names", "progress"),
    ("plan", "doctor", "distro", "engine"),
    ("host", "config"),
    ("store",),
    ("scan", "apply", "report", "export"),
    ("inquiry",),
    ("api",),
    ("verification", "front", "distro_side", "system_part"),
    ("cli", "__main__"),
)
# In these layers the parts know nothing of each other, but for the pairs (who, whom) in MAY.
OWN_ONLY = (1, 4)
MAY = {("doctor", "plan")}  # a repair is a request
PURE = {*LAYERS[0], *LAYERS[1]}
# What looks at the machine, the clock or chance. posixpath and the ntpath-free half of os.path need no `os`.
IMPURE_MODULES = {
    "ctypes", "datetime", "fcntl", "glob", "io", "multiprocessing", "os", "pathlib", "random", "secrets", "select",
    "shutil", "signal", "socket", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "breakpoint"}
# The door to other programs, and what is behind it: the first program of a box, which is a process of its own.
STARTING = {"detente.host.proc", "detente.host.confine_stage", "detente.host.confine_namespaces"}
# Longer than LIMIT, and why that is better than two files.
LONGER: dict[str, str] = {}


def modules() -> dict[str, Path]:
    """Return every module of the source by its dotted name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()
TREES = {name: ast.parse(path.read_bytes(), str(path)) for name, path in MODULES.items()}


def part(module: str) -> str:
    """Return which part of the program `module` is: its first name below `detente`."""
    return module.split(".")[1] if "." in module else module


def layer(module: str) -> int:
    """Return the number of the layer that `module` is in."""
    for number, parts in enumerate(LAYERS):
        if part(module) in parts:
            return number
    pytest.fail(f"{module} is in no layer: say in LAYERS where it belongs")


def imports(module: str) -> Iterator[tuple[str, int]]:
    """Yield what `module` imports, anywhere in the file, and the line."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            assert node.module
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module, node.lineno


def own_imports(module: str) -> Iterator[tuple[str, int]]:
    """Yield which of our modules `module` imports, and the line."""
    for imported, line in imports(module):
        if imported.split(".")[0] == "detente":
            assert imported in MODULES, f"{module}:{line} imports {imported}, which is not there"
            yield imported, line


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    mine = layer(module)
    for imported, line in own_imports(module):
        theirs = layer(imported)
        where = f"{module}:{line} imports {imported}"
        assert theirs <= mine, f"{where}, which is above it"
        if theirs == mine and mine in OWN_ONLY and part(imported) != part(module):
            assert (part(module), part(imported)) in MAY, f"{where}, which is beside it"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: {imported for imported, _ in own_imports(module)} for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(" -> ".join(reversed(cycle.args[1])))


@pytest.mark.parametrize("module", [name for name in MODULES if part(name) in PURE])
def test_what_decides_looks_at_nothing_but_its_arguments(module: str) -> None:
    for imported, line in imports(module):
        tops = {imported, imported.split(".")[0]}
        assert not tops & IMPURE_MODULES, f"{module}:{line} imports {imported}"
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_CALLS, f"{module}:{node.lineno} calls {node.func.id}"


@pytest.mark.parametrize("module", MODULES)
def test_a_file_has_one_idea_and_at_most_300_lines(module: str) -> None:
    """A reader holds one idea at a time; a file that grows beyond this has two, and wants two names."""
    length = len(MODULES[module].read_text("utf-8").splitlines())
    if module in LONGER:
        assert length > LIMIT, f"{module} is short again: take it out of LONGER"
    else:
        assert length <= LIMIT, f"{module} has {length} lines"


@pytest.mark.parametrize("module", [name for name in MODULES if name not in STARTING])
def test_only_one_file_starts_programs(module: str) -> None:
    for imported, line in imports(module):
        assert imported.split(".")[0] not in ("subprocess", "multiprocessing"), f"{module}:{line} imports {imported}"
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            starts = node.attr.startswith(("exec", "spawn", "posix_spawn", "fork")) or node.attr in ("system", "popen")
            assert not starts, f"{module}:{node.lineno} calls os.{node.attr}"
