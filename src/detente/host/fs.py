"""Changes to the file system that a kill, a power cut or a full disk cannot tear (the only such code).

Words: *stage*, build something under a name nobody looks at; *publish*, rename it to its own name; *switch*,
replace one symbolic link by another in one rename.
"""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator

from detente.errors import DetenteError, DiskError, Refused
from detente.host import space

STAGING = ".staging-"
TEMPORARY = ".detente-"  # what a kill leaves of `replace_file` and `switch`


def disk_error(err: OSError, doing: str, state: str = "nothing was changed", *, near: str = "") -> DetenteError:
    """Word an OSError met while `doing` (for example "writing /x/y") as one sentence with its way out.

    `state` says how things stand now; `near` is a path on the file system in question, for errors that name none.
    """
    names = [name for name in (err.filename, err.filename2) if isinstance(name, str) and name.startswith("/")]
    path = names[0] if names else ""
    where = f" ({path})" if path and path not in doing else ""
    what, hint = err.strerror or str(err), "mend that and repeat the command"
    if err.errno in (errno.ENOSPC, errno.EDQUOT):
        what, left = space.lack(path or near) if path or near else ("the disk is full", "")
        if err.errno == errno.EDQUOT:
            what, left = "the disk quota is used up", ""
        where += f": {left}" if left else ""
        hint = "free some space (`detente collect` removes what nothing needs) and repeat the command"
    elif err.errno == errno.EROFS:
        what = "the file system is read-only"
        hint = "remount it writable, or point XDG_DATA_HOME to a writable directory"
    elif err.errno in (errno.EACCES, errno.EPERM):
        what = "no permission"
        hint = f"check who owns it: ls -ld {_pasteable(path)}" if path else "check who owns the directory"
    elif err.errno == errno.ENAMETOOLONG:
        what, hint = "the path is too long", "point XDG_DATA_HOME to a directory with a shorter path"
    elif err.errno in (errno.EMFILE, errno.ENFILE):
        what, hint = "too many files are open", "allow more, and repeat the command: ulimit -n 4096"
    return DiskError(f"{what} while {doing}{where}; {state}", hint=hint)


def _pasteable(path: str) -> str:
    import shlex

    return shlex.quote(path)


def is_passing(err: OSError) -> bool:
    """Say whether `err` tells of the machine, which is short of something, and nothing of the file."""
    return err.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def walk(top: str, *, topdown: bool = True) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk as os.walk does, but raise OSError where a directory cannot be read; nothing where `top` is not there."""

    def refuse(err: OSError) -> None:
        if not isinstance(err, (FileNotFoundError, NotADirectoryError)):
            raise err

    return os.walk(top, topdown, refuse)


def make_directory(path: str, mode: int = 0o755) -> None:
    """Create `path` and its parents where missing, with `mode` whatever the umask; keep what exists."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent and parent != path:
        make_directory(parent, 0o755)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, mode)
        os.chmod(path, mode)


def fsync_directory(path: str) -> None:
    """Make renames and creations in directory `path` durable (fsync(2))."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_filesystem(path: str) -> None:
    """Write everything pending on the file system of `path` to the disk (syncfs(2)); raise OSError on failure."""
    import ctypes

    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        while libc.syncfs(fd) != 0:
            code = ctypes.get_errno()
            if code == errno.ENOSYS:
                os.sync()
                break
            if code != errno.EINTR:  # a signal that ended nothing: as Python does it (PEP 475)
                raise OSError(code, os.strerror(code), path)
    finally:
        os.close(fd)


def write_file(path: str, data: bytes, mode: int = 0o644) -> None:
    """Create the new file `path` with exactly `data` and `mode`; raise FileExistsError where it exists."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fchmod(fd, mode)
    except OSError as err:
        err.filename = path  # a descriptor has no name
        raise
    finally:
        os.close(fd)


def _beside(path: str) -> str:
    """Return a new name in the directory of `path`: short, because the name itself may be as long as names can be."""
    return os.path.join(os.path.dirname(path), TEMPORARY + os.urandom(4).hex())


def replace_file(path: str, data: bytes, mode: int = 0o644, *, durable: bool = False) -> None:
    """Put `data` at `path` in one rename: readers see the old bytes or the new ones."""
    temporary = _beside(path)
    try:
        write_file(temporary, data, mode)
        if durable:
            fd = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    if durable:
        fsync_directory(os.path.dirname(path))


def switch(path: str, target: str) -> None:
    """Make `path` a symbolic link to `target` in one rename, whatever link or file stood there."""
    temporary = _beside(path)
    os.symlink(target, temporary)
    try:
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def read_link(path: str) -> str | None:
    """Return where the symbolic link `path` points, or None where it is none."""
    try:
        return os.readlink(path)
    except OSError:
        return None


def remove_tree(path: str) -> None:
    """Remove `path` and all below it, read-only directories too; links are removed, never followed.

    It stays on one file system: a mount below is an OSError, and nothing under it is touched.
    """
    info = os.lstat(path)
    if not stat.S_ISDIR(info.st_mode):
        os.unlink(path)
        return
    _remove_directory(path, info.st_dev)


def _remove_directory(path: str, device: int) -> None:
    info = os.lstat(path)
    if info.st_dev != device:
        raise OSError(errno.EXDEV, "another file system is mounted here", path)
    if info.st_mode & 0o700 != 0o700:
        os.chmod(path, 0o700)
    with os.scandir(path) as items:
        for item in items:
            if item.is_dir(follow_symlinks=False):
                _remove_directory(item.path, device)
            else:
                os.unlink(item.path)
    os.rmdir(path)


def seal(path: str) -> None:
    """Take write permission from every directory below and at `path` (files are written read-only already)."""
    for folder, _, _ in walk(path, topdown=False):
        os.chmod(folder, 0o555)


class Staged:
    """A directory being built beside its future siblings; `path` is where to write."""

    def __init__(self, parent: str) -> None:
        self.path = os.path.join(parent, STAGING + os.urandom(8).hex())
        os.mkdir(self.path, 0o755)
        os.chmod(self.path, 0o755)

    def publish(self, final: str) -> bool:
        """Rename to `final` (same parent). False, and nothing left behind, where `final` exists already."""
        try:
            os.rename(self.path, final)
        except OSError as err:
            if err.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            self.discard()
            return False
        return True

    def discard(self) -> None:
        """Remove what was staged; harmless after `publish`."""
        with contextlib.suppress(FileNotFoundError):
            remove_tree(self.path)


def sweep(parent: str, prefix: str = STAGING) -> int:
    """Remove what dead processes left below `parent` under names with `prefix`; return how many.

    Nobody may be at work there now. What cannot be removed (another person's, a mount) stays and stops nothing.
    """
    swept = 0
    try:
        names = [name for name in os.listdir(parent) if name.startswith(prefix)]
    except (FileNotFoundError, NotADirectoryError):
        return 0
    for name in names:
        with contextlib.suppress(OSError):
            remove_tree(os.path.join(parent, name))
            swept += 1
    return swept


class Busy(Exception):
    """The lock is held by another process, and the caller did not want to wait."""


@contextlib.contextmanager
def lock(
    path: str, *, shared: bool = False, wait: bool = True, on_wait: Callable[[], None] | None = None
) -> Iterator[int]:
    """Hold the advisory lock `path` (flock(2)); wait for other holders after calling `on_wait` once.

    Raise Busy instead of waiting where `wait` is False.

    Yields the descriptor, so that a child can keep the lock. A lock file that was deleted or replaced while
    we waited is noticed and taken anew; a symbolic link in its place is refused.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as err:
            if err.errno == errno.ELOOP:
                raise Refused(
                    f"the lock file {path} is a symbolic link", hint=f"remove it: rm {_pasteable(path)}"
                ) from err
            raise
        try:
            try:
                fcntl.flock(fd, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if not wait:
                    raise Busy(path) from None
                if on_wait is not None:
                    on_wait()
                    on_wait = None
                fcntl.flock(fd, kind)
            try:
                same = os.path.samestat(os.fstat(fd), os.lstat(path))
            except FileNotFoundError:
                same = False
            if same:
                yield fd
                return
        finally:
            os.close(fd)


def sha256(path: str) -> str:
    """Return the hex SHA-256 of the file `path`."""
    import hashlib

    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
