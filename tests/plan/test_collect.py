import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.host.paths import Paths, user_paths
from detente.model import Generation
from detente.plan import planner
from detente.plan.environment import specify
from detente.plan.facts import Holdings
from detente.plan.plan import Discard, Plan
from detente.plan.request import Collect
from detente.store import collect, environments, generations
from plan.builders import PYTHON, a_generation, an_application

NOTHING: frozenset[str] = frozenset()


def _gone(plan: Plan) -> Discard:
    if plan.empty:
        return Discard((), (), ())
    (step,) = plan.steps
    assert isinstance(step, Discard)
    return step


def _after(holdings: Holdings, step: Discard) -> Holdings:
    return Holdings(
        holdings.basis,
        holdings.current,
        tuple(number for number in holdings.chain if number not in step.generations),
        {number: names for number, names in holdings.generations.items() if number not in step.generations},
        {name: entries for name, entries in holdings.environments.items() if name not in step.environments},
        holdings.entries - set(step.entries),
        holdings.in_use,
    )


def test_an_old_generation_goes_with_what_only_it_needs() -> None:
    holdings = Holdings(
        basis="3:x",
        current=3,
        chain=(3, 2, 1),
        generations={1: frozenset({"a"}), 2: frozenset({"b"}), 3: frozenset({"c"})},
        environments={"a": frozenset({"x", "shared"}), "b": frozenset({"y"}), "c": frozenset({"z", "shared"})},
        entries=frozenset({"x", "y", "z", "shared", "nobody's"}),
        in_use=NOTHING,
    )
    plan = planner.collect(Collect(2), holdings)
    assert plan.basis == "3:x"
    assert _gone(plan) == Discard((1,), ("a",), ("nobody's", "x"))
    assert _gone(planner.collect(Collect(1), holdings)) == Discard((1, 2), ("a", "b"), ("nobody's", "x", "y"))
    assert _gone(planner.collect(Collect(9), holdings)) == Discard((), (), ("nobody's",))


def test_a_generation_that_was_never_switched_to_goes() -> None:
    holdings = Holdings("1:x", 1, (1,), {1: NOTHING, 2: frozenset({"a"})}, {"a": NOTHING}, NOTHING, NOTHING)
    assert _gone(planner.collect(Collect(10), holdings)) == Discard((2,), ("a",), ())


def test_what_a_running_program_uses_stays_with_its_entries() -> None:
    environments = {"a": frozenset({"x"}), "b": frozenset({"y"})}
    holdings = Holdings("", 0, (), {}, environments, frozenset({"x", "y", "z", "w"}), frozenset({"a", "z"}))
    assert _gone(planner.collect(Collect(1), holdings)) == Discard((), ("b",), ("w", "y"))


def test_the_current_generation_stays_however_few_are_kept() -> None:
    holdings = Holdings("2:x", 2, (2, 1), {1: NOTHING, 2: frozenset({"a"})}, {"a": NOTHING}, NOTHING, NOTHING)
    assert _gone(planner.collect(Collect(0), holdings)) == Discard((1,), (), ())


def test_nothing_to_collect_is_an_empty_plan() -> None:
    assert planner.collect(Collect(1), Holdings("", 0, (), {}, {}, NOTHING, NOTHING)).empty


_ENVIRONMENTS = [f"env{number}" for number in range(5)]
_ENTRIES = [f"entry{number}" for number in range(6)]
_NAMED = st.frozensets(st.sampled_from(_ENVIRONMENTS), max_size=3)


@st.composite
def holdings(draw: st.DrawFn) -> Holdings:
    """A store in any state: holes in the history, orphans, names of environments that are not there."""
    numbers = draw(st.sets(st.integers(1, 8)))
    chain = sorted(draw(st.sets(st.sampled_from(sorted(numbers)))) if numbers else set(), reverse=True)
    return Holdings(
        basis="b",
        current=chain[0] if chain else 0,
        chain=tuple(chain),
        generations={number: draw(_NAMED) for number in numbers},
        environments=draw(
            st.dictionaries(st.sampled_from(_ENVIRONMENTS), st.frozensets(st.sampled_from(_ENTRIES), max_size=4))
        ),
        entries=draw(st.frozensets(st.sampled_from(_ENTRIES))),
        in_use=draw(st.frozensets(st.sampled_from(_ENVIRONMENTS + _ENTRIES), max_size=2)),
    )


@pytest.mark.property
@given(holdings(), st.integers(1, 5))
@settings(deadline=None, max_examples=200)
def test_collect_takes_exactly_what_nothing_reaches_and_leaves_the_rest_whole(have: Holdings, keep: int) -> None:
    step = _gone(planner.collect(Collect(keep), have))
    kept = set(have.chain[:keep]) | {have.current}
    assert not kept & set(step.generations)
    assert set(step.generations) == have.generations.keys() - kept
    needed = {name for number in kept for name in have.generations.get(number, ())} | have.in_use
    assert set(step.environments) == have.environments.keys() - needed
    linked = {entry for name, entries in have.environments.items() if name in needed for entry in entries}
    assert set(step.entries) == have.entries - linked - have.in_use
    left = _after(have, step)
    for entries in left.environments.values():
        assert entries & have.entries <= left.entries
    for names in left.generations.values():
        assert names & have.environments.keys() <= left.environments.keys()
    assert planner.collect(Collect(keep), left).empty


@pytest.mark.property
@given(holdings(), st.integers(1, 5), st.integers(0, 3))
@settings(deadline=None, max_examples=100)
def test_keeping_more_never_takes_more(have: Holdings, keep: int, more: int) -> None:
    few, many = (_gone(planner.collect(Collect(number), have)) for number in (keep, keep + more))
    assert set(many.generations) <= set(few.generations)
    assert set(many.environments) <= set(few.environments)
    assert set(many.entries) <= set(few.entries)


# the look at a real store


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    home = tmp_path / "home"
    found = user_paths({"HOME": str(home)})
    for folder in (found.store, found.builds, found.environments, found.generations):
        os.makedirs(folder)
    return found


def _an_entry(paths: Paths, name: str) -> str:
    """A store entry with one module, as `store.environments` links it."""
    lib = Path(paths.store, name, "lib")
    lib.mkdir(parents=True)
    (lib / f"{name}.py").write_text(f"name = {name!r}\n")
    return name


def _an_environment(paths: Paths, *entries: str, record: bool = True) -> str:
    """An environment with links to `entries`, and its record unless it was lost."""
    spec = specify("demo", PYTHON, entries, "lock", paths.data)
    site = Path(paths.environments, spec.directory, PYTHON.site)
    site.mkdir(parents=True)
    for name in entries:
        (site / f"{name}.py").symlink_to(Path(paths.store, name, "lib", f"{name}.py"))
    if record:
        place = os.path.join(paths.environments, spec.directory)
        environments._write_record(place, place, spec)
    return spec.directory


def _a_generation(paths: Paths, number: int, *names: str) -> Generation:
    items = [an_application(f"a{place}")._replace(environment=name) for place, name in enumerate(names)]
    made = a_generation(number, *items)
    generations.stage(paths, made).publish(os.path.join(paths.generations, str(number)))
    generations.switch(paths, number)
    return made


def test_the_look_finds_who_reaches_what(paths: Paths) -> None:
    one, other = _an_entry(paths, "one"), _an_entry(paths, "other")
    old, new = _an_environment(paths, one), _an_environment(paths, one, other)
    _a_generation(paths, 1, old)
    _a_generation(paths, 2, new)
    have = collect.holdings(paths)
    assert have.current == 2
    assert have.chain == (2, 1)
    assert have.generations == {1: {old}, 2: {new}}
    assert have.environments == {old: {one}, new: {one, other}}
    assert have.entries == {one, other}
    assert have.basis == generations.current(paths)[1]


def test_an_empty_home_holds_nothing(tmp_path: Path) -> None:
    have = collect.holdings(user_paths({"HOME": str(tmp_path / "none")}))
    assert (have.current, have.chain, have.generations, have.environments, have.entries) == (0, (), {}, {}, NOTHING)


def test_an_environment_whose_record_is_lost_still_keeps_what_its_links_lead_to(paths: Paths) -> None:
    one, other = _an_entry(paths, "one"), _an_entry(paths, "other")
    name = _an_environment(paths, one, record=False)
    _a_generation(paths, 1, name)
    have = collect.holdings(paths)
    assert have.environments == {name: {one}}
    assert _gone(planner.collect(Collect(1), have)) == Discard((), (), (other,))


def test_a_broken_record_of_a_past_generation_names_nothing_and_stops_nobody(paths: Paths) -> None:
    _a_generation(paths, 1)
    orphan = Path(paths.generations, "2")
    orphan.mkdir()
    (orphan / "record.json").write_bytes(b"\0" * 40)
    assert collect.holdings(paths).generations == {1: NOTHING, 2: NOTHING}


@pytest.mark.parametrize("spelling", ["as it is", "through a link"])
def test_a_running_program_keeps_its_environment_however_its_home_is_spelled(tmp_path: Path, spelling: str) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "home").symlink_to(real)
    ours = user_paths({"HOME": str(tmp_path / "home")})
    for folder in (ours.store, ours.environments, ours.generations):
        os.makedirs(folder)
    name = _an_environment(ours, _an_entry(ours, "one"))
    base = os.path.join(ours.environments, name)
    place = base if spelling == "as it is" else os.path.realpath(base)
    program = [sys.executable, "-I", "-S", "-c", "import sys; print(flush=True); sys.stdin.read()", place]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/") as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        assert name in collect.in_use(ours)
        child.stdin.close()
    with subprocess.Popen(program[:-1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=place) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        assert name in collect.in_use(ours)  # by its directory, which the kernel spells without links
        child.stdin.close()
    assert name not in collect.in_use(ours)


def test_discarding_removes_what_is_named_read_only_or_not_and_forgets_its_build(paths: Paths) -> None:
    one, other = _an_entry(paths, "one"), _an_entry(paths, "other")
    old = _an_environment(paths, one)
    _a_generation(paths, 1, old)
    _a_generation(paths, 2)
    for name in (one, other):
        os.chmod(os.path.join(paths.store, name, "lib"), 0o555)
        os.chmod(os.path.join(paths.store, name), 0o555)
        os.symlink(f"../store/{name}", os.path.join(paths.builds, f"build-of-{name}"))
    freed = collect.discard(paths, Discard((1,), (old,), (one,)))
    assert freed > 0
    assert os.listdir(paths.generations) == ["2"]
    assert os.listdir(paths.environments) == []
    assert os.listdir(paths.store) == [other]
    assert os.listdir(paths.builds) == ["build-of-other"]
    assert collect.holdings(paths).entries == {other}


def test_a_file_with_another_link_frees_nothing(paths: Paths) -> None:
    one = _an_entry(paths, "one")
    module = os.path.join(paths.store, one, "lib", "one.py")
    alone = collect.size_of(os.path.join(paths.store, one))
    os.link(module, os.path.join(paths.data, "another"))
    assert collect.size_of(os.path.join(paths.store, one)) == alone - os.lstat(module).st_blocks * 512
