"""Writes wheels, and is itself a build backend (PEP 517, PEP 660): the tests copy this file into source trees.

Standard library only and no import from beside it, because it also runs alone, as `in_tree.py`, in a build.
A source tree has its modules below `src/`, and says the rest in `pyproject.toml`.
"""

import base64
import gzip
import hashlib
import io
import os
import re
import tarfile
import tomllib
import zipfile
from collections.abc import Collection, Mapping, Sequence
from typing import Any

DATE = (2020, 1, 1, 0, 0, 0)
EPOCH = 1577836800  # DATE in seconds


def file_stem(name: str, version: str) -> str:
    """Return `name-version` as file names of wheels and source distributions spell it."""
    return f"{re.sub(r'[-_.]+', '_', name).lower()}-{version.replace('-', '_')}"


def metadata(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    extras: Mapping[str, Sequence[str]] | None = None,
    summary: str = "For tests",
    more: str = "",
) -> str:
    """Return the text of METADATA (or PKG-INFO): core metadata 2.2, with nothing dynamic."""
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}", f"Summary: {summary}"]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, requirements in (extras or {}).items():
        lines.append(f"Provides-Extra: {extra}")
        for requirement in requirements:
            what, _, marker = requirement.partition(";")
            condition = f"({marker.strip()}) and " if marker else ""
            lines.append(f'Requires-Dist: {what.strip()} ; {condition}extra == "{extra}"')
    text = "\n".join(lines) + "\n"
    return text + more.strip("\n") + "\n" if more else text


def entry_points(commands: Mapping[str, str] | None, gui_commands: Mapping[str, str] | None) -> str:
    """Return the text of entry_points.txt, empty where there is no command."""
    text = ""
    for group, table in (("console_scripts", commands), ("gui_scripts", gui_commands)):
        if table:
            text += f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in table.items()) + "\n"
    return text


def write_wheel(
    path: str | os.PathLike[str],
    members: Mapping[str, bytes],
    *,
    dist_info: str,
    tag: str,
    executable: Collection[str] = (),
) -> None:
    """Write the wheel `path` from `members` (name to bytes), adding WHEEL and RECORD; same input, same bytes."""
    pythons, abis, platforms = tag.split("-")
    tags = [f"{p}-{a}-{f}" for p in pythons.split(".") for a in abis.split(".") for f in platforms.split(".")]
    lines = ["Wheel-Version: 1.0", "Generator: detente-tests (1.0)"]
    lines.append(f"Root-Is-Purelib: {'true' if platforms == 'any' else 'false'}")
    lines += [f"Tag: {one}" for one in tags]
    members = {**members, f"{dist_info}/WHEEL": ("\n".join(lines) + "\n").encode()}
    ordered = sorted(members, key=lambda name: (name.startswith(dist_info), name))
    record = []
    for name in ordered:
        digest = base64.urlsafe_b64encode(hashlib.sha256(members[name]).digest()).rstrip(b"=").decode()
        quoted = f'"{name}"' if "," in name else name
        record.append(f"{quoted},sha256={digest},{len(members[name])}\n")
    record.append(f"{dist_info}/RECORD,,\n")
    content = {**{name: members[name] for name in ordered}, f"{dist_info}/RECORD": "".join(record).encode()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(entry, data)


def write_sdist(path: str | os.PathLike[str], top: str, members: Mapping[str, bytes]) -> None:
    """Write the source distribution `path` with everything below `top/`; same input, same bytes."""
    with (
        open(path, "wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=EPOCH) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(members):
            entry = tarfile.TarInfo(f"{top}/{name}")
            entry.size, entry.mtime, entry.mode = len(members[name]), EPOCH, 0o644
            archive.addfile(entry, io.BytesIO(members[name]))


def _tree(folder: str) -> dict[str, bytes]:
    found = {}
    for here, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if one not in ("__pycache__", ".git")]
        for name in names:
            path = os.path.join(here, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder).replace(os.sep, "/")] = file.read()
    return found


def _described() -> tuple[dict[str, Any], str]:
    with open("pyproject.toml", "rb") as file:
        text = tomllib.load(file)
    project, own = text["project"], text.get("tool", {}).get("in-tree", {})
    described = metadata(
        project["name"],
        project["version"],
        requires=own.get("dependencies", project.get("dependencies", ())),
        requires_python=project.get("requires-python"),
        extras=project.get("optional-dependencies"),
        summary=project["description"],
    )
    return project, described


def _build(wheel_directory: str, modules: Mapping[str, bytes]) -> str:
    project, described = _described()
    stem = file_stem(project["name"], project["version"])
    dist_info = f"{stem}.dist-info"
    members = {**modules, f"{dist_info}/METADATA": described.encode()}
    points = entry_points(project.get("scripts"), project.get("gui-scripts"))
    if points:
        members[f"{dist_info}/entry_points.txt"] = points.encode()
    filename = f"{stem}-py3-none-any.whl"
    write_wheel(os.path.join(wheel_directory, filename), members, dist_info=dist_info, tag="py3-none-any")
    return filename


def build_wheel(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    """PEP 517: build the wheel of the source tree in the current directory."""
    return _build(wheel_directory, _tree("src"))


def build_editable(wheel_directory: str, config_settings: object = None, metadata_directory: object = None) -> str:
    """PEP 660: build a wheel whose only module is a path file that names `src`."""
    project, _ = _described()
    stem = re.sub(r"[-_.]+", "_", project["name"]).lower()
    return _build(wheel_directory, {f"__editable__{stem}.pth": (os.path.abspath("src") + "\n").encode()})


def build_sdist(sdist_directory: str, config_settings: object = None) -> str:
    """PEP 517: pack the source tree in the current directory."""
    project, described = _described()
    stem = file_stem(project["name"], project["version"])
    write_sdist(os.path.join(sdist_directory, f"{stem}.tar.gz"), stem, {**_tree("."), "PKG-INFO": described.encode()})
    return f"{stem}.tar.gz"
