"""Who is whose child, and who is still there."""

import contextlib
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


def holding(path: str) -> list[str]:
    """Return who has locked a part of the file `path` by fcntl(2), as `process 17 (apt-get)`, as far as is seen."""
    try:
        info = os.stat(path)
        with open("/proc/locks", encoding="ascii") as stream:
            rows = [line.split() for line in stream]
    except OSError:
        return []
    place = f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino}"
    found = []
    for row in rows:  # 1: POSIX  ADVISORY  WRITE 17 08:02:1234 0 EOF
        if "->" not in row and row[1] == "POSIX" and row[5] == place and int(row[4]) > 0:
            with contextlib.suppress(OSError), open(f"/proc/{row[4]}/comm", encoding="utf-8", errors="replace") as name:
                found.append(f"process {row[4]} ({name.read().strip()})")
    return found


def _after_name(process: int) -> list[bytes]:
    """Return what proc(5) says behind the name in `stat`: state, parent and so on; nothing where it is gone."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []
