"""What uv says when it fails, in our words: each case is made to happen to the real uv."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from detente.engine import uv
from detente.engine.answer import cleaned
from detente.engine.explain import explain
from detente.engine.sources import NOTHING, Sources
from detente.errors import (
    BuildError,
    ConfigError,
    DetenteError,
    DiskError,
    IntegrityError,
    Interrupted,
    NetworkError,
    NotFound,
    ResolutionError,
    ToolError,
    UsageError,
)
from detente.host import proc
from detente.model import Completed
from support.index import Fault, Index
from support.machine import engine
from support.wheels import make_git, make_project, make_wheel


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("stubborn")
    for version in ("1.0", "2.0", "3.0b1"):
        make_wheel(place, "alpha", version)
    make_wheel(place, "wants-old", "1.0", requires=["alpha<2"])
    make_wheel(place, "wants-new", "1.0", requires=["alpha>=2"])
    make_wheel(place, "wants-nobody", "1.0", requires=["no-such-name"])
    make_wheel(place, "later", "1.0", requires_python=">=3.99")
    make_wheel(place, "wants-later", "1.0", requires=["later"])
    make_wheel(place, "elsewhere", "1.0", tag="cp311-cp311-win_amd64")
    make_wheel(place, "otherpy", "1.0", tag="cp399-cp399-manylinux_2_17_x86_64")
    return place


@pytest.fixture
def index(folder: Path) -> Iterator[Index]:
    with Index(folder) as found:
        yield found


class Failing:
    """Runs uv for requirements that must fail, and explains the failure."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.environ = {"HOME": str(place), "PATH": os.environ["PATH"]}

    def __call__(
        self,
        *requirements: str,
        sources: Sources = NOTHING,
        offline: bool = False,
        builds: bool = True,
        python: str = "",
    ) -> DetenteError:
        self.command = uv.resolve(
            engine(),
            requirements,
            interpreter=python or sys.executable,
            output=str(self.place / "pylock.toml"),
            cache=str(self.place / "cache"),
            sources=sources._replace(retries=0),
            prerelease=False,
            offline=offline,
            environ=self.environ,
            builds=builds,
        )
        answer = proc.run(self.command)
        assert answer.returncode != 0, "uv found a solution"
        error = explain(answer, requirements, sources)
        assert not error.message.endswith(".")
        assert "\x1b" not in "\n".join((error.message, *error.context))
        assert "`-`" not in "\n".join((error.message, *error.context))
        return error


@pytest.fixture
def fail(tmp_path: Path) -> Failing:
    return Failing(tmp_path)


def at(index: Index) -> Sources:
    return Sources(index_url=index.url)


@pytest.mark.parametrize(
    ("requirements", "kind", "message", "hint"),
    [
        (["nosuch"], NotFound, "no distribution is called nosuch in the index", "detente install nosuch --index-url"),
        (["No_Such>1"], NotFound, "no distribution is called no-such in the index", "--index-url"),
        (["No_Such[x]"], NotFound, "no distribution called no-such, or no file of it", "detente install no-such"),
        (["alpha[x]>9"], ResolutionError, "no release of alpha fits 'alpha[x]>9'", "detente install alpha"),
        (
            ["wants-nobody"],
            ResolutionError,
            "wants-nobody needs no-such-name, and no distribution is called so in the index",
            "--extra-index-url",
        ),
        (["alpha>=9"], ResolutionError, "no release of alpha fits 'alpha>=9'", "detente install alpha"),
        (["alpha==1.7"], ResolutionError, "no release of alpha fits alpha==1.7", "detente install alpha"),
        (["alpha>2,<3.0"], ResolutionError, "no release of alpha fits 'alpha>2,<3.0'", "detente install alpha"),
        (
            ["wants-old", "wants-new"],
            ResolutionError,
            "the requirements cannot be satisfied together",
            "detente install NAME",
        ),
        (
            ["wants-old", "alpha==2.0"],
            ResolutionError,
            "the requirements cannot be satisfied together",
            "detente install NAME",
        ),
        (
            ["later"],
            ResolutionError,
            "later needs Python >=3.99, and this is 3.",
            "detente install later --python 3.99",
        ),
        (["wants-later"], ResolutionError, "later needs Python >=3.99", "detente install wants-later --python 3.99"),
        (
            ["elsewhere"],
            ResolutionError,
            "elsewhere has no file for this platform",
            "detente install 'elsewhere==VERSION'",
        ),
        (["otherpy"], ResolutionError, "otherpy has no file for this Python", "--python 3.x"),
        (["alpha=2"], UsageError, "cannot understand the requirement 'alpha=2'", "name==version"),
        (["al pha"], UsageError, "cannot understand the requirement 'al pha'", "name==version"),
        (["~/x"], UsageError, "cannot understand the requirement '~/x'", "name==version"),
        (["alpha @@@ 2"], UsageError, "cannot understand the requirement 'alpha @@@ 2'", "name==version"),
        (["alpha", "alpha; foo"], UsageError, "cannot understand a requirement", "name==version"),
        (["/no such/tree"], NotFound, "there is nothing at /no such/tree", "ls -ld '/no such/tree'"),
        (["-e /nosuch/tree"], NotFound, "there is nothing at /nosuch/tree", "ls -ld"),
        (["/nosuch/a-1.0-py3-none-any.whl"], NotFound, "there is nothing at /nosuch/a-1.0", "ls -ld"),
        (["-r /nosuch/r.txt"], ConfigError, "is missing: /nosuch/r.txt", "env | grep"),
    ],
)
def test_a_requirement_that_cannot_be_met_is_explained(
    fail: Failing, index: Index, requirements: list[str], kind: type[DetenteError], message: str, hint: str
) -> None:
    error = fail(*requirements, sources=at(index))
    assert type(error) is kind
    assert message in error.message
    assert hint in (error.hint or "")


def test_the_words_of_uv_are_kept_for_a_conflict(fail: Failing, index: Index) -> None:
    error = fail("wants-old", "wants-new", sources=at(index))
    text = " ".join(error.context)
    assert "wants-old" in text
    assert "alpha>=2" in text


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(status=500), "answers with an error (status 500)"),
        (Fault(status=503), "answers with an error (status 503)"),
        (Fault(status=429), "has had too many requests"),
        (Fault(status=403), "refuses access (status 403)"),
        (Fault(auth=("me", "pw")), "asks for a name and password"),
        (Fault(body=b"{", content_type="application/vnd.pypi.simple.v1+json"), "does not answer as an index does"),
        (Fault(body=b"hello", content_type="text/plain"), "does not answer as an index does"),
        (Fault(reset=True), "broke off the connection"),
    ],
)
def test_an_index_that_fails_is_named_by_its_host(fail: Failing, index: Index, fault: Fault, message: str) -> None:
    index.fault("/simple/", fault)
    error = fail("alpha", sources=at(index))
    assert type(error) is NetworkError
    assert error.message == f"{index.host} {message}"
    assert error.hint


def test_a_log_in_page_in_place_of_the_index_is_suspected(fail: Failing, index: Index) -> None:
    index.fault("/simple/", Fault(body=b"<html>please log in", content_type="text/html"))
    error = fail("alpha", sources=at(index))
    assert error.message == "the index lists no file of alpha"
    assert "log-in page" in (error.hint or "")


def test_a_file_that_the_index_promised_and_has_not_is_named(fail: Failing, index: Index) -> None:
    index.fault("/files/", Fault(status=404))
    error = fail("alpha", sources=at(index))
    assert type(error) is NetworkError
    assert "alpha-2.0" in (error.hint or "")


def test_a_dead_name_server_is_reported_at_once(fail: Failing) -> None:
    error = fail("alpha", sources=Sources(index_url="http://no-such-host.invalid/simple/"))
    assert type(error) is NetworkError
    assert error.message.startswith("no-such-host.invalid cannot be found")


def test_a_refused_connection_is_reported_without_credentials(fail: Failing) -> None:
    error = fail("alpha", sources=Sources(index_url="http://me:s3cret@127.0.0.1:9/simple/"))
    assert error.message == "127.0.0.1:9 refuses the connection"
    assert "s3cret" not in repr((error.message, error.hint, error.context))


def test_a_silent_server_is_reported_after_the_time_limit(fail: Failing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        error = fail("alpha", sources=Sources(index_url=f"http://{host}/simple/", timeout=1))
    assert error.message == f"{host} does not answer in time"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for loopback by an authority of ours (ca.pem beside it)."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    place = tmp_path_factory.mktemp("tls")
    (place / "ext").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    ca = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-addext", "basicConstraints=critical,CA:TRUE"]
    sign = ["-days", "9", "-extfile", "ext", "-out", "own.pem"]
    for words in (
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", *ca],
        ["req", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=loopback"],
        ["x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", *sign],
    ):
        subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True)
    both = place / "both.pem"
    both.write_text((place / "own.pem").read_text() + (place / "own.key").read_text())
    return both


def test_an_unknown_authority_is_named_with_the_way_to_trust_it(fail: Failing, folder: Path, certificate: Path) -> None:
    with Index(folder, certificate=certificate) as secure:
        error = fail("alpha>9", sources=at(secure))
        assert error.message == f"the certificate of {secure.host} is signed by nobody we trust"
        assert "SSL_CERT_FILE" in (error.hint or "")
        trusted = at(secure)._replace(certificate=str(certificate.with_name("ca.pem")))
        assert type(fail("alpha>9", sources=trusted)) is ResolutionError
        insecure = at(secure)._replace(insecure_hosts=(secure.host,))
        assert type(fail("alpha>9", sources=insecure)) is ResolutionError


def test_plain_http_behind_https_is_recognised(fail: Failing, index: Index) -> None:
    error = fail("alpha", sources=Sources(index_url=index.url.replace("http:", "https:")))
    assert error.message == f"{index.host} does not speak HTTPS at this address"


def test_without_network_an_uncached_name_is_no_unknown_name(fail: Failing, index: Index) -> None:
    error = fail("alpha", sources=at(index), offline=True)
    assert type(error) is NetworkError
    assert error.message == "alpha is not in the cache, and the network may not be used"


def test_links_that_cannot_be_read_are_named(fail: Failing, index: Index) -> None:
    error = fail("alpha", sources=at(index)._replace(find_links=("/no/such",)))
    assert type(error) is ConfigError
    assert "/no/such" in error.message
    error = fail("alpha", sources=at(index)._replace(find_links=(f"{index.root}/none/",)))
    assert type(error) is NetworkError


def test_a_cooldown_that_leaves_nothing_is_named(fail: Failing, index: Index) -> None:
    error = fail("alpha", sources=at(index)._replace(exclude_newer="2019-01-01"))
    assert type(error) is ResolutionError
    assert error.message.startswith("the cooldown leaves no release of alpha")


def test_a_build_that_fails_keeps_the_backends_last_words(fail: Failing, index: Index, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    table = '[build-system]\nrequires = []\nbuild-backend = "broken"\nbackend-path = ["."]\n'
    (tree / "pyproject.toml").write_text(table)
    (tree / "broken.py").write_text("raise SystemExit('fatal error: ffi.h: no such file')\n")
    error = fail(str(tree), sources=at(index))
    assert type(error) is BuildError
    assert any("ffi.h" in line for line in error.context)
    assert error.distribution == "", "a directory is not of the index"
    (tree / "pyproject.toml").write_text(table.replace("[]", '["no-such-backend"]'))
    error = fail(str(tree), sources=at(index))
    assert type(error) is BuildError
    assert "what its build needs" in error.message
    dead = fail(str(tree), sources=Sources(index_url="http://127.0.0.1:9/"))
    assert type(dead) is NetworkError


def test_what_has_no_wheel_is_named_where_building_is_not_allowed(fail: Failing, shared_index: Index) -> None:
    error = fail("fromsource", sources=at(shared_index), builds=False)
    assert type(error) is ResolutionError
    assert error.message == "fromsource has no wheel that fits, and building from source is not allowed"


def test_a_directory_is_named_where_building_is_not_allowed(fail: Failing, tmp_path: Path) -> None:
    tree = make_project(tmp_path / "tree", "mine", "1.0", dynamic=True)
    for requirement in (f"mine @ file://{tree}", str(tree)):
        error = fail(requirement, builds=False)
        assert type(error) is ResolutionError
        assert error.message == "mine would have to be built from source, and that is not allowed"
        assert "--only-binary :none:" in str(error.hint)


def test_why_a_build_failed_is_said_where_it_is_known() -> None:
    said = "error: Failed to build `mine==1.0`\n  cause: The build backend returned an error\n"
    error = explain(Completed(1, "", said), ["mine"], NOTHING, because=("it is late", "go to bed"))
    assert type(error) is BuildError
    assert (error.message, error.hint) == ("cannot build mine from source: it is late", "go to bed")
    assert error.distribution == "mine"


def test_an_empty_directory_and_a_damaged_wheel_are_named(fail: Failing, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert fail(str(tmp_path / "empty")).message == f"{tmp_path}/empty is no Python project"
    wheel = tmp_path / "alpha-1.0-py3-none-any.whl"
    wheel.write_bytes(b"PK")
    assert type(fail(str(wheel))) is IntegrityError
    assert fail(str(wheel)).message == "alpha-1.0-py3-none-any.whl is damaged"


def test_git_failures_are_told_apart(fail: Failing, tmp_path: Path) -> None:
    tree = tmp_path / "r"
    make_project(tree, "fromgit", "1.0")
    make_git(tree)
    assert type(fail(f"git+{tree.as_uri()}@none")) is NotFound
    error = fail("git+http://me:s3cret@127.0.0.1:9/r.git")
    assert type(error) is NetworkError
    assert "s3cret" not in repr((error.message, error.hint, error.context))
    fail.environ["PATH"] = "/nonexistent"
    assert fail(f"git+{tree.as_uri()}").message == "git is not installed, and a requirement is a git repository"


def test_settings_that_uv_cannot_read_are_named(fail: Failing, index: Index, tmp_path: Path) -> None:
    for name, value in (("UV_HTTP_TIMEOUT", "soon"), ("UV_PRERELEASE", "sometimes")):
        fail.environ[name] = value
        error = fail("alpha", sources=at(index))
        assert type(error) is ConfigError
        assert value in error.message
        del fail.environ[name]
    file = tmp_path / ".config/uv/uv.toml"
    file.parent.mkdir(parents=True)
    file.write_text("\nbogus = 1\n")
    assert fail("alpha", sources=at(index)).message == f"{file}, line 2: uv cannot read its configuration"


def test_an_interpreter_that_is_none_is_named(fail: Failing, index: Index) -> None:
    error = fail("alpha", sources=at(index), python="/nonexistent/python3")
    assert type(error) is ToolError
    assert error.message == "the interpreter /nonexistent/python3 cannot be used"


def test_a_cache_that_cannot_be_written_is_named(fail: Failing, index: Index) -> None:
    fail.environ["UV_CACHE_DIR"] = "/proc/nothing"
    error = fail("alpha", sources=at(index))
    assert type(error) is DiskError
    assert "/proc/nothing" in error.message


def test_a_signal_is_told_apart_from_an_answer() -> None:
    assert type(explain(Completed(-2, "", ""), ["a"], NOTHING)) is Interrupted
    killed = explain(Completed(-9, "", "Resolved 3\nerror: x"), ["a"], NOTHING)
    assert type(killed) is ToolError
    assert killed.message == "uv was ended by signal 9"


@pytest.mark.parametrize(
    ("stderr", "way_out"),
    [
        ("memory allocation of 144 bytes failed", "ulimit -v"),
        ("OS can't spawn worker thread: Resource temporarily unavailable (os error 11)", "ulimit -u"),
    ],
)
def test_a_limit_that_ended_uv_is_named(stderr: str, way_out: str) -> None:
    error = explain(Completed(-6, "", stderr), ["a"], NOTHING)
    assert error.message == "uv was ended by signal 6"
    assert way_out in (error.hint or "")


@pytest.mark.parametrize(
    "stderr",
    [
        """error: Failed to inspect Python interpreter from provided path at `/x/python`
  Caused by: Failed to query Python interpreter
  Caused by: failed to write to file `/x/.tmp/python/info.py`: No space left on device (os error 28)""",
        """error: Failed to write to the client cache
  Caused by: No space left on device (os error 28) at path "/x/.tmpAZdRiS\"""",
    ],
)
def test_a_full_disk_is_one_whatever_uv_was_about_to_do(stderr: str) -> None:
    error = explain(Completed(2, "", stderr), ["a"], NOTHING)
    assert type(error) is DiskError
    assert error.message == "the disk is full; nothing was changed"


@pytest.mark.parametrize(
    "stderr", ["", "error: something quite new\n  cause: of a new kind", "\x1b[31mthread panicked\x1b[0m"]
)
def test_an_unknown_answer_is_still_an_error_with_uvs_words(stderr: str) -> None:
    error = explain(Completed(1, "", stderr), ["a"], NOTHING)
    assert type(error) is ToolError
    assert error.message.startswith("uv failed with status 1: ")
    assert "\x1b" not in error.message


def test_a_long_answer_keeps_its_beginning_and_end() -> None:
    lines = cleaned("\n".join(f"line {number}" for number in range(500)))
    assert lines[0] == "line 0"
    assert lines[-1] == "line 499"
    assert len(lines) < 50
