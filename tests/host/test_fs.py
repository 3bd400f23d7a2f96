import errno
import os
import resource
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from detente.errors import DiskError, Refused
from detente.host import fs


@pytest.fixture(params=[0o077, 0o000, 0o777], ids=["umask 077", "umask 000", "umask 777"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def _mode(path: str | Path) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


# what the file system refuses


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        (errno.ENOSPC, "the disk is full while writing x", "detente collect"),
        (errno.EDQUOT, "the disk quota is used up while writing x", "detente collect"),
        (errno.EROFS, "the file system is read-only while writing x", "XDG_DATA_HOME"),
        (errno.EACCES, "no permission while writing x", "ls -ld"),
        (errno.EPERM, "no permission while writing x", "ls -ld"),
        (errno.ENAMETOOLONG, "the path is too long while writing x", "XDG_DATA_HOME"),
        (errno.EIO, "Input/output error while writing x", "repeat the command"),
    ],
)
def test_what_the_disk_refuses_is_one_sentence_with_the_path_and_a_way_out(code: int, words: str, hint: str) -> None:
    err = fs.disk_error(OSError(code, os.strerror(code), "/home/anna/it's here"), "writing x")
    assert isinstance(err, DiskError)
    assert err.message.startswith(words)
    assert "(/home/anna/it's here)" in err.message
    assert err.hint is not None
    assert hint in err.hint


def test_a_hint_with_a_path_can_be_pasted() -> None:
    hint = fs.disk_error(PermissionError(errno.EACCES, "x", "/home/anna/it's here"), "writing").hint
    assert hint is not None
    command = hint.partition(": ")[2]
    assert command.startswith("ls -ld ")
    said = subprocess.run(["sh", "-c", f"printf '%s|' {command}"], capture_output=True, check=True, text=True)
    assert said.stdout == "ls|-ld|/home/anna/it's here|"


def test_a_path_that_is_named_already_is_not_named_twice() -> None:
    assert fs.disk_error(OSError(errno.EIO, "x", "/a/b"), "writing /a/b").message.count("/a/b") == 1


@pytest.mark.parametrize("name", [None, b"/bytes", 3])
def test_an_error_without_a_path_has_words_too(name: object) -> None:
    err = fs.disk_error(OSError(errno.EACCES, "x", name), "writing /a")
    assert err.message == "no permission while writing /a; nothing was changed"
    assert err.hint == "check who owns the directory"
    assert fs.disk_error(OSError("odd"), "writing /a").message == "odd while writing /a; nothing was changed"


def test_an_error_says_how_things_stand() -> None:
    err = fs.disk_error(OSError(errno.EMFILE, "x", "/a/b"), "removing", "a part of it was removed")
    assert err.message == "too many files are open while removing (/a/b); a part of it was removed"
    assert err.hint == "allow more, and repeat the command: ulimit -n 4096"


def test_a_directory_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert [names for _, names, _ in fs.walk(str(tmp_path / "a"))] == [["b"], []]
    assert list(fs.walk(str(tmp_path / "nothing"))) == []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            list(fs.walk(str(tmp_path / "a")))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# files and directories


def test_directories_are_made_with_their_modes_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    fs.make_directory(str(tmp_path / "a" / "b" / "c"), 0o700)
    assert (_mode(tmp_path / "a"), _mode(tmp_path / "a" / "b"), _mode(tmp_path / "a" / "b" / "c")) == (
        0o755,
        0o755,
        0o700,
    )


def test_a_directory_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o711)
    fs.make_directory(str(tmp_path), 0o755)
    assert _mode(tmp_path) == 0o711
    (tmp_path / "file").write_text("x")
    fs.make_directory(str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "x"


def test_a_relative_directory_is_made_where_we_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fs.make_directory("a/b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_new_file_has_its_bytes_and_mode_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    data = os.urandom(100_000)
    fs.write_file(str(tmp_path / "x"), data, 0o555)
    assert (tmp_path / "x").read_bytes() == data
    assert _mode(tmp_path / "x") == 0o555
    fs.write_file(str(tmp_path / "empty"), b"")
    assert _mode(tmp_path / "empty") == 0o644


def test_a_new_file_never_replaces_one_or_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("x", "link"):
        with pytest.raises(FileExistsError):
            fs.write_file(str(tmp_path / name), b"new")
    assert (tmp_path / "x").read_text() == "old"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_is_replaced_with_its_mode_whatever_the_umask(tmp_path: Path, umask: int, durable: bool) -> None:
    path = tmp_path / "x"
    for data in (b"old", b"new"):
        fs.replace_file(str(path), data, 0o640, durable=durable)
        assert path.read_bytes() == data
        assert _mode(path) == 0o640
    assert os.listdir(tmp_path) == ["x"]


def test_replacing_a_link_leaves_what_it_pointed_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "x").symlink_to("target")
    fs.replace_file(str(tmp_path / "x"), b"ours")
    assert not (tmp_path / "x").is_symlink()
    assert (tmp_path / "target").read_text() == "theirs"


def test_a_reader_sees_the_old_bytes_or_the_new_ones(tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    states = [bytes([65 + number]) * 70_000 for number in range(2)]
    fs.replace_file(path, states[0])
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            fs.replace_file(path, states[number % 2])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {Path(path).read_bytes() for _ in range(200)}
    finally:
        stop.set()
        writer.join()
    assert seen <= set(states)


def test_nothing_is_left_where_a_file_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        fs.replace_file(str(tmp_path / "x"), b"new")
    with pytest.raises(FileNotFoundError):
        fs.replace_file(str(tmp_path / "none" / "x"), b"new")
    assert os.listdir(tmp_path) == ["x"]


def test_a_write_that_breaks_off_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    files = len(os.listdir("/proc/self/fd"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        with pytest.raises(OSError) as caught:
            fs.replace_file(str(path), b"new" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno == errno.EFBIG
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]
    assert len(os.listdir("/proc/self/fd")) == files


def test_syncing_is_possible_and_its_failure_is_told(tmp_path: Path) -> None:
    fs.fsync_directory(str(tmp_path))
    fs.sync_filesystem(str(tmp_path))
    for sync in (fs.fsync_directory, fs.sync_filesystem):
        with pytest.raises(FileNotFoundError):
            sync(str(tmp_path / "none"))
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        fs.fsync_directory(str(tmp_path / "file"))


def test_a_digest_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert fs.sha256(str(tmp_path / "x")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


# links


@pytest.mark.parametrize("before", ["nothing", "link", "dangling", "file"])
def test_a_switch_replaces_whatever_link_or_file_stood_there(tmp_path: Path, before: str) -> None:
    path = tmp_path / "current"
    (tmp_path / "old").mkdir()
    if before == "file":
        path.write_text("x")
    elif before != "nothing":
        path.symlink_to("old" if before == "link" else "gone")
    fs.switch(str(path), "new")
    assert fs.read_link(str(path)) == "new"
    assert os.listdir(tmp_path / "old") == []
    assert sorted(os.listdir(tmp_path)) == ["current", "old"]


def test_a_switch_over_a_directory_fails_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()
    with pytest.raises(OSError):
        fs.switch(str(tmp_path / "current"), "new")
    assert os.listdir(tmp_path) == ["current"]


def test_what_is_no_link_points_nowhere(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert fs.read_link(str(tmp_path)) is None
    assert fs.read_link(str(tmp_path / "file")) is None
    assert fs.read_link(str(tmp_path / "none")) is None


# trees


def _sealed(root: Path, target: Path) -> None:
    """A read-only tree with files and links, among them links to `target` outside."""
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "file").write_text("x")
    (root / "a" / "to-directory").symlink_to(target)
    (root / "a" / "to-file").symlink_to(target / "kept")
    (root / "a" / "loop").symlink_to("..")
    os.mkfifo(root / "a" / "fifo")
    (root / "a" / os.fsdecode(b"odd\xff")).write_text("")
    fs.seal(str(root))


# Root passes over the modes of directories, so this program first becomes somebody else.
AS_NOBODY = """
import os, sys
os.setgid(65534); os.setuid(65534)
sys.path.insert(0, sys.argv[1])
from detente.host import fs
fs.remove_tree(sys.argv[2])
"""


def test_a_read_only_tree_is_removed_and_what_its_links_lead_to_stays(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "kept").write_text("kept")
    _sealed(tmp_path / "tree", target)
    assert _mode(tmp_path / "tree" / "a" / "b") == 0o555
    assert _mode(target) != 0o555
    fs.remove_tree(str(tmp_path / "tree"))
    assert os.listdir(tmp_path) == ["target"]
    assert (target / "kept").read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="the test before this one is the same without root")
def test_a_read_only_tree_is_removed_by_its_owner_without_root() -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        _sealed(base / "tree", base / "target")
        for place, _, names in os.walk(base):
            os.chown(place, 65534, 65534)
            for name in names:
                os.lchown(os.path.join(place, name), 65534, 65534)
        os.chmod(base / "tree" / "a" / "b", 0o000)
        source = os.path.dirname(os.path.dirname(os.path.dirname(fs.__file__)))
        visible = base / "src"
        _copy_sources(source, visible)
        done = subprocess.run(
            [sys.executable, "-I", "-c", AS_NOBODY, str(visible), str(base / "tree")], capture_output=True, check=False
        )
        assert done.stderr == b""
        assert not (base / "tree").exists()


def _copy_sources(source: str, into: Path) -> None:
    """The few modules that the program above imports, where everybody can read them."""
    for name in ("__init__.py", "errors.py", "host/__init__.py", "host/fs.py", "host/space.py"):
        place = into / "detente" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(Path(source, "detente", name).read_bytes())
    for folder, _, _ in os.walk(into):
        os.chmod(folder, 0o755)


def test_a_file_and_a_link_to_a_directory_are_removed_themselves(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    fs.remove_tree(str(tmp_path / "file"))
    fs.remove_tree(str(tmp_path / "link"))
    assert os.listdir(tmp_path) == ["folder"]
    with pytest.raises(FileNotFoundError):
        fs.remove_tree(str(tmp_path / "none"))


def test_another_file_system_below_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_text("theirs")
    device = os.lstat(tmp_path).st_dev
    with pytest.raises(OSError, match="another file system is mounted here") as caught:
        fs._remove_directory(str(tmp_path / "inner"), device + 1)
    assert caught.value.errno == errno.EXDEV
    assert (tmp_path / "inner" / "file").read_text() == "theirs"


def test_sealing_takes_write_permission_from_directories_and_leaves_files(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True)
    (tree / "a" / "file").write_text("")
    (tree / "a" / "file").chmod(0o640)
    (tree / "link").symlink_to(outside)
    before = _mode(outside)
    fs.seal(str(tree))
    assert (_mode(tree), _mode(tree / "a"), _mode(tree / "a" / "file"), _mode(outside)) == (0o555, 0o555, 0o640, before)


# staging


def test_what_is_staged_is_published_by_one_rename(tmp_path: Path, umask: int) -> None:
    staged = fs.Staged(str(tmp_path))
    assert _mode(staged.path) == 0o755
    assert os.path.basename(staged.path).startswith(fs.STAGING)
    Path(staged.path, "x").write_text("new")
    inode = os.stat(staged.path).st_ino
    assert staged.publish(str(tmp_path / "final"))
    assert os.stat(tmp_path / "final").st_ino == inode
    staged.discard()
    assert os.listdir(tmp_path) == ["final"]


def test_what_is_published_already_stays_and_the_second_one_goes(tmp_path: Path) -> None:
    for text in ("first", "second"):
        staged = fs.Staged(str(tmp_path))
        Path(staged.path, "x").write_text(text)
        fs.seal(staged.path)
        assert staged.publish(str(tmp_path / "final")) == (text == "first")
    assert (tmp_path / "final" / "x").read_text() == "first"
    assert os.listdir(tmp_path) == ["final"]


def test_a_file_in_the_way_of_what_is_published_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "final").write_text("theirs")
    staged = fs.Staged(str(tmp_path))
    with pytest.raises(NotADirectoryError):
        staged.publish(str(tmp_path / "final"))
    assert (tmp_path / "final").read_text() == "theirs"
    staged.discard()
    staged.discard()
    assert os.listdir(tmp_path) == ["final"]


def test_what_dead_commands_staged_is_swept_and_nothing_else(tmp_path: Path) -> None:
    for _ in range(2):
        staged = fs.Staged(str(tmp_path))
        os.mkdir(os.path.join(staged.path, "x"))
        fs.seal(staged.path)
    (tmp_path / "entry").mkdir()
    (tmp_path / ".other").mkdir()
    assert fs.sweep(str(tmp_path)) == 2
    assert sorted(os.listdir(tmp_path)) == [".other", "entry"]
    assert fs.sweep(str(tmp_path)) == 0
    assert fs.sweep(str(tmp_path / "none")) == 0


# locks

HOLDER = """
import sys
sys.path.insert(0, sys.argv[1])
from detente.host import fs
try:
    with fs.lock(sys.argv[2], shared=sys.argv[3] == "shared", wait=sys.argv[4] == "wait",
                 on_wait=lambda: print("waiting", flush=True)):
        print("held", flush=True)
        sys.stdin.readline()
except fs.Busy:
    print("busy", flush=True)
"""


class Holder:
    """Another process that takes a lock and holds it until told."""

    def __init__(self, path: Path, *, shared: bool = False, wait: bool = True) -> None:
        source = os.path.dirname(os.path.dirname(os.path.dirname(fs.__file__)))
        words = ["shared" if shared else "alone", "wait" if wait else "leave"]
        self.child = subprocess.Popen(
            [sys.executable, "-I", "-c", HOLDER, source, str(path), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()

    def says(self) -> str:
        assert self.child.stdout is not None
        return self.child.stdout.readline().strip()

    def let_go(self) -> None:
        self.child.communicate()


def test_two_processes_exclude_one_another(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with Holder(path) as one:
        assert one.says() == "held"
        with Holder(path) as other:
            assert other.says() == "waiting"
            one.let_go()
            assert other.says() == "held"
        assert other.child.returncode == 0


def test_shared_holders_do_not_exclude_one_another_but_exclude_the_one_that_wants_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with Holder(path, shared=True) as one, Holder(path, shared=True) as other:
        assert (one.says(), other.says()) == ("held", "held")
        with Holder(path) as third:
            assert third.says() == "waiting"
            one.let_go()
            other.let_go()
            assert third.says() == "held"
            with Holder(path, shared=True) as fourth:
                assert fourth.says() == "waiting"
                third.let_go()
                assert fourth.says() == "held"


def test_who_does_not_want_to_wait_is_told(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with fs.lock(str(path)), Holder(path, wait=False) as other:
        assert other.says() == "busy"
    with fs.lock(str(path), wait=False), pytest.raises(fs.Busy), fs.lock(str(path), wait=False):
        pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    with Holder(tmp_path / "lock") as one:
        assert one.says() == "held"
        one.child.kill()
        one.child.wait()
        with fs.lock(str(tmp_path / "lock"), wait=False):
            pass


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_file_that_goes_while_somebody_waits_is_noticed(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "lock"
    with Holder(path) as one:
        assert one.says() == "held"
        with Holder(path) as other:
            assert other.says() == "waiting"
            path.unlink()
            if replaced:
                path.write_text("")
            one.let_go()
            assert other.says() == "held"
            with pytest.raises(fs.Busy), fs.lock(str(path), wait=False):  # it holds the one that is there now
                pass


def test_a_lock_is_given_back_after_an_error_and_its_error_passes(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    for error in (FileNotFoundError, BlockingIOError, KeyboardInterrupt, ValueError):
        with pytest.raises(error), fs.lock(path):
            raise error
    with fs.lock(path, wait=False) as descriptor:
        assert not os.get_inheritable(descriptor)
        assert _mode(path) == 0o600


def test_a_link_in_the_place_of_a_lock_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.symlink_to("precious")
    with pytest.raises(Refused, match="is a symbolic link") as caught, fs.lock(str(path)):
        pass
    assert caught.value.hint == f"remove it: rm {path}"
    assert not (tmp_path / "precious").exists()


def test_a_lock_in_a_directory_that_is_not_there_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), fs.lock(str(tmp_path / "none" / "lock")):
        pass
