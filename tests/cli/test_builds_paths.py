"""Paths in the scripts that uv lets a backend run with: its own are replaced, and no source gets others into them."""

from pathlib import Path

from cli import test_builds_policy
from cli.test_builds_policy import Cage
from support.wheels import make_project, make_sdist

cage = test_builds_policy.cage


def test_a_backend_whose_name_is_code_names_no_file_of_ours(cage: Cage, tmp_path: Path) -> None:
    """The name of a backend stands in uv's script as it is: what looks like a path of uv's there is none."""
    secret, song = cage.machine.home / ".ssh/id", cage.canary / "song"
    secret.parent.mkdir()
    secret.write_text("4711-token")
    places = [f'__import__(\\"os\\").fsdecode(b\\"{place}\\")' for place in (secret.parent, song)]
    code = f"import glob, os, sys\\nread, write = {', '.join(places)}\\n"
    code += "print([open(one).read() for one in glob.glob(read + '/*')], file=sys.stderr)\\n"
    code += "os.makedirs(os.path.dirname(write), exist_ok=True)\\nopen(write, 'w').write('sung')\\n"
    project = make_project(tmp_path / "evil", "evil", "1.0", backend_text=cage.backend, dynamic=True)
    settings = (project / "pyproject.toml").read_text()
    name = f"in_tree as backend\\n{code}import in_tree"
    (project / "pyproject.toml").write_text(settings.replace('build-backend = "in_tree"', f'build-backend = "{name}"'))
    answer = cage.machine.run("install", "-n", str(project))
    assert "4711-token" not in answer.err
    assert cage.songs() == set()


def test_a_hook_that_names_a_directory_of_ours_is_refused(cage: Cage) -> None:
    """What prepare_metadata_for_build_wheel returns uv hands to build_wheel, wherever it leads."""
    own = cage.canary / "own.dist-info"
    own.mkdir()
    own.chmod(0o777)
    (own / "METADATA").write_text("Metadata-Version: 2.1\nName: evil-backend\nVersion: 1.0\n")
    text = f"""{cage.backend}
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    return {str(own)!r}
def build_wheel(directory, config_settings=None, metadata_directory=None):
    open(os.path.join(metadata_directory, "song"), "w").close()
    return _wheel(directory)
"""
    make_sdist(cage.wares, "evil-backend", "1.0", files={"evil_backend.py": text}, backend_text=text, dynamic=True)
    needs = ["evil-backend"]
    make_sdist(cage.wares, "tame", "1.0", backend="evil_backend", build_requires=needs, dynamic=True)
    answer = cage.machine.refused(5, "install", "tame")
    assert f"the build of evil-backend 1.0 names '{own}' as a directory of its own" in answer.err
    assert [path.name for path in own.iterdir()] == ["METADATA"]
