"""Filters of system calls: rules in words, and the BPF program (seccomp(2)) that they make, for `seccomp.enforcer`."""

import errno
import os
import platform
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# linux/audit.h, and the column of the numbers below.
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_X32 = 0x40000000  # on x86_64: the bit that marks the calls of a second interface, which would pass the filter by
# Numbers on x86_64 and aarch64 (-1: there is none), from the kernel's tables.
NUMBERS = {
    "open": (2, -1), "creat": (85, -1), "openat": (257, 56), "openat2": (437, 437), "mknod": (133, -1),
    "mknodat": (259, 33), "truncate": (76, 45), "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53),
    "fchmodat2": (452, 452), "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200),
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440),
    "kcmp": (312, 272), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268),
    "clone": (56, 220), "clone3": (435, 435), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "open_by_handle_at": (304, 265), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "syslog": (103, 116), "iopl": (172, -1),
    "ioperm": (173, -1), "fanotify_init": (300, 262), "prlimit64": (302, 261), "shmget": (29, 194),
    "shmat": (30, 196), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180), "ioctl": (16, 29),
    "fcntl": (72, 25), "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
}  # fmt: skip

_LOAD, _AND, _EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NR, _ARCH, _ARGS = 0, 4, 16  # offsets in struct seccomp_data; arguments lie there little-endian, 8 bytes each


class Where(NamedTuple):
    """A condition on the low 32 bits of an argument: masked, it is one of `values` (or none, where not `among`)."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    among: bool = True


class Deny(NamedTuple):
    """A system call to answer with `error`, where all conditions hold."""

    name: str
    conditions: tuple[Where, ...] = ()
    error: int = errno.EPERM


def supported() -> bool:
    """Say whether filters can be made here: one of the two architectures, with 64-bit programs."""
    return platform.machine() in _ARCHITECTURES and struct.calcsize("P") == 8


def assemble(rules: Iterable[Deny], machine: str = "") -> bytes:
    """Return the program that refuses what `rules` name and allows the rest; raise OSError on other machines.

    Calls of another architecture (32-bit programs) do not exist for the process: they would pass the rules by.
    """
    if not (machine or supported()) or (machine or platform.machine()) not in _ARCHITECTURES:
        raise OSError(f"no system call filter for {machine or platform.machine()}")
    audit, column = _ARCHITECTURES[machine or platform.machine()]
    program = [_op(_LOAD, _ARCH), _op(_EQUAL, audit, 1, 0), _op(_RETURN, _ERRNO | errno.ENOSYS), _op(_LOAD, _NR)]
    if column == 0:
        program += [_op(0x35, _X32, 0, 1), _op(_RETURN, _ERRNO | errno.ENOSYS)]  # 0x35: jump where not below
    for rule in rules:
        number = NUMBERS[rule.name][column]
        if number >= 0:
            program += _block(number, rule)
    program.append(_op(_RETURN, _ALLOW))
    return b"".join(program)


def descriptor(program: bytes) -> int:
    """Return a file descriptor to read `program` from (memfd_create(2)), for bubblewrap; the caller closes it."""
    place = os.memfd_create("filter")
    os.write(place, program)
    os.lseek(place, 0, os.SEEK_SET)
    return place


def _block(number: int, rule: Deny) -> list[bytes]:
    """Return the instructions of one rule: they end in a refusal, or behind themselves with the number loaded."""
    tests: list[tuple[int, Where]] = []
    body = 1  # the refusal
    for condition in rule.conditions:
        body += 2 + len(condition.values) + (1 if condition.among else 0)
        tests.append((body, condition))
    out: list[bytes] = []
    left = body
    for _, condition in tests:
        out += [_op(_LOAD, _ARGS + 8 * condition.argument), _op(_AND, condition.mask)]
        left -= 2
        if condition.among:
            count = len(condition.values)
            for at, value in enumerate(condition.values):
                out.append(_op(_EQUAL, value, count - at, 0))
            left -= count + 1
            out.append(_op(0x05, left))  # none of them: behind this rule
        else:
            for value in condition.values:
                left -= 1
                out.append(_op(_EQUAL, value, left, 0))
    out.append(_op(_RETURN, _ERRNO | rule.error))
    return [_op(_EQUAL, number, 0, len(out)), *out, *([_op(_LOAD, _NR)] if rule.conditions else [])]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def calls(*names: str, error: int = errno.EPERM) -> Sequence[Deny]:
    """Return rules that refuse each of `names` whatever its arguments."""
    return [Deny(name, (), error) for name in names]
