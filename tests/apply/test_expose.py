import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from detente.apply import expose
from detente.host.paths import Paths, user_paths
from detente.model import EMPTY_GENERATION, Application, Generation
from detente.store import exposures, generations
from plan.builders import a_generation, an_application

PAGE = {"share/man/man1/demo.1": "share/man/man1/demo.1"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def _paths(home: Path) -> Paths:
    return user_paths({"HOME": str(home)})


def _environment(paths: Paths, item: Application) -> None:
    """The files that the commands and pages of `item` lead to."""
    for target in (*item.commands.values(), *item.files.values()):
        place = Path(paths.environments, item.environment, target)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{item.key} {item.version}")


def _switch(paths: Paths, number: int, *items: Application) -> Generation:
    """Publish and switch to a generation of `items`, without showing it."""
    os.makedirs(paths.generations, exist_ok=True)
    for item in items:
        _environment(paths, item)
    made = a_generation(number, *items)
    generations.stage(paths, made).publish(os.path.join(paths.generations, str(number)))
    generations.switch(paths, number)
    return made


def _shown(paths: Paths) -> dict[str, str]:
    """What each name in our bin directory runs."""
    return {name: Path(paths.bin, name).read_text() for name in os.listdir(paths.bin)}


def test_commands_and_pages_appear_and_follow_the_switch_by_themselves(home: Path) -> None:
    paths = _paths(home)
    first = _switch(paths, 1, an_application()._replace(files=PAGE))
    assert expose.reconcile(paths, first, EMPTY_GENERATION) == []
    assert os.readlink(home / ".local/bin/demo") == "../share/detente/current/bin/demo"
    assert os.readlink(home / ".local/share/man/man1/demo.1") == "../../detente/current/share/man/man1/demo.1"
    assert _shown(paths) == {"demo": "demo 1.0"}
    _switch(paths, 2, an_application(version="2.0"))
    assert _shown(paths) == {"demo": "demo 2.0"}


def test_what_is_no_longer_wanted_goes_and_directories_stay(home: Path) -> None:
    paths = _paths(home)
    first = _switch(paths, 1, an_application()._replace(files=PAGE), an_application("other"))
    expose.reconcile(paths, first, EMPTY_GENERATION)
    second = _switch(paths, 2, an_application("other"))
    assert expose.reconcile(paths, second, first) == []
    assert _shown(paths) == {"other": "other 1.0"}
    assert os.listdir(home / ".local/share/man/man1") == []


def test_a_page_in_an_unusual_place_goes_with_its_application(home: Path) -> None:
    paths = _paths(home)
    icon = {"share/icons/hicolor/48x48/apps/demo.png": "share/icons/hicolor/48x48/apps/demo.png"}
    first = _switch(paths, 1, an_application()._replace(files=icon))
    expose.reconcile(paths, first, EMPTY_GENERATION)
    assert (home / ".local/share/icons/hicolor/48x48/apps/demo.png").read_text() == "demo 1.0"
    expose.reconcile(paths, _switch(paths, 2), first)
    assert os.listdir(home / ".local/share/icons/hicolor/48x48/apps") == []


def test_showing_twice_changes_nothing(home: Path) -> None:
    paths = _paths(home)
    first = _switch(paths, 1, an_application()._replace(files=PAGE))
    expose.reconcile(paths, first, EMPTY_GENERATION)
    before = os.lstat(home / ".local/bin/demo")
    assert expose.reconcile(paths, first, first) == []
    assert os.lstat(home / ".local/bin/demo") == before
    assert exposures.in_line(paths, first, ("demo",))


@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "directory"])
def test_what_is_someone_elses_stays_and_is_reported(home: Path, kind: str) -> None:
    paths = _paths(home)
    place = home / ".local/bin/demo"
    _theirs(place, kind)
    first = _switch(paths, 1, an_application(), an_application("other"))
    assert expose.reconcile(paths, first, EMPTY_GENERATION) == [str(place)]
    _is_theirs(place, kind)
    assert (home / ".local/bin/other").read_text() == "other 1.0"
    assert not exposures.in_line(paths, first, ("demo",))
    assert exposures.in_line(paths, first, ("other",))
    expose.reconcile(paths, _switch(paths, 2), first)
    _is_theirs(place, kind)


def _theirs(place: Path, kind: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    match kind:
        case "file":
            place.write_text("theirs")
            place.chmod(0o751)
        case "directory":
            place.mkdir()
            (place / "x").write_text("theirs")
        case _:
            (place.parent / "target").write_text("theirs")
            place.symlink_to("target" if kind == "link" else "../gone")


def _is_theirs(place: Path, kind: str) -> None:
    match kind:
        case "file":
            assert place.read_text() == "theirs"
            assert place.stat().st_mode & 0o777 == 0o751
        case "directory":
            assert (place / "x").read_text() == "theirs"
        case _:
            assert os.readlink(place) == ("target" if kind == "link" else "../gone")


@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "directory"])
def test_what_is_forced_moves_to_quarantine_with_a_record_of_where_it_was(home: Path, kind: str) -> None:
    paths = _paths(home)
    place = home / ".local/bin/demo"
    _theirs(place, kind)
    first = _switch(paths, 1, an_application())
    assert expose.reconcile(paths, first, EMPTY_GENERATION, ("demo",)) == []
    assert place.read_text() == "demo 1.0"
    (folder,) = (home / ".local/state/detente/quarantine").iterdir()
    assert (folder / "was").read_text() == f"{place}\n"
    _is_theirs(folder / "demo", kind)


def test_force_is_about_commands_and_never_moves_a_page(home: Path) -> None:
    paths = _paths(home)
    _theirs(home / ".local/share/man/man1/demo.1", "file")
    first = _switch(paths, 1, an_application()._replace(files=PAGE))
    refused = expose.reconcile(paths, first, EMPTY_GENERATION, ("demo", "demo.1"))
    assert refused == [str(home / ".local/share/man/man1/demo.1")]
    _is_theirs(home / ".local/share/man/man1/demo.1", "file")


def test_a_bin_directory_that_is_a_link_is_used_where_it_leads(home: Path) -> None:
    paths = _paths(home)
    (home / "dotfiles/deep/bin").mkdir(parents=True)
    (home / ".local").mkdir()
    (home / ".local/bin").symlink_to("../dotfiles/deep/bin")
    first = _switch(paths, 1, an_application())
    assert expose.reconcile(paths, first, EMPTY_GENERATION) == []
    assert (home / ".local/bin").is_symlink()
    assert os.readlink(home / "dotfiles/deep/bin/demo") == "../../../.local/share/detente/current/bin/demo"
    assert _shown(paths) == {"demo": "demo 1.0"}
    assert exposures.in_line(paths, first, ("demo",))
    expose.reconcile(paths, _switch(paths, 2), first)
    assert os.listdir(paths.bin) == []


def test_links_are_ours_however_the_home_is_spelled(tmp_path: Path, home: Path) -> None:
    (tmp_path / "link").symlink_to("home")
    through_link, directly = _paths(tmp_path / "link"), _paths(home)
    first = _switch(through_link, 1, an_application())
    assert expose.reconcile(through_link, first, EMPTY_GENERATION) == []
    assert exposures.in_line(directly, first, ("demo",))
    assert expose.reconcile(directly, first, first) == []
    second = _switch(directly, 2)
    assert expose.reconcile(directly, second, first) == []
    assert os.listdir(directly.bin) == []


def test_what_a_killed_command_left_is_repaired_by_the_next(home: Path) -> None:
    paths = _paths(home)
    first = _switch(paths, 1, an_application(), an_application("gone"))
    expose.reconcile(paths, first, EMPTY_GENERATION)
    second = _switch(paths, 2, an_application(), an_application("new"))
    # killed right after the switch, in the middle of replacing a link
    os.symlink("../share/detente/current/bin/demo", home / ".local/bin/demo.0a1b2c3d")
    os.unlink(home / ".local/bin/demo")
    assert expose.reconcile(paths, second, second) == []
    assert _shown(paths) == {"demo": "demo 1.0", "new": "new 1.0"}


def test_an_old_link_of_ours_to_another_place_is_corrected(home: Path) -> None:
    paths = _paths(home)
    first = _switch(paths, 1, an_application())
    os.makedirs(paths.bin)
    os.symlink(f"{paths.current}/bin/something-else", f"{paths.bin}/demo")
    assert expose.reconcile(paths, first, first) == []
    assert _shown(paths) == {"demo": "demo 1.0"}


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_a_directory_that_cannot_be_made_is_reported_and_the_rest_is_shown(home: Path, kind: str) -> None:
    paths = _paths(home)
    _theirs(home / ".local/share/man", kind)
    first = _switch(paths, 1, an_application()._replace(files=PAGE))
    assert expose.reconcile(paths, first, EMPTY_GENERATION) == [str(home / ".local/share/man/man1/demo.1")]
    assert _shown(paths) == {"demo": "demo 1.0"}
    _is_theirs(home / ".local/share/man", kind)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else and come back")
def test_a_directory_in_which_we_may_not_write_is_reported_and_the_rest_is_shown() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        paths = _paths(Path(folder))
        for place in (paths.bin, f"{paths.share}/man/man1", f"{paths.share}/applications"):
            os.makedirs(place)
        os.symlink("../detente/current/share/applications/old", f"{paths.share}/applications/old")
        first = _switch(paths, 1, an_application()._replace(files=PAGE))
        os.chown(paths.bin, 65534, 65534)

        def show() -> None:
            assert set(expose.reconcile(paths, first, first)) == {
                f"{paths.share}/applications/old",
                f"{paths.share}/man/man1/demo.1",
            }

        _as_nobody(show)
        assert _shown(paths) == {"demo": "demo 1.0"}


def _as_nobody(act: Callable[[], None]) -> None:
    """Call `act` in a child that is not root; fail where it fails."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            act()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def test_only_a_link_through_our_current_is_ours(home: Path) -> None:
    paths = _paths(home)
    _switch(paths, 1, an_application())
    os.makedirs(paths.bin)
    for name, target, ours in (
        ("relative", "../share/detente/current/bin/x", True),
        ("absolute", f"{paths.current}/bin/x", True),
        ("another", "../share/detente/currently/bin/x", False),
        ("into an environment", "../share/detente/envs/x", False),
        ("out again", "../share/detente/current/../x", False),
    ):
        os.symlink(target, os.path.join(paths.bin, name))
        assert exposures.is_ours(paths, os.path.join(paths.bin, name)) == ours
    Path(paths.bin, "file").write_text("")
    assert not exposures.is_ours(paths, os.path.join(paths.bin, "file"))
    assert not exposures.is_ours(paths, os.path.join(paths.bin, "none"))


def test_old_spellings_of_completions_are_shown_where_shells_look(tmp_path: Path) -> None:
    for name in (
        "share/man/man1/a.1",
        "share/man/de/man1/a.1",
        "etc/bash_completion.d/a",
        "share/zsh/vendor-completions/_a",
        "share/fish/completions/a.fish",
        "share/applications/a.desktop",
        "share/doc/a",
        "bin/a",
    ):
        place = tmp_path / "data" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("")
    assert exposures.shown_files(str(tmp_path), {"a"}) == {
        "share/man/man1/a.1": "share/man/man1/a.1",
        "share/man/de/man1/a.1": "share/man/de/man1/a.1",
        "share/bash-completion/completions/a": "etc/bash_completion.d/a",
        "share/zsh/site-functions/_a": "share/zsh/vendor-completions/_a",
        "share/fish/vendor_completions.d/a.fish": "share/fish/completions/a.fish",
        "share/applications/a.desktop": "share/applications/a.desktop",
    }
    assert exposures.shown_files(str(tmp_path / "none"), {"a"}) == {}


# a law: whatever came before, the links are those of the current generation, and what is not ours stays

_COMMANDS = st.sampled_from(["a", "b", "c", "d"])


class Homes(RuleBasedStateMachine):
    """Random changes to one home, by us, by kills, and by other people."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.paths = _paths(Path(self.folder.name))
        os.makedirs(self.paths.bin)
        self.current = EMPTY_GENERATION
        self.foreign: set[str] = set()
        self.kept: Counter[str] = Counter()  # what lies in quarantine, by the name that it had
        self.whole = True

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(commands=st.frozensets(_COMMANDS), over=st.frozensets(_COMMANDS), killed=st.booleans())
    def change(self, commands: frozenset[str], over: frozenset[str], killed: bool) -> None:
        before = self.current
        item = an_application(commands=sorted(commands))
        self.current = _switch(self.paths, before.number + 1, item)
        self.whole = not killed
        if not killed:
            self.reconcile(before, over)

    @rule()
    def repair(self) -> None:
        self.whole = True
        self.reconcile(self.current, frozenset())

    def reconcile(self, before: Generation, over: frozenset[str]) -> None:
        refused = expose.reconcile(self.paths, self.current, before, tuple(sorted(over)))
        wanted = {name for item in self.current.applications.values() for name in item.commands}
        self.kept.update(self.foreign & wanted & over)
        self.foreign -= wanted & over
        # whoever took our link away meanwhile: the place is free
        back = {name for name in self.kept if self.kept[name] and name not in wanted | self.foreign}
        self.kept.subtract(back)
        self.foreign |= back
        assert {os.path.basename(path) for path in refused} == wanted & self.foreign

    @rule(name=_COMMANDS)
    def somebody_takes_a_name(self, name: str) -> None:
        place = Path(self.paths.bin, name)
        if place.is_symlink():
            place.unlink()
        place.write_text("theirs")
        self.foreign.add(name)

    @rule(name=_COMMANDS)
    def somebody_removes_a_name(self, name: str) -> None:
        Path(self.paths.bin, name).unlink(missing_ok=True)
        self.foreign.discard(name)
        self.whole = False

    @invariant()
    def what_is_theirs_stays(self) -> None:
        for name in self.foreign:
            assert Path(self.paths.bin, name).read_text() == "theirs"

    @invariant()
    def what_is_ours_is_that_of_the_current_generation(self) -> None:
        if self.whole:
            wanted = {name for item in self.current.applications.values() for name in item.commands}
            assert set(os.listdir(self.paths.bin)) == wanted | self.foreign
            for name in wanted - self.foreign:
                assert re.fullmatch(r"demo 1\.0", Path(self.paths.bin, name).read_text())


TestHomes = pytest.mark.property(Homes.TestCase)
TestHomes.settings = settings(deadline=None, max_examples=20, stateful_step_count=15)


@pytest.mark.property
@given(st.frozensets(_COMMANDS))
@settings(deadline=None, max_examples=15)
def test_in_line_is_true_once_everything_is_shown(commands: frozenset[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = _paths(Path(folder))
        made = _switch(paths, 1, an_application(commands=sorted(commands)))
        assert exposures.in_line(paths, made, ("demo",)) == (not commands)
        expose.reconcile(paths, made, EMPTY_GENERATION)
        assert exposures.in_line(paths, made, ("demo", "none"))
