"""Where a generation's commands and files are shown outside, and which links there are ours."""

import os
import re
from collections.abc import Container

from detente.host import fs
from detente.host.paths import Paths
from detente.model import Generation
from detente.store.generations import exposures

_SHOWN = {
    "share/man": "share/man",
    "share/bash-completion/completions": "share/bash-completion/completions",
    "etc/bash_completion.d": "share/bash-completion/completions",
    "share/zsh/site-functions": "share/zsh/site-functions",
    "share/zsh/vendor-completions": "share/zsh/site-functions",
    "share/fish/vendor_completions.d": "share/fish/vendor_completions.d",
    "share/fish/completions": "share/fish/vendor_completions.d",
    "share/applications": "share/applications",
    "share/icons": "share/icons",
    "share/metainfo": "share/metainfo",
}
_COMPLETIONS = {  # what stands before and after the command's name
    "share/bash-completion/completions": ("", ""),
    "share/zsh/site-functions": ("_", ""),
    "share/fish/vendor_completions.d": ("", ".fish"),
}
_ENDINGS = {
    "share/applications": (".desktop",),
    "share/icons": (".png", ".svg", ".xpm"),
    "share/metainfo": (".xml",),
}
_PAGE = re.compile(r"share/man/(?:[\w.@-]+/)?man\w+/([^/]+?)\.\d\w*(?:\.gz)?")


def places(paths: Paths, generation: Generation) -> dict[str, str]:
    """Return every link that `generation` wants outside: its absolute path, and where it points."""
    return {outside(paths, path): os.path.join(paths.current, path) for path in exposures(generation)}


def outside(paths: Paths, path: str) -> str:
    """Return where `path` of a generation (`bin/x`, `share/man/man1/x.1`) is shown to the person."""
    top, _, rest = path.partition("/")
    return os.path.join(paths.bin if top == "bin" else paths.share, rest)


def is_ours(paths: Paths, link: str) -> bool:
    """Say whether `link` is a symbolic link that leads through our `current`."""
    target = fs.read_link(link)
    if target is None:
        return False
    whole = os.path.normpath(os.path.join(os.path.realpath(os.path.dirname(link)), target))
    return whole.startswith((paths.current + "/", os.path.join(os.path.realpath(paths.data), "current") + "/"))


def in_line(paths: Paths, generation: Generation, keys: tuple[str, ...]) -> bool:
    """Say whether every link that the applications `keys` of `generation` want is there."""
    chosen = {key: item for key, item in generation.applications.items() if key in keys}
    return all(is_ours(paths, link) for link in places(paths, generation._replace(applications=chosen)))


def shown_files(entry: str, commands: Container[str]) -> dict[str, str]:
    """Return the manual pages, completions and desktop files of store entry directory `entry` that may be shown.

    A path below the generation is mapped to one inside the environment (the same, save older spellings).
    A completion is code that the person's shell runs: only one for a command of its own, of `commands`, is shown.
    Nothing is shown over what the distribution has under that name.
    """
    found = {}
    root = os.path.join(entry, "data")
    for source, shown in _SHOWN.items():
        top = os.path.join(root, source)
        for folder, _, names in fs.walk(top):
            below = os.path.relpath(folder, top)
            for name in names:
                path = f"{shown}/{name}" if below == "." else f"{shown}/{below}/{name}"
                if _may_show(shown, path, name, commands):
                    found[path] = f"{source}/{name}" if below == "." else f"{source}/{below}/{name}"
    return found


def _may_show(kind: str, path: str, name: str, commands: Container[str]) -> bool:
    if kind in _COMPLETIONS:
        before, after = _COMPLETIONS[kind]
        stem = name.removeprefix(before).removesuffix(after)
        return name == f"{before}{stem}{after}" and stem in commands
    if kind == "share/man":
        match = _PAGE.fullmatch(path)
        known = match is None or (match[1] not in commands and _is_there(path))
        return not known
    return name.endswith(_ENDINGS[kind]) and not _is_there(path)


def _is_there(path: str) -> bool:
    """Say whether the distribution has `path`, perhaps compressed."""
    return any(os.path.exists(f"/usr/{path}{ending}") for ending in ("", ".gz", ".xz", ".zst"))
