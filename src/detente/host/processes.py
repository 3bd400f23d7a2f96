"""Who is whose child, and who is still there."""

import os


def children(parent: int) -> list[int]:
    """Return the processes whose parent is `parent`."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            words = _after_name(int(name))
            if words and int(words[1]) == parent:
                found.append(int(name))
    return found


def runs(process: int) -> bool:
    """Say whether `process` is there and has not ended (one that nobody has waited for yet has)."""
    return _after_name(process)[:1] not in ([], [b"Z"], [b"X"])


def _after_name(process: int) -> list[bytes]:
    """Return what proc(5) says behind the name in `stat`: state, parent and so on; nothing where it is gone."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
