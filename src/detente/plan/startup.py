"""Start-up code (`.pth` lines that run, sitecustomize): which is known, which must be asked about."""

from collections.abc import Iterable

from detente.model import StoreEntry

# name of the file, SHA-256 of its bytes; read by hand: coverage starts only where a variable asks for it, setuptools
# puts its own distutils in the place of the one that Python gave up
KNOWN: frozenset[tuple[str, str]] = frozenset(
    {
        ("a1_coverage.pth", "ef2ed06d19867ec669c09a804060666a9cd5e383af0a9d11aa2de79b77d448e8"),
        ("distutils-precedence.pth", "2638ce9e2500e572a5e0de7faed6661eb569d1b696fcba07b0dd223da5f5d224"),
    }
)


def unasked(entries: Iterable[StoreEntry], accepted: Iterable[tuple[str, str]]) -> list[tuple[StoreEntry, str]]:
    """Return the (entry, file) pairs that run code at every start and were neither known nor accepted."""
    passed = KNOWN | set(accepted)
    return [
        (entry, name) for entry in entries for name, digest in entry.startup.items() if (name, digest) not in passed
    ]
