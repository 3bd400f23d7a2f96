"""Building from source, with the real engine, real git and real build backends."""

import base64
import contextlib
import functools
import http.server
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.apply.advice import hint_for
from detente.apply.archives import unpack
from detente.apply.build import build
from detente.apply.needs import supplier
from detente.engine.sources import NOTHING, Sources
from detente.errors import BuildError, IntegrityError, NetworkError, Refused, ToolError
from detente.model import Artifact, Interpreter
from detente.scan.interpreters import Inventory, available
from support.hostile_builds import MISBEHAVIOURS, running, soon
from support.machine import engine
from support.wheels import make_git, make_project, make_sdist, make_wheel


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    cache = tmp_path_factory.mktemp("inventory")
    return Inventory(str(cache / "interpreters.json")).interpreter(os.path.realpath(sys.executable))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


class Bench:
    """One place to build in, with a home, and what was said."""

    def __init__(self, root: Path, cache: Path, interpreter: Interpreter) -> None:
        self.root, self.cache, self.interpreter = root, cache, interpreter
        self.scratch = root / "scratch"
        self.said: list[str] = []
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(root / "person")}
        (root / "person").mkdir()

    def build(self, artifact: Artifact, sources: Sources = NOTHING, *, offline: bool = True) -> Path:
        if self.scratch.exists():
            shutil.rmtree(self.scratch)
        self.scratch.mkdir()
        made = build(
            artifact,
            self.interpreter,
            uv=engine(),
            scratch=str(self.scratch),
            cache=str(self.cache),
            sources=sources,
            environ=self.environ,
            fetch=lambda what, into: shutil.copyfile(what.location, into) and None,
            log=self.said.append,
            offline=offline,
        )
        return Path(made)

    def fails(self, artifact: Artifact, sources: Sources = NOTHING) -> BuildError:
        with pytest.raises(BuildError) as caught:
            self.build(artifact, sources)
        return caught.value


@pytest.fixture
def bench(tmp_path: Path, cache: Path, interpreter: Interpreter) -> Bench:
    return Bench(tmp_path, cache, interpreter)


def sdist(path: Path, name: str = "demo", version: str = "1.0", **more: str) -> Artifact:
    return Artifact("sdist", name, version, str(path), path.name, **more)  # type: ignore[arg-type]


def tree(path: Path, *, name: str = "demo", version: str = "1.0", **more: object) -> Artifact:
    return Artifact("directory", name, version, str(path), **more)  # type: ignore[arg-type]


def backend(body: str, hook: str = "build_wheel") -> str:
    """Return the text of a build backend whose `hook` runs `body` first, and then builds for real."""
    from support import backend as real

    text = Path(real.__file__).read_text(encoding="utf-8")
    own = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    arguments = "wheel_directory, config_settings=None, metadata_directory=None"
    text += f"\n\n_real = globals().get({hook!r})\n\n\ndef {hook}({arguments}):\n"
    return f"{text}{own}\n    return _real(wheel_directory)\n"


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# What can be built


def test_a_source_distribution_becomes_a_wheel(bench: Bench) -> None:
    made = bench.build(sdist(make_sdist(bench.root, "demo", "1.0", commands=["demo"])))
    assert made.name == "demo-1.0-py3-none-any.whl"
    assert made.is_relative_to(bench.scratch)
    assert {"demo/__init__.py", "demo-1.0.dist-info/entry_points.txt"} <= names_in(made)


def test_a_zip_and_every_compression_of_tar_are_read(bench: Bench) -> None:
    source = make_project(bench.root / "demo-1.0", "demo", "1.0")
    for kind in ("zip", "tar", "gztar", "bztar", "xztar"):
        path = Path(shutil.make_archive(str(bench.root / f"a-{kind}"), kind, bench.root, source.name))
        assert "demo/__init__.py" in names_in(bench.build(sdist(path)._replace(kind="archive"))), kind


def test_a_directory_is_built_in_place_and_left_as_it_was(bench: Bench) -> None:
    source = make_project(bench.root / "my project", "demo", "1.0")
    (source / "src" / "demo" / "data.txt").write_text("mine")
    before = snapshot(source)
    made = bench.build(tree(source))
    assert "demo/data.txt" in names_in(made)
    after = {path: data for path, data in snapshot(source).items() if "__pycache__" not in path}
    assert after == before


def test_an_editable_wheel_names_the_directory(bench: Bench) -> None:
    source = make_project(bench.root / "demo", "demo", "1.0")
    made = bench.build(tree(source, editable=True))
    with zipfile.ZipFile(made) as archive:
        assert archive.read("__editable__demo.pth").decode().strip() == str(source / "src")


def test_what_an_editable_build_makes_in_its_project_stays_there(bench: Bench) -> None:
    body = "open('src/demo/made.py', 'w').write('X = 1')\nos.symlink('/etc/passwd', 'src/demo/link.py')"
    text = backend(body, "build_editable")
    source = make_project(bench.root / "demo", "demo", "1.0", backend_text=text)
    bench.build(tree(source, editable=True))
    assert (source / "src/demo/made.py").read_text() == "X = 1"
    if os.geteuid() == 0:  # it worked on a copy, of which regular files come back
        assert not (source / "src/demo/link.py").is_symlink()
        assert (source / "src/demo/made.py").stat().st_uid == 0


def test_a_backend_without_editable_wheels_is_named_as_the_reason(bench: Bench) -> None:
    text = backend("pass") + "\ndel build_editable\n"
    error = bench.fails(tree(make_project(bench.root / "demo", "demo", "1.0", backend_text=text), editable=True))
    assert "cannot be installed editable" in error.message
    assert error.hint == "install it without -e"


def test_a_project_in_a_subdirectory_is_found(bench: Bench) -> None:
    make_project(bench.root / "repo" / "python" / "demo", "demo", "1.0")
    artifact = tree(bench.root / "repo", subdirectory="python/demo")
    assert "demo/__init__.py" in names_in(bench.build(artifact))
    assert "lies outside" in bench.fails(artifact._replace(subdirectory="../repo2")).message
    assert "has no directory" in bench.fails(artifact._replace(subdirectory="rust")).message
    nearby = bench.fails(tree(bench.root / "repo" / "python"))
    assert "#subdirectory=demo" in (nearby.hint or "")


def test_requirements_of_the_build_are_installed_for_it_static_and_dynamic(bench: Bench) -> None:
    wheels = bench.root / "wheels"
    make_wheel(wheels, "first-tool", "1.0")
    make_wheel(wheels, "second-tool", "2.0")
    text = backend("import first_tool, second_tool\nprint(first_tool.__version__, second_tool.__version__)")
    text += "\n\ndef get_requires_for_build_wheel(config_settings=None):\n"
    text += "    import first_tool\n    return ['second-tool==2.0']\n"
    source = make_sdist(bench.root, "demo", "1.0", build_requires=["first-tool>=1"], backend_text=text)
    made = bench.build(sdist(source), Sources(no_index=True, find_links=(str(wheels),)))
    assert made.exists()
    assert any("first-tool>=1" in line for line in bench.said)
    assert any("second-tool==2.0" in line for line in bench.said)


def test_a_requirement_of_the_build_that_is_nowhere_is_named(bench: Bench) -> None:
    source = make_sdist(bench.root, "demo", "1.0", build_requires=["no-such-tool"])
    error = bench.fails(sdist(source), Sources(no_index=True, find_links=(str(bench.root),)))
    assert "requirements to build demo 1.0" in error.message
    assert any("no-such-tool" in line for line in error.context)


@pytest.mark.parametrize("name", ["flit_core", "setuptools"])
def test_a_well_known_backend_builds(bench: Bench, name: str) -> None:
    source = bench.root / "demo"
    (source / "demo").mkdir(parents=True)
    (source / "demo" / "__init__.py").write_text('"""Demo."""\n__version__ = "1.0"\n')
    if name == "flit_core":
        (source / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
            '[project]\nname = "demo"\nversion = "1.0"\ndescription = "Demo"\n'
        )
    else:  # as old as projects get: no pyproject.toml at all
        (source / "setup.py").write_text(
            "from setuptools import setup\nsetup(name='demo', version='1.0', packages=['demo'])\n"
        )
    bench.environ |= {key: value for key, value in os.environ.items() if key.startswith(("UV_", "PIP_"))}
    bench.environ["HOME"] = os.environ.get("HOME", "/")
    try:
        made = bench.build(tree(source), _sources_of_this_machine(), offline=False)
    except BuildError as err:
        if "could not be installed" in err.message:
            pytest.skip(f"{name} cannot be had here")
        raise
    assert "demo/__init__.py" in names_in(made)


def _sources_of_this_machine() -> Sources:
    from detente.engine.sources import from_pip

    files = [path for path in ("/etc/pip.conf", os.path.expanduser("~/.config/pip/pip.conf")) if os.path.exists(path)]
    return from_pip([(path, Path(path).read_text()) for path in files], dict(os.environ))


def test_the_oldest_python_that_we_take_builds_too(bench: Bench, tmp_path: Path) -> None:
    here = available(os.environ, Inventory(str(tmp_path / "i.json")))
    oldest = min(here, key=lambda each: each.minor)
    if oldest.minor >= (3, 11):
        pytest.skip("there is no older Python here")
    bench.interpreter = oldest
    text = (  # the tests' own backend is for newer ones
        "import sys\n\n\ndef build_wheel(directory, settings=None, metadata=None):\n"
        "    with open(directory + '/demo-1.0-py3-none-any.whl', 'w') as file:\n        file.write(sys.version)\n"
        "    return 'demo-1.0-py3-none-any.whl'\n"
    )
    made = bench.build(sdist(make_sdist(bench.root, "demo", "1.0", backend_text=text)))
    assert made.read_text().startswith(oldest.version)


# git


def git_artifact(where: str, commit: str, **more: str) -> Artifact:
    return Artifact("vcs", "demo", "1.0", where, commit=commit, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["{}", "file://{}", "git+file://{}"])
def test_exactly_the_commit_of_the_lock_is_built(bench: Bench, form: str) -> None:
    repo = make_project(bench.root / "repo", "demo", "1.0")
    first = make_git(repo)
    (repo / "src" / "demo" / "later.py").write_text("")
    second = make_git(repo, tag="v2.0")
    where = form.format(repo)
    assert "demo/later.py" not in names_in(bench.build(git_artifact(where, first)))
    assert "demo/later.py" in names_in(bench.build(git_artifact(where, second)))


def test_the_backend_sees_history_and_tags(bench: Bench) -> None:
    text = backend(
        """
        import subprocess
        said = subprocess.check_output(["git", "describe", "--tags"], text=True)
        open(os.path.join(wheel_directory, "described"), "w").write(said)
        """
    )
    repo = make_project(bench.root / "repo", "demo", "1.0", backend_text=text)
    make_git(repo, tag="v1.0")
    (repo / "more").write_text("")
    (repo / "evenmore").write_text("")
    commit = make_git(repo, tag="unrelated-1")
    subprocess.run(["git", "tag", "-d", "unrelated-1"], cwd=repo, check=True, capture_output=True)
    made = bench.build(git_artifact(str(repo), commit))
    assert (made.parent / "described").read_text().startswith("v1.0-1-g")


def test_a_commit_that_is_on_no_branch_head_and_one_that_does_not_exist(bench: Bench) -> None:
    repo = make_project(bench.root / "repo", "demo", "1.0")
    make_git(repo)
    with pytest.raises((BuildError, NetworkError)) as caught:
        bench.build(git_artifact(str(repo), "1" * 40))
    assert str(repo) in caught.value.message
    with pytest.raises(BuildError, match="not a full commit"):
        bench.build(git_artifact(str(repo), "--upload-pack=touch"))


def test_submodules_come_along(bench: Bench) -> None:
    part = bench.root / "part"
    part.mkdir()
    (part / "inner.py").write_text("X = 1\n")
    make_git(part)
    repo = make_project(bench.root / "repo", "demo", "1.0")
    make_git(repo)
    add = ["git", "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(part), "src/part"]
    subprocess.run(add, cwd=repo, check=True, capture_output=True)
    commit = make_git(repo, tag="v1.1")
    assert "part/inner.py" in names_in(bench.build(git_artifact(str(repo), commit)))


def test_a_repository_that_is_not_there_is_a_network_error_in_gits_words(bench: Bench) -> None:
    with pytest.raises(NetworkError, match="git could not fetch") as caught:
        bench.build(git_artifact(f"{bench.root}/nowhere", "2" * 40))
    assert caught.value.context


def test_without_git_the_way_to_get_it_is_named(bench: Bench) -> None:
    bench.environ["PATH"] = str(bench.root / "empty")
    with pytest.raises(ToolError) as caught:
        bench.build(git_artifact("https://example.invalid/repo", "2" * 40))
    assert caught.value.hint == "sudo apt install git"


def test_other_version_control_is_refused(bench: Bench) -> None:
    with pytest.raises(Refused, match="only git works"):
        bench.build(git_artifact("hg+https://example.invalid/repo", "2" * 40))


class _Guarded(http.server.SimpleHTTPRequestHandler):
    """A git repository as plain files, for those who know the password."""

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(b"me:s3cret").decode()
        if self.headers.get("Authorization") == wanted:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Guarded, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def test_the_password_of_a_repository_reaches_git_and_not_the_backend(bench: Bench) -> None:
    text = backend(  # it knows the password backwards only, so as not to find itself
        """
        found, secrets = [str(os.environ)], [b"terc3s"[::-1], b"0VmcjNzc6UWb"[::-1]]
        for here, _, names in os.walk(os.path.dirname(os.getcwd())):
            for name in names:
                with open(os.path.join(here, name), "rb") as file:
                    found.append(file.read())
        leaks = [secret for secret in secrets if secret in repr(found).encode()]
        open(os.path.join(wheel_directory, "leaks"), "w").write(repr(leaks))
        """
    )
    repo = make_project(bench.root / "repo", "demo", "1.0", backend_text=text)
    commit = make_git(repo)
    subprocess.run(["git", "update-server-info"], cwd=repo, check=True)
    with serving(repo / ".git") as port:
        made = bench.build(git_artifact(f"http://me:s3cret@127.0.0.1:{port}/", commit))
        assert (made.parent / "leaks").read_text() == "[]"
        with pytest.raises(NetworkError) as caught:
            bench.build(git_artifact(f"http://me:wrong@127.0.0.1:{port}/", commit))
    assert "wrong@" not in str([caught.value.message, caught.value.hint, caught.value.context, bench.said])


# What the backend gets


def test_the_backend_gets_no_secret_and_another_home(bench: Bench) -> None:
    text = backend(
        """
        import json, sys, tempfile
        told = dict(environ=dict(os.environ), prefix=sys.prefix, temporary=tempfile.gettempdir(), path=sys.path)
        with open(os.path.join(wheel_directory, "told"), "w") as file:
            json.dump(told, file)
        """
    )
    bench.environ |= {
        "INDEX_TOKEN": "secret", "UV_DEFAULT_INDEX": "https://me:secret@example.invalid/", "SSH_AUTH_SOCK": "/secret",
        "PYTHONPATH": "/secret", "HTTPS_PROXY": "http://me:secret@example.invalid", "CFLAGS": "-O1",
    }  # fmt: skip
    made = bench.build(sdist(make_sdist(bench.root, "demo", "1.0", backend_text=text)))
    told = json.loads((made.parent / "told").read_text())
    assert "secret" not in json.dumps(told)
    assert told["environ"]["CFLAGS"] == "-O1"
    assert told["environ"]["HOME"] == str(bench.scratch / "home")
    assert told["temporary"] == str(bench.scratch / "tmp")
    assert told["prefix"] == str(bench.scratch / "env")


def test_a_flood_of_output_and_a_daemon_left_behind_hold_nothing_up(bench: Bench) -> None:
    text = backend(
        """
        import subprocess
        print("x" * 100, end="\\n" * 1000000)
        subprocess.Popen(["sleep", "7919.25"], start_new_session=True)
        """
    )
    started = time.monotonic()
    assert bench.build(sdist(make_sdist(bench.root, "demo", "1.0", backend_text=text))).exists()
    assert time.monotonic() - started < 20
    assert not running("sleep\0007919.25")


def test_an_interrupt_ends_the_backend_at_once(bench: Bench) -> None:
    text = backend("import subprocess\nsubprocess.run(['sleep', '7919.5'])")
    source = make_sdist(bench.root, "demo", "1.0", backend_text=text)
    bench.scratch.mkdir()
    code = (
        "import shutil\nfrom detente.apply.build import build\n"
        "from detente.engine.sources import NOTHING\n"
        "from detente.model import Artifact, Interpreter\n"
        f"python = Interpreter(*{tuple(bench.interpreter)})\n"
        f"build(Artifact('sdist', 'demo', '1.0', {str(source)!r}, 'x.tar.gz'), python,"
        f" uv={engine()!r}, scratch={str(bench.scratch)!r}, cache={str(bench.cache)!r}, sources=NOTHING,"
        f" environ={bench.environ}, fetch=lambda a, to: shutil.copyfile(a.location, to), log=print, offline=True)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": ":".join(sys.path)}, stderr=-1
    )
    try:
        assert soon(lambda: bool(running("sleep\0007919.5\000")), 20)
        child.send_signal(signal.SIGINT)  # to it alone, not to the whole terminal
        started = time.monotonic()
        _, error = child.communicate(timeout=10)
        assert time.monotonic() - started < 1
        assert b"KeyboardInterrupt" in error
        assert soon(lambda: not running("sleep\0007919.5\000"), 1)
    finally:
        child.kill()
        child.wait()


# How a build fails


def test_a_failing_backend_is_told_in_its_own_last_words(bench: Bench) -> None:
    last = "src/x.c:1:10: fatal error: Python.h: No such file or directory"
    text = backend(f"for n in range(99): print('line', n)\nraise SystemExit({last!r})")
    error = bench.fails(sdist(make_sdist(bench.root, "demo", "1.0", backend_text=text)))
    assert error.message == "building demo 1.0 failed"
    assert len(error.context) == 15
    assert "Python.h" in error.context[-1]
    assert "line 98" in error.context
    assert error.hint == hint_for("fatal error: Python.h: No such file or directory", bench.interpreter, supplier())


@pytest.mark.parametrize(("body", "words"), MISBEHAVIOURS)
def test_each_way_in_which_a_backend_misbehaves_is_a_build_error(bench: Bench, body: str, words: str) -> None:
    error = bench.fails(sdist(make_sdist(bench.root, "demo", "1.0", backend_text=backend(body))))
    assert words in error.message
    assert error.hint


def test_a_version_that_is_only_known_by_building_is_taken_as_built(bench: Bench) -> None:
    assert bench.build(tree(make_project(bench.root / "demo", "demo", "1.0"), version="")).exists()


def test_an_equal_version_spelt_otherwise_is_the_same(bench: Bench) -> None:
    assert bench.build(
        tree(make_project(bench.root / "demo", "Demo.Project", "1.0"), name="demo-project", version="1.0.0")
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[build-system", "is not TOML"),
        ("\udcff", "is not TOML"),
        ("build-system = 1", "build-system is not a table"),
        ("[build-system]", "requires is missing"),
        ("[build-system]\nrequires = 'setuptools'", "requires is missing or not a list"),
        ("[build-system]\nrequires = []\nbuild-backend = 3", "has the wrong type"),
        ("[build-system]\nrequires = []\nbuild-backend = 'x'\nbackend-path = ['../..']", "backend-path"),
        ("[build-system]\nrequires = []\nbuild-backend = 'no_such_backend'", "cannot be imported"),
    ],
)
def test_a_pyproject_that_cannot_be_used_says_why(bench: Bench, text: str, words: str) -> None:
    (bench.root / "demo").mkdir()
    (bench.root / "demo" / "pyproject.toml").write_text(text, errors="surrogateescape")
    assert words in bench.fails(tree(bench.root / "demo")).message


def test_a_directory_without_a_project_says_so(bench: Bench) -> None:
    (bench.root / "empty").mkdir()
    assert "neither pyproject.toml nor setup.py" in bench.fails(tree(bench.root / "empty")).message
    assert "is not a directory" in bench.fails(tree(bench.root / "absent")).message


# Archives


def tar_of(path: Path, *members: tuple[str, object]) -> Path:
    """Write a tar archive: a text is a file's content, a pair a type and a link's target."""
    with tarfile.open(path, "w:gz") as archive:
        for name, what in members:
            info = tarfile.TarInfo(name)
            if isinstance(what, str):
                info.size, info.mode = len(what), 0o4755
                archive.addfile(info, io.BytesIO(what.encode()))
            else:
                info.type, info.linkname = what  # type: ignore[misc]
                archive.addfile(info)
    return path


def zip_of(path: Path, *members: tuple[str, object]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, what in members:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (0o120777 if isinstance(what, tuple) else 0o104755) << 16
            archive.writestr(info, what[1] if isinstance(what, tuple) else str(what))
    return path


LINK, HARD = tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize(
    "members",
    [
        [("../out", "x")],
        [("top/../../out", "x")],
        [("/tmp/out-of-archive", "x")],
        [("top/link", (LINK, "/")), ("top/link/tmp/out-of-archive", "x")],
        [("top/link", (LINK, "../.."))],
        [("top/link", (LINK, "/etc/passwd"))],
        [("top/a/x", "x"), ("top/d", (LINK, "a")), ("top/e", (LINK, "d/../../.."))],
        [("top/up", (LINK, "..")), ("top/up2", (LINK, "up/../.."))],
        [("top/hard", (HARD, "../../etc/passwd"))],
        [("top/hard", (HARD, "/etc/passwd"))],
        [("top/pipe", (tarfile.FIFOTYPE, ""))],
        [("top/device", (tarfile.CHRTYPE, ""))],
        [("top", "file"), ("top/inner", "x")],
        [("top/hard", (HARD, "top/absent"))],
    ],
)
def test_an_archive_that_reaches_outside_or_contradicts_itself_is_refused(
    tmp_path: Path, members: list[tuple[str, object]]
) -> None:
    kinds = [tar_of(tmp_path / "a.tar.gz", *members)]
    if all(not isinstance(what, tuple) or what[0] == LINK for _, what in members):
        kinds.append(zip_of(tmp_path / "a.zip", *members))
    for number, archive in enumerate(kinds):
        before = set(tmp_path.iterdir())
        with pytest.raises(IntegrityError, match=r"the archive of demo 1\.0"):
            unpack(str(archive), str(tmp_path / f"into{number}" / ".." / f"into{number}"), "demo 1.0")
        assert set(tmp_path.iterdir()) - before <= {tmp_path / f"into{number}"}
        assert not os.path.lexists("/tmp/out-of-archive")


def test_links_inside_survive_and_dangling_ones_are_left_out(tmp_path: Path) -> None:
    archive = tar_of(
        tmp_path / "a.tar.gz",
        ("top/link", (LINK, "real/file")),
        ("top/broken", (LINK, "nowhere")),
        ("top/real/file", "content"),
        ("top/hard", (HARD, "top/real/file")),
    )
    top = Path(unpack(str(archive), str(tmp_path / "into"), "demo 1.0"))
    assert top == tmp_path / "into" / "top"
    assert (top / "link").is_symlink()
    assert (top / "link").read_text() == (top / "hard").read_text() == "content"
    assert not os.path.lexists(top / "broken")
    mode = (top / "real" / "file").stat().st_mode & 0o7777
    assert mode == 0o755  # no set-user-id bit
    assert (top / "real" / "file").stat().st_mtime > 315532800  # zip files know no date before 1980


@pytest.mark.parametrize("cut", [0, 1, 10, 60, 300])
def test_a_damaged_archive_is_one_sentence(tmp_path: Path, cut: int) -> None:
    whole = make_sdist(tmp_path, "demo", "1.0").read_bytes()
    packed = Path(
        shutil.make_archive(str(tmp_path / "z"), "zip", make_project(tmp_path / "p", "demo", "1.0"))
    ).read_bytes()
    for number, data in enumerate((whole[:cut], packed[:cut], whole[: -(cut + 200)], b"junk" * cut)):
        (tmp_path / "damaged").write_bytes(data)
        with pytest.raises(IntegrityError, match="is damaged"):
            unpack(str(tmp_path / "damaged"), str(tmp_path / f"into{cut}-{number}"), "demo 1.0")
