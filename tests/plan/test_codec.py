import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import UsageError
from detente.model import Application, Artifact, DistroModules, Generation, Interpreter, Wish
from detente.plan import codec
from detente.plan.plan import (
    Build,
    Compile,
    Discard,
    Effect,
    EnvironmentSpec,
    Fetch,
    Link,
    Mend,
    Plan,
    Relink,
    Switch,
    SystemChange,
    SystemInstall,
)
from plan.builders import PYTHON, a_generation, an_application, an_artifact

# lone surrogates as os.fsdecode makes them of odd bytes: only these can come in
texts = st.text(st.sampled_from('aé日\U0001f600\udc80\udcff\0"\\\n'), max_size=3)
numbers = st.integers(0, 10**6)
names = st.tuples() | st.lists(texts, max_size=3).map(tuple)
maps = st.dictionaries(texts, texts, max_size=3)
interpreters = st.builds(Interpreter, texts, texts, texts, texts, texts, texts)
artifacts = st.builds(
    Artifact,
    texts,
    texts,
    texts,
    texts,
    texts,
    texts,
    numbers,
    commit=texts,
    subdirectory=texts,
    editable=st.booleans(),
)
wishes = st.builds(
    Wish,
    texts,
    names,
    st.none() | texts,
    texts,
    st.booleans(),
    st.booleans(),
    names,
    st.none() | texts,
    names,
    names,
    names,
    names,
)
applications = st.builds(Application, texts, texts, wishes, texts, texts, texts, maps, maps, maps, numbers)
generations = st.builds(
    Generation, numbers, numbers, numbers, texts, texts, names, st.dictionaries(texts, applications, max_size=2)
)
borrowed = st.builds(DistroModules, names, maps, texts, maps)
specs = st.builds(EnvironmentSpec, texts, texts, interpreters, names, texts, texts, st.none() | borrowed)
changes = st.builds(SystemChange, texts, texts, texts)
steps = st.one_of(
    st.builds(Fetch, artifacts, interpreters),
    st.builds(Build, artifacts, interpreters),
    st.builds(Compile, interpreters, names),
    st.builds(Link, specs),
    st.builds(Switch, generations, names),
    st.builds(Discard, st.lists(numbers, max_size=3).map(tuple), names, names),
    st.builds(Mend, texts, texts),
    st.builds(Relink, specs),
    st.builds(SystemInstall, names, st.lists(changes, max_size=2).map(tuple), names, numbers, st.integers(-9, 9)),
)
plans = st.builds(
    Plan,
    texts,
    st.lists(steps, max_size=4).map(tuple),
    st.lists(st.builds(Effect, texts, texts, texts, texts), max_size=2).map(tuple),
    names,
    names,
    names,
    st.booleans(),
)

A_PLAN = Plan(
    "3:abc",
    (
        Fetch(an_artifact(), PYTHON),
        Build(an_artifact(kind="sdist"), PYTHON),
        Compile(PYTHON, ("demo-1",)),
        Link(EnvironmentSpec("demo-1", "demo", PYTHON, ("demo-1",), "lock")),
        Switch(a_generation(4, an_application(added=("plugin",))), ("demo",)),
        Discard((1, 2), ("old",), ("older",)),
        Mend("entry", "demo-1"),
        Relink(EnvironmentSpec("demo-1", "demo", PYTHON, ("demo-1",), "lock")),
        SystemInstall(("demo",), (SystemChange("demo", "", "1.0-1"),), ("/usr/bin/apt-get", "install"), 10, -20),
    ),
    (Effect("demo", "", "1.0"),),
    ("because",),
    ("careful",),
    ("really?",),
    pending=True,
)


@pytest.mark.property
@given(plans)
@settings(deadline=None, max_examples=40)
def test_a_plan_survives_json(plan: Plan) -> None:
    text = json.dumps(codec.encode(plan))
    text.encode("ascii")
    assert codec.decode(json.loads(text)) == plan


def test_a_plan_with_every_kind_of_step_survives_json() -> None:
    assert codec.decode(json.loads(json.dumps(codec.encode(A_PLAN)))) == A_PLAN


def test_each_step_states_its_kind() -> None:
    kinds = [step["step"] for step in codec.encode(A_PLAN)["steps"]]
    assert kinds == ["fetch", "build", "compile", "link", "switch", "discard", "mend", "relink", "system-install"]


def test_steps_of_different_kinds_with_equal_fields_stay_apart() -> None:
    fetch, build = Plan("", (Fetch(an_artifact(), PYTHON),)), Plan("", (Build(an_artifact(), PYTHON),))
    assert codec.decode(codec.encode(fetch)) == fetch != build


@pytest.mark.parametrize("value", [None, [], "plan", 3, {}, {"schema": 2}, {"schema": "1", "basis": ""}])
def test_what_is_no_plan_is_a_usage_error_with_the_command_that_writes_one(value: Any) -> None:
    with pytest.raises(UsageError, match="not a plan") as caught:
        codec.decode(value)
    assert caught.value.hint is not None
    assert "-n --json" in caught.value.hint


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"basis": 3},
        {"basis": "x", "more": 1},
        {"basis": "x", "steps": 3},
        {"basis": "x", "steps": "abc"},
        {"basis": "x", "reasons": "abc"},
        {"basis": "x", "reasons": {"a": 1}},
        {"basis": "x", "steps": [{"step": "explode"}]},
        {"basis": "x", "steps": [{"step": []}]},
        {"basis": "x", "steps": [{"generation": {}}]},
        {"basis": "x", "steps": ["switch"]},
        {"basis": "x", "steps": [{"step": "link", "environment": None}]},
        {"basis": "x", "steps": [{"step": "discard", "generations": ["1"], "environments": [], "entries": []}]},
        {"basis": "x", "steps": [{"step": "discard", "generations": [True], "environments": [], "entries": []}]},
        {"basis": "x", "pending": "yes"},
    ],
)
def test_a_damaged_plan_is_a_usage_error(body: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="the plan is damaged"):
        codec.decode({"schema": 1, **body})


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every value inside `value`."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += _places(item, (*path, key))
    return found


PLACES = _places(codec.encode(A_PLAN))
JUNK = st.sampled_from([None, 0, -1, True, 1.5, "", "x", "\udc80", [], [None], ["x"], {}, {"step": "link"}, {"x": 1}])


@pytest.mark.property
@given(st.sampled_from(PLACES), JUNK, st.booleans())
@settings(deadline=None, max_examples=150)
def test_damage_at_any_place_is_a_usage_error_or_another_whole_plan(
    place: tuple[Any, ...], junk: Any, remove: bool
) -> None:
    value = json.loads(json.dumps(codec.encode(A_PLAN)))
    inner = value
    for key in place[:-1]:
        inner = inner[key]
    if remove:
        del inner[place[-1]]
    else:
        inner[place[-1]] = junk
    try:
        plan = codec.decode(value)
    except UsageError:
        return
    assert codec.decode(json.loads(json.dumps(codec.encode(plan)))) == plan
