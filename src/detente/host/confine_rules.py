"""Which system calls a confined program is refused, beside what its files and namespaces already keep from it."""

import errno

from detente.host.filters import Deny, Where, calls
from detente.host.landlock import SCOPES_SINCE

_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_STREAM, _SEQPACKET = 1, 5
_NAMESPACES = 0x7E020080  # every CLONE_NEW… flag
_O_CREAT, _O_TMPFILE, _O_TRUNC, _O_ACCMODE = 0o100, 0o20000000, 0o1000, 3
_PRIVILEGED = 0o6000  # set-user-id, set-group-id
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _FIOSETOWN, _SIOCSPGRP = 8, 10, 15, 0x8901, 0x8902

# Other processes' memory, the kernel's workings, what bypasses a filter, and keys.
_NEVER = (
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd", "mount", "umount2",
    "pivot_root", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "chroot",
    "unshare", "setns", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key",
    "open_by_handle_at", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
    "swapon", "swapoff", "acct", "syslog", "iopl", "ioperm", "fanotify_init",
)  # fmt: skip
_ABSENT = ("io_uring_setup", "io_uring_enter", "io_uring_register", "clone3", "openat2", "fchmodat2")
_SIGNALS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal")


def rules(way: str, *, network: bool, abi: int = 0) -> list[Deny]:
    """Return the rules for `way`; `abi` is Landlock's version, where that is the way.

    What is answered with ENOSYS has an older call that programs take instead, and whose arguments can be seen.
    """
    found = [*calls(*_NEVER), *calls(*_ABSENT, error=errno.ENOSYS)]
    found.append(Deny("clone", (Where(0, (0,), _NAMESPACES, among=False),)))
    found.append(Deny("prlimit64", (Where(0, (0,), among=False),)))
    found.append(Deny("ioctl", (Where(1, (_TIOCSTI, _TIOCLINUX)),)))
    found += _no_privileged_files()
    alone = way != "landlock"  # in a network of its own, where abstract sockets of others are not
    families = [_INET, _INET6, _NETLINK] if alone or network else []
    if alone and not network:
        families.append(_UNIX)
    found.append(Deny("socket", (Where(0, tuple(families), among=False),) if families else ()))
    if not alone or network:  # a connected pair is harmless, but for datagrams: they can be sent anywhere
        found.append(Deny("socketpair", (Where(1, (_STREAM, _SEQPACKET), 0xF, among=False),)))
    if not alone:
        found += calls("shmget", "shmat", "msgget", "semget", "mq_open", error=errno.ENOSYS)
        found += _hands_off_others()
        if not network:
            found += calls("connect", "bind")
        found += _what_old_landlock_lacks(abi)
    return found


def _no_privileged_files() -> list[Deny]:
    """Refuse to make a file set-user-id or set-group-id, by each call that could."""
    modes = (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("creat", 1), ("mknod", 1), ("mknodat", 2))
    found = [Deny(name, (_has(index, _PRIVILEGED),)) for name, index in modes]
    for name, flags in (("open", 1), ("openat", 2)):
        for flag in (_O_CREAT, _O_TMPFILE):
            found.append(Deny(name, (_has(flags, flag), _has(flags + 1, _PRIVILEGED))))
    return found


def _hands_off_others() -> list[Deny]:
    """Refuse to slow other processes down, or to move them: they are in sight, where there are no namespaces."""
    first = ("affinity", "scheduler", "param", "attr")
    names = (*("sched_set" + one for one in first), "migrate_pages", "move_pages")
    found = [Deny(name, (Where(0, (0,), among=False),)) for name in names]
    for name, process in (("setpriority", 0), ("ioprio_set", 1)):
        found += [Deny(name, (Where(0, (process,), among=False),)), Deny(name, (Where(1, (0,), among=False),))]
    return found


def _what_old_landlock_lacks(abi: int) -> list[Deny]:
    found = []
    if abi < SCOPES_SINCE:
        found += [Deny("kill", (Where(0, (0,), among=False),)), *calls(*_SIGNALS[1:])]
        # Who owns a descriptor gets a signal of one's choice from it: fcntl(2), "Managing signals".
        found.append(Deny("fcntl", (Where(1, (_F_SETOWN, _F_SETSIG, _F_SETOWN_EX)),)))
        found.append(Deny("ioctl", (Where(1, (_FIOSETOWN, _SIOCSPGRP)),)))
    if abi < 3:  # truncation came with the third version
        found += calls("truncate")
        for name, flags in (("open", 1), ("openat", 2)):
            # 3 is for ioctl(2) alone: such a descriptor can neither read nor write, and opening it truncates
            found.append(Deny(name, (_has(flags, _O_TRUNC), Where(flags, (0, 3), _O_ACCMODE))))
    return found


def _has(index: int, bits: int) -> Where:
    return Where(index, (0,), bits, among=False)
