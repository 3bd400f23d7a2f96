"""Builds real distributions for tests: wheels, source distributions, source trees, git repositories.

No pytest here, and nothing is downloaded to build any of them. What a command of these distributions prints
is described at `REPORT`.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

from support import backend as in_tree

Text = str | bytes
Commands = Mapping[str, str] | Sequence[str]

# What a generated command does:
#   NAME                 "name version", then "dependency version" (or "dependency missing") a line
#   NAME --version       "name version"
#   NAME --argv A B      ["A", "B"], as JSON
#   NAME --where         executable, prefix, file, path (sys.path), as JSON
# A dependency's version is what its module says where it has one of that name, else what its metadata says;
# where the two differ (a mixed-up environment) both are printed.
REPORT = '''\
"""{name} {version}, made for a test."""

__version__ = "{version}"


def _installed(name):
    import importlib
    import importlib.metadata

    try:
        recorded = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
    try:
        imported = importlib.import_module(name.replace("-", "_").replace(".", "_").lower())
    except ModuleNotFoundError:
        return recorded
    real = getattr(imported, "__version__", recorded)
    return recorded if real == recorded else real + " but recorded as " + recorded


def main():
    import json
    import sys

    words = sys.argv[1:]
    if words[:1] == ["--argv"]:
        print(json.dumps(words[1:]))
    elif words[:1] == ["--where"]:
        where = dict(executable=sys.executable, prefix=sys.prefix, file=__file__, path=sys.path)
        print(json.dumps(where))
    else:
        print("{name} {version}")
        if words[:1] != ["--version"]:
            for name in {requires!r}:
                print(name, _installed(name))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
'''


def module_name(name: str) -> str:
    """Return the module that a distribution called `name` gets where the test names none."""
    return re.sub(r"[-_.]+", "_", name).lower()


def make_wheel(
    directory: str | os.PathLike[str],
    name: str,
    version: str,
    *,
    files: Mapping[str, Text] | None = None,
    commands: Commands = (),
    gui_commands: Commands = (),
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    tag: str = "py3-none-any",
    scripts: Mapping[str, Text] | None = None,
    data: Mapping[str, Text] | None = None,
    pth: Mapping[str, Text] | None = None,
    metadata_extra: str = "",
    extras: Mapping[str, Sequence[str]] | None = None,
    summary: str = "For tests",
    mode_x: Sequence[str] = (),
) -> Path:
    """Write a wheel that follows the specification, and return its path; the same arguments give the same bytes.

    `files` are members as they lie in site-packages; None gives one module named after the distribution.
    `commands` maps a command to `module:attribute`, or lists commands that run the default `main`; a module
    that a command names and `files` lacks is generated (see REPORT). `scripts` and `data` go to those schemes,
    `pth` to the top level. `metadata_extra` is appended to METADATA. `mode_x` lists members with the executable
    bit; scripts have it anyway.
    """
    stem = in_tree.file_stem(name, version)
    dist_info = f"{stem}.dist-info"
    console, windowed = _table(name, commands), _table(name, gui_commands)
    members = _modules(name, version, files, [*console.values(), *windowed.values()], requires)
    members.update(_bytes(pth or {}))
    members.update(_bytes(scripts or {}, f"{stem}.data/scripts/"))
    members.update(_bytes(data or {}, f"{stem}.data/data/"))
    described = in_tree.metadata(
        name,
        version,
        requires=requires,
        requires_python=requires_python,
        extras=extras,
        summary=summary,
        more=metadata_extra,
    )
    members[f"{dist_info}/METADATA"] = described.encode()
    points = in_tree.entry_points(console, windowed)
    if points:
        members[f"{dist_info}/entry_points.txt"] = points.encode()
    executable = {*mode_x, *(f"{stem}.data/scripts/{one}" for one in scripts or {})}
    path = _folder(directory) / f"{stem}-{tag}.whl"
    in_tree.write_wheel(path, members, dist_info=dist_info, tag=tag, executable=executable)
    return path


class Source(TypedDict, total=False):
    """What a source tree can have besides its name and version.

    `files` lie below `src/`; `files`, `commands`, `requires`, `requires_python` and `extras` are as for
    `make_wheel`. `backend` is the build backend; the default one is in the tree, needs nothing, and its text can
    be replaced by `backend_text` (a backend that fails, or attacks). `build_requires` is what the build asks to
    be installed first. With `dynamic`, dependencies are only known by running the backend.
    """

    files: Mapping[str, Text] | None
    commands: Commands
    requires: Sequence[str]
    requires_python: str | None
    extras: Mapping[str, Sequence[str]]
    backend: str
    backend_text: str
    build_requires: Sequence[str]
    dynamic: bool


def make_sdist(directory: str | os.PathLike[str], name: str, version: str, **source: Unpack[Source]) -> Path:
    """Write a source distribution (.tar.gz) and return its path; the same arguments give the same bytes."""
    described = in_tree.metadata(
        name,
        version,
        requires=source.get("requires", ()),
        requires_python=source.get("requires_python"),
        extras=source.get("extras"),
    )
    if source.get("dynamic"):  # since 2.2 an installer may believe PKG-INFO without a build
        described = described.replace("Version: 2.2\n", "Version: 2.1\n", 1)
    stem = in_tree.file_stem(name, version)
    path = _folder(directory) / f"{stem}.tar.gz"
    in_tree.write_sdist(path, stem, {**_sources(name, version, source), "PKG-INFO": described.encode()})
    return path


def make_project(directory: str | os.PathLike[str], name: str, version: str, **source: Unpack[Source]) -> Path:
    """Write a source tree into `directory`, which is made where missing, and return it."""
    root = _folder(directory)
    for member, content in _sources(name, version, source).items():
        path = root / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def make_git(directory: str | os.PathLike[str], *, tag: str = "v1.0") -> str:
    """Turn `directory` into a git repository of one commit with `tag`; return the commit.

    The person's own git configuration plays no part, and dates are fixed, so the same tree is the same commit.
    Called again after a change, it adds a commit (and needs another tag).
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": f"{in_tree.EPOCH} +0000",
        "GIT_COMMITTER_DATE": f"{in_tree.EPOCH} +0000",
    }
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "init.defaultBranch=main")

    def git(*words: str) -> str:
        argv = ["git", *identity, *words]
        return subprocess.run(argv, cwd=directory, env=environment, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", f"Release {tag}")
    git("tag", tag)
    return git("rev-parse", "HEAD").strip()


def _sources(name: str, version: str, source: Source) -> dict[str, bytes]:
    requires, extras = list(source.get("requires", ())), source.get("extras", {})
    backend, dynamic = source.get("backend", "in_tree"), source.get("dynamic", False)
    console = _table(name, source.get("commands", ()))
    modules = _modules(name, version, source.get("files"), list(console.values()), requires)
    members = {f"src/{path}": content for path, content in modules.items()}
    # Strings and lists of strings are written the same way in JSON and TOML.
    text = f"[build-system]\nrequires = {json.dumps(list(source.get('build_requires', ())))}\n"
    text += f'build-backend = "{backend}"\n'
    if backend == "in_tree":
        text += 'backend-path = ["."]\n'
        own = Path(in_tree.__file__).read_text(encoding="utf-8")
        members["in_tree.py"] = source.get("backend_text", own).encode()
    text += f'\n[project]\nname = "{name}"\nversion = "{version}"\ndescription = "For tests"\n'
    if python := source.get("requires_python"):
        text += f"requires-python = {json.dumps(python)}\n"
    needed = f"dependencies = {json.dumps(requires)}\n"
    text += 'dynamic = ["dependencies"]\n' if dynamic else needed
    if console:
        text += "\n[project.scripts]\n" + "".join(f'"{key}" = "{value}"\n' for key, value in console.items())
    if extras:
        text += "\n[project.optional-dependencies]\n"
        text += "".join(f"{json.dumps(extra)} = {json.dumps(list(of))}\n" for extra, of in extras.items())
    if dynamic:
        text += f"\n[tool.in-tree]\n{needed}"
    members["pyproject.toml"] = text.encode()
    return members


def _table(name: str, commands: Commands) -> dict[str, str]:
    if isinstance(commands, Mapping):
        return dict(commands)
    return {command: f"{module_name(name)}:main" for command in commands}


def _modules(
    name: str, version: str, files: Mapping[str, Text] | None, targets: Sequence[str], requires: Sequence[str]
) -> dict[str, bytes]:
    members = _bytes(files or {})
    wanted = [] if files is not None else [module_name(name)]
    wanted += [target.partition(":")[0] for target in targets]
    needs = [re.split(r"[^A-Za-z0-9._-]", requirement.strip())[0] for requirement in requires]
    code = REPORT.replace("{name}", name).replace("{version}", version).replace("{requires!r}", repr(needs)).encode()
    if files is None:
        members[f"{module_name(name)}/__main__.py"] = b"from . import main\n\nraise SystemExit(main())\n"
    for module in wanted:
        path = module.replace(".", "/")
        if f"{path}.py" not in members and f"{path}/__init__.py" not in members:
            top = path.partition("/")[0]
            if "/" in path and f"{top}/__init__.py" not in members:
                members[f"{top}/__init__.py"] = b""
            members[f"{path}.py" if "/" in path else f"{path}/__init__.py"] = code
    return members


def _bytes(files: Mapping[str, Text], prefix: str = "") -> dict[str, bytes]:
    return {prefix + path: one if isinstance(one, bytes) else one.encode() for path, one in files.items()}


def _folder(directory: str | os.PathLike[str]) -> Path:
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
