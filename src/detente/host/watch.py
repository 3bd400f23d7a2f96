"""Watches a program that talks to servers by itself.

The engine's own time limits do not see a server that sends a byte a second, says nothing for ever in many words, or
sends a page that has no end. What a connection received is asked of the kernel (sock_diag(7)); where it does not
answer, only memory is watched.
"""

import contextlib
import os
import struct
import time
from typing import NamedTuple

from detente.errors import NetworkError

PATIENCE = 22.0  # seconds
_TRICKLE = 1024  # bytes that must come within PATIENCE, or the server counts as stalled
_FUTILE = 1 << 23  # bytes that may come within PATIENCE and end up nowhere
_BUSY = 1.0  # seconds of CPU within PATIENCE: it computes, and waits for nobody
_KEPT = 1 << 16  # bytes more in memory or written count as having ended up somewhere
_MEMORY = 1 << 30  # bytes; the largest resolutions need a third of it
_LEAST_MEMORY = 1 << 28
_INFO = 2  # INET_DIAG_INFO, as an extension and as an attribute
_RECEIVED = 128  # where tcp_info has tcpi_bytes_received
_OPEN = (1, 2)  # TCP_ESTABLISHED, TCP_SYN_SENT


class _Look(NamedTuple):
    """What was seen of a program at one moment."""

    received: int
    resident: int = 0
    written: int = 0
    worked: float = 0.0  # seconds of CPU


class Watch:
    """Called with a program's process ID every now and then; `whom` names the server in messages.

    Raises NetworkError once no server has sent anything worth speaking of for `patience` seconds, though one is
    connected and the program does nothing else; once what comes ends up nowhere; and once the program holds more
    than `memory` bytes of what it was sent.
    """

    def __init__(self, whom: str, *, patience: float = PATIENCE, memory: int = 0) -> None:
        self._whom = whom
        self._patience = patience
        self._memory = memory or max(_LEAST_MEMORY, min(_MEMORY, _installed_memory() // 2))
        self._seen: dict[str, int] = {}  # socket → bytes received, of closed ones too
        self._moved = self._kept = (0.0, _Look(0))

    def __call__(self, pid: int) -> None:
        """Look at the program `pid`."""
        resident, now = _resident(pid), time.monotonic()
        if resident > self._memory:
            raise NetworkError(
                f"{self._whom} sent a page that is too large: {resident >> 20} MB of memory hold only a part of it",
                hint="check the index URL; a page of an index has some megabytes at most",
            )
        try:
            connected, received = self._connected(pid)
        except OSError:
            connected, received = False, 0
        look = _Look(received, resident, _written(pid), _worked(pid))
        if not connected or not self._moved[0] or _has_children(pid) or _waits(pid):
            self._moved = self._kept = now, look
            return
        since, mark = self._moved
        if received - mark.received >= _TRICKLE or look.worked - mark.worked >= _BUSY:
            self._moved = now, look
        elif now - since > self._patience:
            said = f"only {received - mark.received} bytes came in {now - since:.0f} s"
            raise NetworkError(
                f"{self._whom} does not answer in time: {said}",
                hint="check the network and the proxy (HTTPS_PROXY), then repeat the command",
            )
        since, mark = self._kept
        if max(resident - mark.resident, look.written - mark.written) >= _KEPT:
            self._kept = now, look
        elif now - since > self._patience and received - mark.received >= _FUTILE:
            said = f"{(received - mark.received) >> 20} MB came in {now - since:.0f} s, and nothing of use"
            raise NetworkError(
                f"{self._whom} does not answer in HTTP: {said}",
                hint="check the index URL, or ask whoever runs the index",
            )

    def _connected(self, pid: int) -> tuple[bool, int]:
        """Return whether a connection is open, and the bytes that all have received so far."""
        mine, connected = _sockets_of(pid), False
        for name, state, received in _connections() if mine else ():
            if name in mine:
                self._seen[name] = received
                connected = connected or state in _OPEN
        return connected, sum(self._seen.values())


def _installed_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _sockets_of(pid: int) -> set[str]:
    """Return the inode numbers of the sockets that `pid` has open."""
    found = set()
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found


def _connections() -> list[tuple[str, int, int]]:
    """Return inode, state and bytes received of every TCP connection; raise OSError where the kernel does not tell."""
    import socket  # seconds after the start; most runs end before

    found: list[tuple[str, int, int]] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as netlink:  # NETLINK_SOCK_DIAG
        netlink.settimeout(2)
        for family in (socket.AF_INET, socket.AF_INET6):
            request = struct.pack("=BBBxI48x", family, socket.IPPROTO_TCP, 1 << (_INFO - 1), 0xFFFFFFFF)
            netlink.send(struct.pack("=IHHII", 16 + len(request), 20, 0x301, 1, 0) + request)
            more = True
            while more:
                more = _parse(netlink.recv(1 << 18), found)
    return found


def _parse(data: bytes, found: list[tuple[str, int, int]]) -> bool:
    """Add the connections in `data` to `found`; say whether more will come."""
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        if kind == 2:  # NLMSG_ERROR
            raise OSError(-struct.unpack_from("=i", data, 16)[0], "sock_diag")
        if kind != 20 or length < 88:
            return False
        place, received = 88, 0
        while place + 4 <= length:
            size, what = struct.unpack_from("=HH", data, place)
            if what == _INFO and size >= 4 + _RECEIVED + 8:
                received = struct.unpack_from("=Q", data, place + 4 + _RECEIVED)[0]
            place += max(4, (size + 3) & ~3)
        found.append((str(struct.unpack_from("=I", data, 84)[0]), data[17], received))
        data = data[(length + 3) & ~3 :]
    return True


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _written(pid: int) -> int:
    """Return how many bytes `pid` has written to files so far, 0 where that is not told."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/io", "rb") as file:
        return int(file.read().split()[3])  # wchar
    return 0


def _worked(pid: int) -> float:
    """Return the seconds of CPU that `pid` has used."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat", "rb") as file:
        words = file.read().rpartition(b")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _waits(pid: int) -> bool:
    """Say whether `pid` waits for a lock (proc_locks(5)): another one builds or fetches what it needs."""
    with contextlib.suppress(OSError), open("/proc/locks", "rb") as file:
        rows = [line.split() for line in file]
        return any(row[1:2] == [b"->"] and row[5:6] == [b"%d" % pid] for row in rows)
    return False


def _has_children(pid: int) -> bool:
    """Say whether `pid` runs other programs (git, a build): then it is theirs to be slow."""
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                if file.read().strip():
                    return True
    except OSError:
        pass
    return False
