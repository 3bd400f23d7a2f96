"""uv's command lines, run by the real uv against an index on loopback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from detente.engine import uv
from detente.engine.lock import artifacts
from detente.engine.sources import NOTHING, Sources
from detente.errors import ToolError, UsageError
from detente.host import proc
from detente.model import Artifact, Command, Completed
from support.index import Fault, Index
from support.machine import engine
from support.wheels import make_git, make_project, make_sdist, make_wheel

MARKERS = {"python_full_version": ".".join(map(str, sys.version_info[:3])), "sys_platform": "linux"}


class Bench:
    """A directory with a cache, and a person's variables."""

    def __init__(self, place: Path, index: Index) -> None:
        self.place = place
        self.index = index
        self.environ = {"HOME": str(place), "PATH": os.environ["PATH"]}
        self.sources = Sources(index_url=index.url, retries=0)
        self.count = 0

    def command(
        self, *requirements: str, sources: Sources | None = None, offline: bool = False, **more: bool
    ) -> Command:
        self.count += 1
        self.output = self.place / f"pylock.n{self.count}.toml"
        return uv.resolve(
            engine(),
            requirements,
            interpreter=sys.executable,
            output=str(self.output),
            cache=str(self.place / "cache"),
            sources=self.sources if sources is None else sources,
            prerelease=more.pop("prerelease", False),
            offline=offline,
            environ=self.environ,
            **more,
        )

    def ask(self, *requirements: str, **settings: object) -> Completed:
        return proc.run(self.command(*requirements, **settings))  # type: ignore[arg-type]

    def lock(self, *requirements: str, **settings: object) -> str:
        answer = self.ask(*requirements, **settings)
        assert answer.returncode == 0, answer.stderr
        return self.output.read_text()

    def files(self, *requirements: str, **settings: object) -> dict[str, Artifact]:
        text = self.lock(*requirements, **settings)
        return {found.name: found for found in artifacts(text, base="/", tags=["py3-none-any"], markers=MARKERS)}


@pytest.fixture
def bench(tmp_path: Path, shared_index: Index) -> Bench:
    place = tmp_path / "bench"
    place.mkdir()
    return Bench(place, shared_index)


def versions(found: dict[str, Artifact]) -> dict[str, str]:
    return {name: artifact.version for name, artifact in found.items()}


def test_a_lock_names_each_distribution_with_its_wheel(bench: Bench) -> None:
    found = bench.files("demo")
    assert versions(found) == {"demo": "2.0", "dep": "1.5"}
    assert found["demo"].location == bench.index.file_url("demo-2.0-py3-none-any.whl")
    assert found["demo"].kind == "wheel"


def test_extras_and_markers_are_applied(bench: Bench) -> None:
    assert versions(bench.files("fancy[more]; python_version > '3'", "library; sys_platform == 'win32'")) == {
        "fancy": "1.0",
        "extra-needs": "1.0",
    }


def test_prereleases_are_chosen_when_asked_for(bench: Bench) -> None:
    assert versions(bench.files("demo", prerelease=True))["demo"] == "3.0rc1"
    assert versions(bench.files("demo", sources=bench.sources._replace(prerelease=True)))["demo"] == "3.0rc1"


def test_without_network_what_is_cached_still_resolves(bench: Bench) -> None:
    first = bench.files("demo")
    seen = len(bench.index.requests)
    assert bench.files("demo", offline=True) == first
    assert len(bench.index.requests) == seen


def test_a_project_around_the_command_changes_nothing(bench: Bench) -> None:
    project = bench.place / "project"
    project.mkdir()
    (project / "uv.toml").write_text("no-index = true\n")
    bench.environ |= {
        "UV_PROJECT": str(project),
        "UV_WORKING_DIR": str(project),
        "VIRTUAL_ENV": str(project),
        "UV_PYTHON": "2.7",
        "PYTHONHOME": "/nonexistent",
        "UV_MANAGED_PYTHON": "1",
    }
    here = Path.cwd()
    os.chdir(project)
    try:
        assert "demo" in bench.files("demo")
    finally:
        os.chdir(here)


def test_the_persons_own_uv_file_still_counts(bench: Bench) -> None:
    file = bench.place / ".config/uv/uv.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'index-url = "{bench.index.url}"\n')
    assert "demo" in bench.files("demo", sources=NOTHING)


def test_the_command_lines_index_wins_over_the_persons_variables(bench: Bench) -> None:
    bench.environ |= {"UV_INDEX_URL": "http://127.0.0.1:9/", "UV_DEFAULT_INDEX": "http://127.0.0.1:9/"}
    assert "demo" in bench.files("demo")


def test_credentials_reach_the_index_but_neither_arguments_nor_lock(bench: Bench, wares: Path) -> None:
    with Index(wares) as index:
        index.fault("/", Fault(auth=("me", "s3cret")))
        url = index.url.replace("//", "//me:s3cret@")
        command = bench.command("demo", sources=Sources(index_url=url))
        answer = proc.run(command)
        assert answer.returncode == 0, answer.stderr
        assert "s3cret" not in " ".join(command.argv) + answer.stderr + bench.output.read_text()


def test_links_with_a_comma_or_a_space_are_found(bench: Bench) -> None:
    place = bench.place / "my, wheels é"
    place.mkdir()
    make_wheel(place, "linked", "1.0")
    for link in (str(place), place.as_uri(), place.as_uri().replace("%2C", ",")):
        found = bench.files("linked", sources=Sources(no_index=True, find_links=(link, str(bench.place))))
        assert found["linked"].location == str(place / "linked-1.0-py3-none-any.whl")


def test_another_index_is_asked_before_the_first_one(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    make_wheel(other, "demo", "0.1")
    with Index(other) as index:
        found = bench.files("demo", sources=bench.sources._replace(extra_index_urls=(index.url,)))
    assert versions(found) == {"demo": "0.1"}


def test_choices_of_formats_are_kept(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    make_wheel(folder, "both", "1.0")
    make_sdist(folder, "both", "1.0")
    with Index(folder) as index:
        one = Sources(index_url=index.url)
        assert bench.files("both", sources=one._replace(no_binary=("both",)))["both"].kind == "sdist"
        assert bench.files("both", sources=one._replace(only_binary=(":all:",)))["both"].kind == "wheel"


def test_constraints_and_dates_are_kept(bench: Bench) -> None:
    file = bench.place / "constraints.txt"
    file.write_text("demo<2\n")
    assert versions(bench.files("demo", sources=bench.sources._replace(constraints=(str(file),))))["demo"] == "1.0"
    late = bench.sources._replace(exclude_newer="2019-01-01")
    assert bench.ask("demo", sources=late).returncode != 0


def test_local_trees_paths_and_commits_are_read_back(bench: Bench, tmp_path: Path) -> None:
    tree = tmp_path / "a tree"
    make_project(tree, "localtree", "1.0", requires=["dep"])
    wheel = make_wheel(tmp_path, "localwheel", "1.0")
    found = bench.files(f"-e {tree}", str(wheel))
    assert found["localtree"] == Artifact("directory", "localtree", "", str(tree), editable=True)
    assert (found["localwheel"].kind, found["localwheel"].location) == ("wheel", str(wheel))
    assert found["dep"].version == "1.5"
    repository = tmp_path / "repository"
    make_project(repository, "fromgit", "2.0")
    commit = make_git(repository)
    found = bench.files(f"fromgit @ git+{repository.as_uri()}@v1.0")
    assert found["fromgit"] == Artifact("vcs", "fromgit", "2.0", str(repository), commit=commit)


def test_a_cache_with_odd_bytes_and_spaces_is_no_obstacle(bench: Bench) -> None:
    odd = os.fsencode(bench.place) + b"/c \xff\xe9"
    os.mkdir(odd)
    bench.environ["UV_CACHE_DIR"] = os.fsdecode(odd)
    assert "demo" in bench.files("demo")
    assert os.listdir(odd)


@pytest.mark.parametrize("text", ["", "--index-url http://x", "a\nb", "-x", "-e ", " demo", "de\0mo", "-"])
def test_what_uv_could_take_for_an_option_is_refused(bench: Bench, text: str) -> None:
    with pytest.raises(UsageError, match="cannot understand"):
        bench.command(text)


def test_a_path_that_is_not_text_is_refused_with_the_way_out(bench: Bench) -> None:
    with pytest.raises(UsageError, match=r"\\xff is not UTF-8"):
        bench.command(os.fsdecode(b"/tmp/\xff"))


def test_pips_network_settings_become_variables() -> None:
    told = uv.environment(
        {"ALL_PROXY": "http://old", "SSL_CERT_DIR": "/d"},
        Sources(
            certificate="/c.pem",
            client_certificate="/k.pem",
            proxy="u:p@proxy:3128",
            timeout=2.5,
            insecure_hosts=("a", "b"),
            keyring="subprocess",
        ),
    )
    assert told["SSL_CERT_FILE"] == "/c.pem"
    assert "SSL_CERT_DIR" not in told
    assert "ALL_PROXY" not in told
    assert told["https_proxy"] == told["HTTP_PROXY"] == "http://u:p@proxy:3128"
    assert (told["UV_HTTP_TIMEOUT"], told["UV_INSECURE_HOST"], told["SSL_CLIENT_CERT"]) == ("3", "a b", "/k.pem")
    assert told["UV_KEYRING_PROVIDER"] == "subprocess"


def test_the_systems_certificates_hold_unless_the_person_says_otherwise() -> None:
    assert uv.environment({})["UV_SYSTEM_CERTS"] == "true"
    assert uv.environment({"UV_SYSTEM_CERTS": "0"})["UV_SYSTEM_CERTS"] == "0"
    assert "UV_SYSTEM_CERTS" not in uv.environment({"UV_NATIVE_TLS": "0"})


def test_the_persons_own_variables_stay() -> None:
    own = {
        "HTTPS_PROXY": "http://p",
        "NETRC": "/n",
        "PYTHON_KEYRING_BACKEND": "k",
        "UV_OFFLINE": "1",
        "UV_HTTP_RETRIES": "9",
    }
    told = uv.environment({**own, "PYTHONPATH": "/x", "UV_CACHE_DIR": "/own"}, cache="/ours")
    assert {name: told[name] for name in own} == own
    assert told["UV_CACHE_DIR"] == "/own"
    assert "PYTHONPATH" not in told


def test_requests_go_through_pips_proxy(bench: Bench) -> None:
    with Index(bench.place) as proxy:
        bench.ask("demo", sources=Sources(index_url="http://far.example/simple/", proxy=proxy.host, retries=0))
        assert proxy.requests[0] == "http://far.example/simple/demo/"


def test_an_environment_is_made_and_filled_with_copies(bench: Bench) -> None:
    place = bench.place / "an env"
    made = uv.create_environment(
        engine(), str(place), sys.executable, cache=str(bench.place / "c"), environ=bench.environ
    )
    assert proc.run(made).returncode == 0
    assert not (place / "bin/pip").exists()
    python = str(place / "bin/python")
    for _ in range(2):
        asked = uv.install_into(
            engine(),
            python,
            ["demo"],
            cache=str(bench.place / "c"),
            sources=bench.sources,
            offline=False,
            environ=bench.environ,
        )
        assert proc.run(asked).returncode == 0
    said = subprocess.run([place / "bin/demo"], capture_output=True, text=True, check=True).stdout
    assert said == "demo 2.0\ndep 1.5\n"
    (module,) = place.glob("lib/python*/site-packages/demo/__init__.py")
    assert module.stat().st_nlink == 1


def test_without_dependencies_exactly_what_was_named_is_installed(bench: Bench) -> None:
    place = bench.place / "env"
    cache = str(bench.place / "c")
    proc.run(uv.create_environment(engine(), str(place), sys.executable, cache=cache, environ=bench.environ))
    asked = uv.install_into(
        engine(),
        str(place / "bin/python"),
        ["demo==1.0"],
        cache=cache,
        sources=bench.sources,
        offline=False,
        environ=bench.environ,
        dependencies=False,
    )
    assert proc.run(asked).returncode == 0
    assert sorted(path.name for path in place.glob("lib/python*/site-packages/*.dist-info")) == ["demo-1.0.dist-info"]


def test_the_version_is_read_and_an_old_or_foreign_program_refused() -> None:
    assert uv.parsed_version(proc.run(uv.version(engine()))).count(".") == 2
    with pytest.raises(ToolError, match=r"uv 0\.4\.1 is too old"):
        uv.parsed_version(Completed(0, "uv 0.4.1 (abc)\n", ""))
    for answer in (Completed(0, "something else 1.0", ""), Completed(1, "uv 0.13.9", "boom"), Completed(0, "", "")):
        with pytest.raises(ToolError, match="does not answer"):
            uv.parsed_version(answer)
