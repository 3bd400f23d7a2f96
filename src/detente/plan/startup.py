"""Start-up code (`.pth` lines that run, sitecustomize): which is known, which must be asked about."""

from collections.abc import Iterable

from detente.model import StoreEntry

# name of the file, SHA-256 of its bytes, from the wheels of the versions named; read by hand: setuptools puts its own
# distutils in the place of the one that Python gave up, the others start only where a variable asks for it
KNOWN: frozenset[tuple[str, str]] = frozenset(
    {
        # setuptools 60.0.0 to 84.2.1
        ("distutils-precedence.pth", "2638ce9e2500e572a5e0de7faed6661eb569d1b696fcba07b0dd223da5f5d224"),
        # coverage 7.13.0, and 7.13.1 to 7.17.3
        ("a1_coverage.pth", "320272733976834259547e559d769d87e2c1c7ead17c90446376800e79f2aeb4"),
        ("a1_coverage.pth", "ef2ed06d19867ec669c09a804060666a9cd5e383af0a9d11aa2de79b77d448e8"),
        # coloredlogs 15.0.1
        ("coloredlogs.pth", "dda83a855986efa5cd87f0248b0199c0086eb0e8e7fece7d6741959c5ce39536"),
    }
)


def unasked(entries: Iterable[StoreEntry], accepted: Iterable[tuple[str, str]]) -> list[tuple[StoreEntry, str]]:
    """Return the (entry, file) pairs that run code at every start and were neither known nor accepted."""
    passed = KNOWN | set(accepted)
    return [
        (entry, name) for entry in entries for name, digest in entry.startup.items() if (name, digest) not in passed
    ]
