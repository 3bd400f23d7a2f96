"""Names as the packaging specifications write them, with the standard library alone (read paths use this)."""

import re

SELF = "detente"  # the name of our own distribution, application and command
_SEPARATORS = re.compile(r"[-_.]+")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
_COMMAND = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*\Z")


def normalized(name: str) -> str:
    """Return `name` in the normal form of PEP 503: lower case, one hyphen between words."""
    return _SEPARATORS.sub("-", name).lower()


def is_name(text: str) -> bool:
    """Say whether `text` is a valid distribution name (PEP 508), and nothing more."""
    return _NAME.match(text) is not None


def is_command(text: str) -> bool:
    """Say whether `text` can be a command's file name: no separator, space, control or leading hyphen."""
    return _COMMAND.match(text) is not None


def fingerprint(text: str, length: int) -> str:
    """Return the first `length` hex digits of the SHA-256 of `text`.

    By Python's own small module where there is one: `hashlib` loads OpenSSL, which takes longer than many a command.
    """
    try:
        from _sha2 import sha256  # type: ignore[import-not-found, unused-ignore]  # Python 3.12 and newer
    except ImportError:
        try:
            from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore]  # 3.11
        except ImportError:
            from hashlib import sha256
    digest: str = sha256(text.encode()).hexdigest()
    return digest[:length]


def key_of(name: str, known: frozenset[str]) -> str:
    """Return the key of the application that a person calls `name`: as it is, or with its name normalized."""
    if name in known:
        return name
    folded = {normalized(key): key for key in sorted(known, reverse=True)}
    return folded.get(normalized(name), name)
