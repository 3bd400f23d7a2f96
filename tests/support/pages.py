"""The pages of an index: PEP 503 (HTML), PEP 691 (JSON), PEP 658 (metadata beside the file)."""

import email.parser
import hashlib
import html
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

JSON = "application/vnd.pypi.simple.v1+json"


class File(NamedTuple):
    """What a page says about one file."""

    filename: str
    project: str
    version: str
    sha256: str
    size: int
    requires_python: str
    metadata: bytes | None


def described(path: Path) -> File:
    """Read one wheel or source distribution."""
    data = path.read_bytes()
    text: bytes | None = None
    if path.name.endswith(".whl"):
        stem, version = path.name.split("-")[:2]
        try:
            with zipfile.ZipFile(path) as archive:
                text = archive.read(f"{stem}-{version}.dist-info/METADATA")
        except (
            zipfile.BadZipFile,
            zlib.error,
            KeyError,
            ValueError,
            RuntimeError,
            EOFError,
        ):  # a broken wheel on purpose is served all the same
            text = None
    else:
        stem, version = re.sub(r"\.(tar\.gz|zip)$", "", path.name).rsplit("-", 1)
    fields = email.parser.BytesHeaderParser().parsebytes(text or b"")
    project = re.sub(r"[-_.]+", "-", stem).lower()
    requires = str(fields.get("Requires-Python", ""))
    return File(path.name, project, version, hashlib.sha256(data).hexdigest(), len(data), requires, text)


def json_root(projects: list[str]) -> bytes:
    """The page that lists all projects, as JSON."""
    return json.dumps({"meta": {"api-version": "1.1"}, "projects": [{"name": one} for one in projects]}).encode()


def html_root(projects: list[str]) -> bytes:
    """The page that lists all projects, as HTML."""
    return _html([(f"/simple/{one}/", one, {}) for one in projects])


def json_project(
    name: str, files: list[File], uploaded: Mapping[str, str], yanked: Mapping[str, str], otherwise: str
) -> bytes:
    """The page of one project, as JSON; `otherwise` is the upload time of files not in `uploaded`."""
    rows = []
    for file in files:
        row: dict[str, object] = {
            "filename": file.filename,
            "url": f"../../files/{file.filename}",
            "hashes": {"sha256": file.sha256},
            "size": file.size,
            "upload-time": uploaded.get(file.filename, otherwise),
            "yanked": yanked.get(file.filename, False),
        }
        if file.requires_python:
            row["requires-python"] = file.requires_python
        if file.metadata is not None:
            row["core-metadata"] = {"sha256": hashlib.sha256(file.metadata).hexdigest()}
        rows.append(row)
    versions = sorted({file.version for file in files})
    page = {"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": rows}
    return json.dumps(page).encode()


def html_project(files: list[File], yanked: Mapping[str, str]) -> bytes:
    """The page of one project, as HTML, which has no upload times."""
    rows = []
    for file in files:
        more = {}
        if file.requires_python:
            more["data-requires-python"] = file.requires_python
        if file.filename in yanked:
            more["data-yanked"] = yanked[file.filename]
        if file.metadata is not None:
            digest = f"sha256={hashlib.sha256(file.metadata).hexdigest()}"
            more["data-core-metadata"] = more["data-dist-info-metadata"] = digest
        rows.append((f"../../files/{file.filename}#sha256={file.sha256}", file.filename, more))
    return _html(rows)


def _html(rows: list[tuple[str, str, dict[str, str]]]) -> bytes:
    lines = ['<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.1"></head><body>']
    for target, text, more in rows:
        extra = "".join(f' {key}="{html.escape(value)}"' for key, value in more.items())
        lines.append(f'<a href="{html.escape(target)}"{extra}>{html.escape(text)}</a><br>')
    return "\n".join([*lines, "</body></html>", ""]).encode()
