import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from detente.errors import Collision, NotFound, UsageError
from detente.model import Application, DistroModules, Generation, Wish
from detente.plan import planner, startup
from detente.plan.environment import specify
from detente.plan.facts import Facts, Resolution, slot
from detente.plan.plan import Build, Compile, Effect, Fetch, Link, Plan, Switch, effects, same
from detente.plan.request import Asked, Install, Remove, Rollback
from plan.builders import (
    NEWER_PYTHON,
    PYTHON,
    a_generation,
    a_resolution,
    an_application,
    an_artifact,
    an_entry,
    applied,
    digest,
    facts,
    switched,
)

DEMO = Install((Asked("demo"),))


# install


def test_what_the_store_lacks_is_fetched_or_built_first_and_another_plan_follows() -> None:
    resolution = a_resolution(others=[an_artifact("dep"), an_artifact("source", kind="sdist")])
    plan = planner.plan(DEMO, facts(resolutions=[resolution], entries=[an_entry("dep")]))
    assert plan.pending
    assert plan.steps == (
        Fetch(resolution.artifacts[0], PYTHON),
        Build(resolution.artifacts[2], PYTHON),
    )
    assert plan.reasons == ("demo: an environment of its own, on Python 3.11.2",)


def test_what_two_applications_share_is_fetched_once_and_built_once_for_each_python() -> None:
    shared, source = an_artifact("dep"), an_artifact("source", kind="sdist")
    one = a_resolution("one", others=[shared, source])
    other = a_resolution("other", others=[shared, source], interpreter=NEWER_PYTHON)
    steps = planner.acquisition([one, other, one], facts(resolutions=[one, other], entries=[]))
    assert [type(step).__name__ for step in steps] == ["Fetch", "Fetch", "Build", "Fetch", "Build"]
    assert [step.artifact for step in steps if isinstance(step, Fetch)].count(shared) == 1
    assert [step.interpreter for step in steps if isinstance(step, Build)] == [PYTHON, NEWER_PYTHON]


def test_an_install_links_switches_and_tells_its_effect() -> None:
    plan = planner.plan(DEMO, facts(resolutions=[a_resolution(others=[an_artifact("dep")])], highest=6))
    link, switch = plan.steps
    assert isinstance(link, Link)
    assert link.environment.entries == (an_entry().directory, an_entry("dep").directory)
    assert link.environment.label == "demo"
    assert isinstance(switch, Switch)
    generation = switch.generation
    assert (generation.number, generation.parent, generation.origin) == (7, 0, 7)
    assert (generation.time, generation.user, generation.command) == (
        "2026-02-03T04:05:06Z",
        "anna",
        ("install", "demo"),
    )
    item = generation.applications["demo"]
    assert item.commands == {"demo": "launch/demo"}
    assert item.environment == link.environment.directory
    assert (item.version, item.python, item.interpreter, item.since) == ("1.0", "3.11.2", "/usr/bin/python3.11", 7)
    assert plan.effects == (Effect("demo", "", "1.0"),)
    assert not plan.pending
    assert not plan.empty


def test_entries_without_bytecode_are_compiled_once_however_many_applications_share_them() -> None:
    shared = an_artifact("dep")
    resolutions = [a_resolution("one", others=[shared]), a_resolution("other", others=[shared])]
    plan = planner.plan(Install((Asked("one"), Asked("other"))), facts(resolutions=resolutions, compiled=False))
    entries = [name for step in plan.steps if isinstance(step, Compile) for name in step.entries]
    assert sorted(entries) == sorted(item.directory for item in (an_entry("one"), an_entry("dep"), an_entry("other")))


def test_a_second_python_of_the_same_entries_is_compiled_for_itself() -> None:
    resolutions = [a_resolution("one"), a_resolution("one", wish=Wish("one", suffix="@13"), interpreter=NEWER_PYTHON)]
    plan = planner.plan(Install(()), facts(resolutions=resolutions, compiled=False))
    assert [step.interpreter for step in plan.steps if isinstance(step, Compile)] == [PYTHON, NEWER_PYTHON]


def test_an_environment_that_exists_is_not_linked_again() -> None:
    resolution = a_resolution()
    before = facts(resolutions=[resolution])
    spec, _ = planner.environment(resolution, before)
    plan = planner.plan(DEMO, before._replace(environments=frozenset({spec.directory})))
    assert [type(step) for step in plan.steps] == [Switch]


def test_the_shown_files_of_the_application_itself_are_exposed_and_those_of_others_are_not() -> None:
    resolution = a_resolution(others=[an_artifact("dep")])
    page = {"share/man/man1/demo.1": "share/man/man1/demo.1"}
    shared = {an_entry().directory: page, an_entry("dep").directory: {"share/man/man1/dep.1": "x"}}
    plan = planner.plan(DEMO, facts(resolutions=[resolution], shared=shared))
    assert switched(plan).applications["demo"].files == page


def test_an_unchanged_application_keeps_the_generation_in_which_it_was_made() -> None:
    old = an_application("old", since=3)
    plan = planner.plan(DEMO, facts(a_generation(5, old), resolutions=[a_resolution()]))
    assert switched(plan).applications["old"] == old
    assert switched(plan).applications["demo"].since == 6


def test_commands_worth_knowing_are_told_when_an_application_is_new_and_not_again() -> None:
    dep = an_artifact("demo-core")
    first = facts(resolutions=[a_resolution(others=[dep])])
    plan = planner.plan(DEMO, first)
    assert plan.warnings == ("demo-core has commands too (demo-core): detente install demo --commands-from demo-core",)
    newer = a_resolution(version="2.0", others=[dep])
    again = facts(switched(plan), resolutions=[newer])
    assert planner.plan(DEMO, again).warnings == ()


def test_two_states_of_one_application_cannot_be_asked_for_at_once() -> None:
    resolutions = [a_resolution(wish=Wish("demo==1.0")), a_resolution(version="2.0", wish=Wish("demo==2.0"))]
    with pytest.raises(UsageError, match=r"demo is asked for twice, as demo==1\.0 and as demo==2\.0") as caught:
        planner.plan(Install((Asked("demo==1.0"), Asked("demo==2.0"))), facts(resolutions=resolutions))
    assert caught.value.hint is not None


def test_a_name_that_is_another_application_with_its_suffix_is_a_collision() -> None:
    beside = an_application("demo", suffix="-d", commands=["x"])
    with pytest.raises(Collision, match=r"demo-d is demo with the suffix -d already"):
        planner.plan(Install((Asked("demo-d"),)), facts(a_generation(1, beside), resolutions=[a_resolution("demo-d")]))


# commands that others own


def test_a_command_over_someone_elses_needs_force_and_then_goes_to_quarantine_only_in_our_own_directory() -> None:
    entries = [an_entry(commands=["demo", "demo-admin"])]
    foreign = {"demo": "/home/anna/.local/bin/demo", "demo-admin": "/usr/bin/demo-admin"}
    before = facts(resolutions=[a_resolution()], entries=entries, foreign=foreign)
    with pytest.raises(Collision, match=r"the command demo exists already: /home/anna/\.local/bin/demo"):
        planner.plan(DEMO, before)
    plan = planner.plan(DEMO._replace(force=True), before)
    assert [step.over for step in plan.steps if isinstance(step, Switch)] == [("demo",)]


def test_a_file_that_a_person_put_over_our_command_stays_unless_forced() -> None:
    old = facts(a_generation(1, an_application()), resolutions=[a_resolution(version="2.0")])
    before = old._replace(foreign={"demo": "/home/anna/.local/bin/demo"})
    (over,) = [step.over for step in planner.plan(DEMO, before).steps if isinstance(step, Switch)]
    assert over == ()
    (over,) = [step.over for step in planner.plan(DEMO._replace(force=True), before).steps if isinstance(step, Switch)]
    assert over == ("demo",)


def test_force_takes_a_place_back_even_where_nothing_else_changes() -> None:
    first = facts(resolutions=[a_resolution()])
    state = applied(planner.plan(DEMO, first), first)
    taken = state._replace(foreign={"demo": "/home/anna/.local/bin/demo"})
    assert planner.plan(DEMO, taken).empty
    plan = planner.plan(DEMO._replace(force=True), taken)
    assert [step.over for step in plan.steps if isinstance(step, Switch)] == [("demo",)]
    assert plan.effects == ()
    assert switched(plan).applications == state.generation.applications
    after = applied(plan, taken)
    assert planner.plan(DEMO._replace(force=True), after).empty
    elsewhere = state._replace(foreign={"demo": "/usr/bin/demo"})
    assert planner.plan(DEMO._replace(force=True), elsewhere).empty


def test_two_applications_of_one_request_cannot_have_the_same_command() -> None:
    entries = [an_entry("one", commands=["x"]), an_entry("other", commands=["x"])]
    with pytest.raises(Collision, match="the command x belongs to one already"):
        planner.plan(Install(()), facts(resolutions=[a_resolution("one"), a_resolution("other")], entries=entries))


# start-up code


def _with_startup(*, known: Generation | None = None, editable: bool = False, name: str = "demo.pth") -> Plan:
    resolution = a_resolution(others=[an_artifact("dep", editable=editable)])
    entries = [an_entry(), an_entry("dep", startup={name: digest("code")})]
    return planner.plan(DEMO, facts(*([known] if known else []), resolutions=[resolution], entries=entries))


def test_start_up_code_is_asked_about_the_first_time_it_is_seen() -> None:
    plan = _with_startup()
    assert plan.questions == ("dep 1.0 runs code at every start of demo's Python (demo.pth)",)
    assert switched(plan).applications["demo"].startup == {"demo.pth": digest("code")}


def test_start_up_code_that_another_application_was_allowed_is_not_asked_about_again() -> None:
    other = an_application("other")._replace(startup={"demo.pth": digest("code")})
    assert _with_startup(known=a_generation(1, other)).questions == ()
    changed = other._replace(startup={"demo.pth": digest("other code")})
    assert len(_with_startup(known=a_generation(1, changed)).questions) == 1


def test_the_link_to_an_editable_project_is_no_foreign_code() -> None:
    assert _with_startup(editable=True).questions == ()


def test_well_known_start_up_code_passes_by_its_digest_and_not_by_its_name() -> None:
    name, known = next(iter(startup.KNOWN))
    entry = an_entry("setuptools", startup={name: known})
    assert startup.unasked([entry], []) == []
    assert startup.unasked([entry._replace(startup={name: digest("x")})], []) == [
        (entry._replace(startup={name: digest("x")}), name)
    ]


# environments


def test_the_same_content_is_the_same_environment_and_any_other_is_not() -> None:
    one = specify("demo", PYTHON, ("a", "b"), "lock", "/data")
    assert specify("demo", PYTHON, ("a", "b"), "another text", "/data").directory == one.directory
    others = [
        specify("demo", PYTHON, ("b", "a"), "lock", "/data"),
        specify("demo", NEWER_PYTHON, ("a", "b"), "lock", "/data"),
        specify("demo", PYTHON, ("a", "b"), "lock", "/elsewhere"),
        specify("demo@2", PYTHON, ("a", "b"), "lock", "/data"),
        specify("demo", PYTHON, ("a", "b"), "lock", "/d\udc80ta"),
    ]
    assert len({one.directory, *(other.directory for other in others)}) == 6
    assert one.directory.startswith("demo-")


def test_an_environment_is_another_with_modules_of_the_distro_whatever_their_versions() -> None:
    def directory(distro: DistroModules | None) -> str:
        return specify("demo", PYTHON, ("a",), "lock", "/data", distro=distro).directory

    tree = "/usr/lib/python3/dist-packages"
    gi = DistroModules(("gi",), {"python3-gi": "3.42"}, "3.11", {"gi": f"{tree}/gi", "x-3.42": f"{tree}/x-3.42"})
    upgraded = gi._replace(packages={"python3-gi": "3.44"}, links={"gi": f"{tree}/gi", "x-3.44": f"{tree}/x-3.44"})
    assert directory(gi) == directory(upgraded) == directory(gi._replace(names=("python3-gi",)))
    others = [
        None,
        gi._replace(packages={"python3-gi": "3.42", "python3-dbus": "1.3"}),
        gi._replace(python="3.12"),
        gi._replace(links={"gi": f"/srv{tree}/gi"}),
    ]
    assert len({directory(gi), *map(directory, others)}) == 5


def test_a_wheel_is_one_entry_and_a_source_one_per_python() -> None:
    wheel, source = an_artifact(), an_artifact(kind="sdist")
    assert slot(wheel, PYTHON) == slot(wheel, NEWER_PYTHON)
    assert slot(source, PYTHON) != slot(source, NEWER_PYTHON)


# remove


def test_removing_leaves_the_others_and_tells_what_went() -> None:
    demo, other = an_application(), an_application("other", since=1)
    plan = planner.plan(Remove(("demo",)), facts(a_generation(2, demo, other)))
    assert switched(plan).applications == {"other": other}
    assert plan.effects == (Effect("demo", "1.0", ""),)
    assert [type(step) for step in plan.steps] == [Switch]


def test_removing_what_never_was_names_it_and_changes_nothing() -> None:
    with pytest.raises(NotFound, match="no application is called nothing"):
        planner.plan(Remove(("demo", "nothing")), facts(a_generation(1, an_application())))


def test_removing_twice_is_a_remark_and_no_error() -> None:
    before = facts(a_generation(1, an_application()))
    after = applied(planner.plan(Remove(("demo", "demo")), before), before)
    plan = planner.plan(Remove(("demo",)), after)
    assert plan.empty
    assert plan.warnings == ("demo is not installed any more",)


def test_naming_one_application_twice_removes_it_once_without_a_remark() -> None:
    plan = planner.plan(Remove(("demo", "demo")), facts(a_generation(1, an_application())))
    assert plan.warnings == ()
    assert len(plan.effects) == 1


# rollback


def _versions(plan: Plan) -> dict[str, str]:
    return {key: item.version for key, item in switched(plan).applications.items()}


THREE = (
    a_generation(1, an_application(since=1)),
    a_generation(2, an_application(since=1), an_application("other", since=2)),
    a_generation(3, an_application(version="2.0", since=3), an_application("other", since=2)),
)


def test_rollback_goes_back_by_one_change_in_a_new_generation() -> None:
    plan = planner.plan(Rollback(), facts(*THREE, highest=5))
    generation = switched(plan)
    assert (generation.number, generation.parent, generation.origin) == (6, 3, 2)
    assert generation.applications == THREE[1].applications


def test_rollback_again_and_again_walks_to_the_empty_beginning_and_stops_there() -> None:
    state = facts(*THREE)
    seen = []
    for _ in range(3):
        plan = planner.plan(Rollback(), state)
        seen.append(_versions(plan))
        state = applied(plan, state)
    assert seen == [{"demo": "1.0", "other": "1.0"}, {"demo": "1.0"}, {}]
    with pytest.raises(NotFound, match="there is nothing to go back to"):
        planner.plan(Rollback(), state)


def test_rollback_does_not_bring_back_what_an_earlier_rollback_took() -> None:
    state = facts(THREE[0], a_generation(2, an_application(version="2.0", since=2)))
    state = applied(planner.plan(Rollback(), state), state)  # takes 2.0
    newer = an_application(version="3.0", since=4)
    fourth = a_generation(4, newer, parent=3)
    state = facts(*reversed(state.history), fourth)
    first = planner.plan(Rollback(), state)
    assert _versions(first) == {"demo": "1.0"}
    assert switched(first).origin == 1
    assert _versions(planner.plan(Rollback(), applied(first, state))) == {}


def test_rollback_with_nothing_installed_ever_says_so() -> None:
    with pytest.raises(NotFound, match="there is nothing to go back to"):
        planner.plan(Rollback(), facts())


def test_rollback_does_not_go_where_collect_took_the_past() -> None:
    with pytest.raises(NotFound, match="there is nothing to go back to"):
        planner.plan(Rollback(), facts(THREE[2]))
    with pytest.raises(NotFound, match="there is no generation 0; kept are 3"):
        planner.plan(Rollback(number=0), facts(THREE[2]))


def test_rollback_to_a_number_restores_it_and_to_the_present_one_does_nothing() -> None:
    state = facts(*THREE)
    plan = planner.plan(Rollback(number=1), state)
    assert switched(plan).applications == THREE[0].applications
    assert switched(plan).origin == 1
    assert planner.plan(Rollback(number=3), state).empty
    assert _versions(planner.plan(Rollback(number=0), state)) == {}


def test_rollback_to_an_unknown_number_tells_which_are_kept() -> None:
    with pytest.raises(NotFound, match="there is no generation 9; kept are 3, 2, 1"):
        planner.plan(Rollback(number=9), facts(*THREE))
    with pytest.raises(NotFound, match="there is no generation 9; kept are 0, the empty beginning"):
        planner.plan(Rollback(number=9), facts())


def test_rollback_of_a_name_restores_its_state_before_and_leaves_the_others() -> None:
    fourth = a_generation(4, *THREE[2].applications.values(), an_application("new", since=4))
    plan = planner.plan(Rollback(key="demo"), facts(*THREE, fourth))
    assert _versions(plan) == {"demo": "1.0", "new": "1.0", "other": "1.0"}
    assert switched(plan).applications["demo"].since == 1
    assert switched(plan).origin == 5


def test_rollback_of_a_removed_name_brings_it_back() -> None:
    gone = a_generation(4, THREE[2].applications["other"])
    plan = planner.plan(Rollback(key="demo"), facts(*THREE, gone))
    assert switched(plan).applications["demo"] == THREE[2].applications["demo"]


def test_rollback_of_a_name_that_was_rolled_back_with_everything_brings_it_back_too() -> None:
    state = facts(*THREE)
    for _ in range(3):
        state = applied(planner.plan(Rollback(), state), state)
    assert state.generation.applications == {}
    assert _versions(planner.plan(Rollback(key="other"), state)) == {"other": "1.0"}


def test_rollback_of_an_unknown_name_says_so() -> None:
    with pytest.raises(NotFound, match="no application is called nothing"):
        planner.plan(Rollback(key="nothing"), facts(*THREE))


def test_rollback_of_a_name_with_no_earlier_state_says_so() -> None:
    with pytest.raises(NotFound, match="there is no earlier state of demo to go back to"):
        planner.plan(Rollback(key="demo"), facts(a_generation(7, an_application(since=7))))


def test_rollback_of_a_name_does_not_take_a_command_that_another_application_has_since() -> None:
    old = an_application(commands=["x"], since=1)
    new = an_application(version="2.0", commands=["y"], since=2)
    other = an_application("other", commands=["x"], since=3)
    history = (a_generation(1, old), a_generation(2, new), a_generation(3, new, other))
    with pytest.raises(Collision, match="the command x belongs to other already"):
        planner.plan(Rollback(key="demo"), facts(*history))


# effects


def test_effects_say_how_one_version_changed() -> None:
    one = an_application()

    def detail(other: Application) -> str:
        (effect,) = effects({"demo": one}, {"demo": other})
        assert effect.kind == "change"
        return effect.detail

    assert detail(one._replace(version="2.0")) == ""
    assert detail(one._replace(interpreter="/usr/bin/python3.13", python="3.13.1")) == "Python 3.11.2 to 3.13.1"
    assert detail(one._replace(wish=one.wish._replace(added=("plugin", "more")))) == "with plugin, more"
    assert detail(one._replace(wish=one.wish._replace(with_distro=("gi", "dbus")))) == "with the distro's gi, dbus"
    assert detail(one._replace(environment="demo-other")) == "its dependencies change"
    assert detail(one._replace(commands={})) == "other commands"
    assert detail(one._replace(wish=Wish("demo>=1"))) == "asked for as demo>=1"
    added = one._replace(wish=one.wish._replace(added=("plugin",)))
    assert effects({"demo": added}, {"demo": one})[0].detail == "nothing added any more"


def test_effects_are_of_three_kinds_and_an_equal_state_has_none() -> None:
    one, later = an_application(), an_application(since=9)
    assert same(one, later)
    assert effects({"demo": one}, {"demo": later}) == ()
    assert [effect.kind for effect in effects({"a": one, "b": one}, {"c": one})] == ["remove", "remove", "install"]


# laws

_NAMES = st.sampled_from(["ash", "beech", "cedar"])
_VERSIONS = st.sampled_from(["1.0", "2.0"])


@st.composite
def resolutions(draw: st.DrawFn) -> list[Resolution]:
    """A few applications with dependencies in common, at most one state of each."""
    found = []
    for name in draw(st.lists(_NAMES, min_size=1, unique=True)):
        others = [an_artifact(other, draw(_VERSIONS)) for other in draw(st.sets(st.sampled_from(["dep", "lib"])))]
        suffix = draw(st.sampled_from(["", "@2"]))
        wish = Wish(name, suffix=suffix, added=draw(st.sampled_from([(), ("lib",)])))
        interpreter = draw(st.sampled_from([PYTHON, NEWER_PYTHON]))
        found.append(a_resolution(name, draw(_VERSIONS), wish=wish, others=others, interpreter=interpreter))
    return found


@pytest.mark.property
@given(resolutions(), st.booleans())
@settings(deadline=None, max_examples=60)
def test_the_same_inputs_give_the_same_plan_and_planning_after_applying_gives_an_empty_one(
    wanted: list[Resolution], compiled: bool
) -> None:
    request = Install(tuple(Asked(item.name) for item in wanted))
    before = facts(resolutions=wanted, compiled=compiled)
    plan = planner.plan(request, before)
    assert planner.plan(request, before) == plan
    after = applied(plan, before)
    assert set(after.generation.applications) == {item.key for item in wanted}
    again = planner.plan(request, after)
    assert again.empty
    assert again.effects == ()


class Histories(RuleBasedStateMachine):
    """Random commands over a few names; the planner alone, its plans applied by `applied`."""

    def __init__(self) -> None:
        super().__init__()
        self.state: Facts = facts()
        self.contents: dict[int, dict[str, Application]] = {0: {}}  # what was current under each number

    def _run(self, request: Install | Remove | Rollback) -> Plan:
        before = self.state
        plan = planner.plan(request, before)
        assert planner.plan(request, before) == plan
        self.state = applied(plan, before)
        if not plan.empty:
            generation = switched(plan)
            assert generation.number > before.generation.number
            assert generation.number > before.highest
            assert generation.parent == before.generation.number
            self.contents[generation.number] = generation.applications
            self._origin_is_true(generation)
        return plan

    def _origin_is_true(self, generation: Generation) -> None:
        assert generation.origin <= generation.number
        assert _bare(self.contents[generation.origin]) == _bare(generation.applications)

    @rule(name=_NAMES, version=_VERSIONS)
    def install(self, name: str, version: str) -> None:
        others = {key: item for key, item in self.state.generation.applications.items() if key != name}
        self.state = self.state._replace(
            resolutions=(resolution := a_resolution(name, version),),
            entries=facts(resolutions=[resolution]).entries,
            compiled=facts(resolutions=[resolution]).compiled,
        )
        plan = self._run(Install((Asked(name),)))
        assert not plan.pending
        assert self.state.generation.applications[name].version == version
        assert {key: item for key, item in self.state.generation.applications.items() if key != name} == others
        assert planner.plan(Install((Asked(name),)), self.state).empty

    @precondition(lambda self: self.state.generation.applications)
    @rule(choice=st.randoms(use_true_random=False))
    def remove(self, choice: object) -> None:
        name = choice.choice(sorted(self.state.generation.applications))  # type: ignore[attr-defined]
        self._run(Remove((name,)))
        assert name not in self.state.generation.applications

    @rule()
    def a_kill_leaves_an_orphan(self) -> None:
        self.state = self.state._replace(highest=self.state.highest + 1)

    @rule(times=st.integers(1, 4))
    def rollback(self, times: int) -> None:
        seen = [_bare(self.state.generation.applications)]
        origins = [self.state.generation.origin]
        for _ in range(times):
            try:
                plan = self._run(Rollback())
            except NotFound:
                older = [number for number in self.contents if number < origins[-1]]
                assert all(_bare(self.contents[number]) == seen[-1] for number in older)
                return
            differ = [n for n in self.contents if n < origins[-1] and _bare(self.contents[n]) != seen[-1]]
            assert switched(plan).applications == self.contents[max(differ)]
            assert switched(plan).applications == self.contents[switched(plan).origin]
            assert _bare(switched(plan).applications) != seen[-1]
            assert switched(plan).origin < origins[-1]  # further back each time, so it cannot toggle
            seen.append(_bare(switched(plan).applications))
            origins.append(switched(plan).origin)

    @rule(choice=st.randoms(use_true_random=False))
    def rollback_to_a_number(self, choice: object) -> None:
        number = choice.choice(sorted(self.contents))  # type: ignore[attr-defined]
        back = self.state.generation.number
        before = dict(self.state.generation.applications)
        self._run(Rollback(number=number))
        assert _bare(self.state.generation.applications) == _bare(self.contents[number])
        self._run(Rollback(number=back))  # the undo of the undo
        assert _bare(self.state.generation.applications) == _bare(before)

    @rule(name=_NAMES, times=st.integers(1, 3))
    def rollback_of_a_name(self, name: str, times: int) -> None:
        others = {key: item for key, item in self.state.generation.applications.items() if key != name}
        for _ in range(times):
            old = self.state.generation.applications.get(name)
            try:
                self._run(Rollback(key=name))
            except NotFound:
                break
            new = self.state.generation.applications.get(name)
            assert new != old
            assert new is None or any(new == item.get(name) for item in self.contents.values())
            if old is not None and new is not None:
                assert new.since < old.since
        assert {key: item for key, item in self.state.generation.applications.items() if key != name} == others

    @invariant()
    def each_application_says_truly_since_when_it_is_so(self) -> None:
        for key, item in self.state.generation.applications.items():
            assert self.contents[item.since][key] == item

    @invariant()
    def history_is_whole(self) -> None:
        numbers = [item.number for item in self.state.history]
        assert numbers == sorted(numbers, reverse=True)
        assert set(numbers) == self.contents.keys() - {0}


def _bare(applications: dict[str, Application]) -> dict[str, Application]:
    return {key: item._replace(since=0) for key, item in applications.items()}


TestHistories = pytest.mark.property(Histories.TestCase)
TestHistories.settings = settings(deadline=None, max_examples=120, stateful_step_count=30)
