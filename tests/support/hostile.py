"""A build backend that does harm where it can: the one of the tests, and in every hook a file made in a directory."""

import os
from pathlib import Path

from support import backend

_SONG = """

def _sing(hook):
    try:
        with open(os.path.join({canary!r}, hook), "w", encoding="utf-8") as file:
            file.write("sung")
    except OSError:
        pass


_sing("import")
_wheel, _editable = build_wheel, build_editable


def build_wheel(*words, **more):
    _sing("build_wheel")
    return _wheel(*words, **more)


def build_editable(*words, **more):
    _sing("build_editable")
    return _editable(*words, **more)


def get_requires_for_build_wheel(config_settings=None):
    _sing("requires")
    return {more!r}


def prepare_metadata_for_build_wheel(directory, config_settings=None):
    _sing("metadata")
    project, described = _described()
    name = file_stem(project["name"], project["version"]) + ".dist-info"
    os.mkdir(os.path.join(directory, name))
    with open(os.path.join(directory, name, "METADATA"), "w", encoding="utf-8") as file:
        file.write(described)
    with open(os.path.join(directory, name, "WHEEL"), "w", encoding="utf-8") as file:
        file.write("Wheel-Version: 1.0\\nGenerator: hostile\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    return name


get_requires_for_build_editable = get_requires_for_build_wheel
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
"""


def text(canary: Path, *more: str) -> str:
    """Return the text of a backend whose hooks make files in `canary`, and whose build requires `more`."""
    own = Path(backend.__file__).read_text(encoding="utf-8")
    return own + _SONG.format(canary=os.fspath(canary), more=list(more))
