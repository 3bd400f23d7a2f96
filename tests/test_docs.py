"""The documents and the program agree. `python3 tests/test_docs.py --write` renews the help texts in docs/cli.md."""

import ast
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
SOURCE = TOP / "src"
sys.path[:0] = [] if str(SOURCE) in sys.path else [str(SOURCE)]

from detente import __version__, errors  # noqa: E402 - the line above finds it when this file runs as a program
from detente.cli import table  # noqa: E402
from detente.cli.changes import PARTLY  # noqa: E402
from detente.cli.main import BUG  # noqa: E402

CLI = TOP / "docs/cli.md"
DOCUMENTS = [*sorted(TOP.glob("*.md")), *sorted((TOP / "docs").rglob("*.md")), *sorted((TOP / "tests").rglob("*.md"))]
VERBS = [*table.VERBS]
WORDS = {*VERBS, *table.ALIASES, "help"}
WIDTH = 100
# statuses of ours that no error class has: done, done in part, a bug, a closed pipe, a launcher without interpreter
OTHER_STATUSES = {0, PARTLY, BUG, 128 + signal.SIGPIPE, 127}
SPOKEN = {"needs"}  # "detente needs …" is a sentence about it, and no call

_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from detente.cli.main import main; sys.exit(main())"
_BLOCK = re.compile(r"^```console\n\$ detente (?:(\w+) )?--help\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_TYPED = re.compile(r"^\$ (.*)$|`([^`\n]+)`", re.MULTILINE)  # a line of a console, or code within a sentence
_CALL = re.compile(r"(?:\./)?detente (?:-[\w-]+ )*([a-z][\w-]*)")


def printed(verb: str) -> str:
    """Return what `detente VERB --help` prints ("" for the overview), with nothing configured."""
    command = [sys.executable, "-I", "-S", "-B", "-c", _START, str(SOURCE), *([verb] if verb else []), "--help"]
    environ = {"HOME": "/nonexistent", "COLUMNS": str(WIDTH + 2), "NO_COLOR": "1"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return done.stdout


def plain(text: str) -> str:
    """Return help text without what differs between Pythons: line breaks, and a metavar said twice or once."""
    return " ".join(re.sub(r"(-\w) [A-Z|]+, (--[\w-]+)", r"\1, \2", " ".join(text.split())).split())


def block(verb: str) -> str:
    return f"```console\n$ detente {verb + ' ' if verb else ''}--help\n{printed(verb).rstrip()}\n```"


def write() -> None:
    """Renew every block of docs/cli.md, and append the verbs that it lacks."""
    text = _BLOCK.sub(lambda found: block(found[1] or ""), CLI.read_text("utf-8")).rstrip() + "\n"
    known = {found[1] or "" for found in _BLOCK.finditer(text)}
    for verb in ["", *VERBS]:
        if verb not in known:
            text += f"\n## {verb or 'Overview'}\n\n{block(verb)}\n"
    CLI.write_text(text, "utf-8")


def blocks() -> dict[str, str]:
    return {found[1] or "": found[2] for found in _BLOCK.finditer(CLI.read_text("utf-8"))}


def prose(path: Path) -> str:
    """Return a document without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def rows(path: Path, heading: str) -> list[list[str]]:
    """Return the cells of the table below `heading`, without its head."""
    section = path.read_text("utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings in a document, as forges make them."""
    heads = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def calls(text: str) -> Iterator[str]:
    """Yield the verb of each call of detente that a document shows."""
    for found in _TYPED.finditer(text):
        call = _CALL.match(found[1] or found[2])
        if call:
            yield call[1]


def classes() -> list[type[errors.DetenteError]]:
    """Return every subclass of DetenteError, however deep."""
    found: list[type[errors.DetenteError]] = []
    todo = [errors.DetenteError]
    while todo:
        subclasses = todo.pop().__subclasses__()
        found += subclasses
        todo += subclasses
    return found


def statuses() -> set[int]:
    return {kind.exit_status for kind in classes()} | OTHER_STATUSES


def test_every_verb_has_its_help_in_the_command_line_page() -> None:
    assert set(blocks()) == {"", *VERBS}


def test_the_help_in_the_documents_is_what_help_prints() -> None:
    found = blocks()
    differing = [verb for verb in found if plain(found[verb]) != plain(printed(verb))]
    assert not differing, f"{differing}: run python3 tests/test_docs.py --write"


def test_every_option_of_a_verb_is_in_the_command_line_page(monkeypatch) -> None:
    from importlib import import_module

    from detente.cli.options import Parser

    found = blocks()
    for verb, row in table.VERBS.items():
        parser = Parser(verb, row.summary, {"HOME": "/nonexistent"})
        import_module(f"detente.cli.commands.{row.module}").configure(parser)
        for action in parser._actions:
            for flag in action.option_strings:
                assert re.search(rf"(?<![\w-]){flag}(?![\w-])", found[verb]), f"{verb} {flag}"


def test_every_other_name_of_a_verb_is_in_the_command_line_page() -> None:
    said = dict(re.findall(r"`(\w+)` is `(\w+)`", prose(CLI)))
    assert said == table.ALIASES


def test_every_error_has_a_row_with_its_code_and_status() -> None:
    documented = [(cells[0], cells[1], cells[2]) for cells in rows(TOP / "docs/errors.md", "Codes")]
    raised = [(f"`{kind.code}`", str(kind.exit_status), f"`{kind.__name__}`") for kind in classes()]
    assert sorted(documented) == sorted(raised)


def test_errors_are_defined_in_one_file() -> None:
    """Else the test above would not see them."""
    names = {"DetenteError", *(kind.__name__ for kind in classes())}
    for path in SOURCE.rglob("*.py"):
        if path.name != "errors.py":
            for node in ast.walk(ast.parse(path.read_bytes())):
                bases = {ast.unparse(base).rpartition(".")[2] for base in getattr(node, "bases", [])}
                assert not bases & names, f"{path}: {getattr(node, 'name', '')}"


def test_exit_statuses_in_the_documents_are_those_of_the_program() -> None:
    documented = {int(cells[0]) for cells in rows(TOP / "docs/errors.md", "Exit statuses")}
    assert documented == statuses()
    for path in DOCUMENTS:
        for number in re.findall(r"\bstatus (\d+)\b", prose(path)):
            assert int(number) in statuses(), f"{path.name} names the exit status {number}"


def test_links_between_documents_lead_somewhere() -> None:
    for path in DOCUMENTS:
        for link in _LINK.findall(prose(path)):
            if "://" in link:
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            assert target.exists(), f"{path.name} links to {link}"
            assert not anchor or anchor in anchors(target), f"{path.name} links to {link}"


def test_documents_name_only_verbs_that_exist() -> None:
    for path in DOCUMENTS:
        for word in calls(path.read_text("utf-8")):
            assert word in WORDS, f"{path.name} says: detente {word}"


def test_the_table_of_everyday_verbs_in_the_readme_has_all_of_them() -> None:
    said = {word for cells in rows(TOP / "README.md", "Everyday") for word in calls(cells[0])}
    assert said == {*VERBS} - {"setup"}, "setup has a place of its own in the README"


def test_files_that_the_documents_name_are_there() -> None:
    for path in DOCUMENTS:
        for name in re.findall(r"`((?:src|tests|docs|bootstrap|bench)/[\w./-]+)`", path.read_text("utf-8")):
            assert (TOP / name).exists(), f"{path.name} names {name}"


def test_modules_that_the_architecture_names_are_there() -> None:
    text = prose(TOP / "docs/architecture.md")
    known = [str(path.relative_to(SOURCE / "detente")) for path in SOURCE.rglob("*.py")]
    for name in re.findall(r"`([\w/]+\.py)[`:]", text):
        ours = any(f"/{path}".endswith(f"/{name}") for path in known)
        assert ours or (TOP / name).exists() or (TOP / "tests" / name).exists(), name


def test_a_word_has_one_meaning() -> None:
    lines = (TOP / "docs/glossary.md").read_text("utf-8").splitlines()
    words = [line.split("|")[1].strip() for line in lines if line.startswith("| ")][1:]
    assert len(words) == len(set(words))
    assert words == sorted(words)


def test_the_changelog_has_this_version() -> None:
    assert __version__ in (TOP / "CHANGELOG.md").read_text("utf-8")


def hints() -> Iterator[tuple[str, str]]:
    """Yield (file, word) for each word that stands where a verb does in what the program says."""
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_bytes())
        whole = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "hint"
            for part in ast.walk(node.value)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                starts = r"(?::\s|`|\./|\A)" if id(node) in whole else r"(?::\s|`|\./)"
                for word in {*re.findall(starts + r"detente ([a-z]+)", node.value)} - SPOKEN:
                    yield path.name, word


def test_hints_name_only_verbs_that_exist() -> None:
    assert sorted({pair for pair in hints() if pair[1] not in WORDS}) == []


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"usage: {os.path.basename(sys.argv[0])} --write")
    write()
