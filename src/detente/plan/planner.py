"""Request and facts in, plan out. Pure: the same input gives the same plan, and nothing is touched."""

from collections.abc import Iterable

from detente.errors import Collision, NotFound, UsageError
from detente.model import Application, Generation, StoreEntry
from detente.names import SELF
from detente.plan import commands, startup
from detente.plan.environment import specify
from detente.plan.facts import Facts, Holdings, Resolution, slot
from detente.plan.plan import Build, Compile, Discard, EnvironmentSpec, Fetch, Link, Plan, Step, Switch, effects
from detente.plan.request import Collect, Install, Remove, Rollback, command_of


def plan(request: Install | Remove | Rollback, facts: Facts) -> Plan:
    """Return what `request` changes in the state that `facts` describe; an empty plan where nothing."""
    match request:
        case Install():
            return _install(request, facts)
        case Remove():
            return _remove(request, facts)
        case Rollback():
            return _rollback(request, facts)


def acquisition(resolutions: Iterable[Resolution], facts: Facts) -> list[Step]:
    """Return the steps that bring what `resolutions` name and the store lacks into it, each once."""
    steps: dict[object, Step] = {}
    for resolution in resolutions:
        for artifact in resolution.artifacts:
            wanted = slot(artifact, resolution.interpreter)
            if wanted not in facts.entries:
                kind = Fetch if artifact.kind == "wheel" else Build
                steps.setdefault(wanted, kind(artifact, resolution.interpreter))
    return list(steps.values())


def environment(resolution: Resolution, facts: Facts) -> tuple[EnvironmentSpec, list[Step]]:
    """Return the environment that `resolution` needs and the steps that make it; all entries are in the store."""
    found = _entries(resolution, facts)
    # its own scripts win over those of a dependency, and those that were chosen over the rest
    found.sort(key=lambda entry: (entry.name != resolution.name, entry.name not in resolution.wish.commands_from))
    entries = tuple(entry.directory for entry in found)
    again = command_of(resolution.wish)
    spec = specify(
        resolution.key, resolution.interpreter, entries, resolution.lock, facts.data, again, resolution.distro
    )
    steps: list[Step] = []
    cache_tag = resolution.interpreter.cache_tag
    bare = tuple(entry for entry in entries if (entry, cache_tag) not in facts.compiled)
    if bare:
        steps.append(Compile(resolution.interpreter, bare))
    if spec.directory not in facts.environments:
        steps.append(Link(spec))
    return spec, steps


def _entries(resolution: Resolution, facts: Facts) -> list[StoreEntry]:
    return [facts.entries[slot(artifact, resolution.interpreter)] for artifact in resolution.artifacts]


def _install(request: Install, facts: Facts) -> Plan:
    missing = acquisition(facts.resolutions, facts)
    if missing:
        return Plan(facts.basis, tuple(missing), reasons=tuple(map(_reason, facts.resolutions)), pending=True)
    steps: list[Step] = []
    warnings: list[str] = []
    questions = list(request.doubts)
    over: list[str] = []
    after = dict(facts.generation.applications)
    _check_keys(facts)
    for resolution in facts.resolutions:
        spec, made = environment(resolution, facts)
        steps += [step for made_step in made if (step := _without_repeats(made_step, steps)) is not None]
        entries = _entries(resolution, facts)
        primary = next(entry for entry in entries if entry.name == resolution.name)
        others = [entry for entry in entries if entry is not primary]
        exposed, said = commands.exposed(
            resolution.key, resolution.wish.suffix, primary, others, resolution.wish.commands_from
        )
        foreign, hidden = commands.beside(exposed, facts.foreign, facts.owners, request.beside)
        commands.check_names(resolution.key, exposed, after, foreign, facts.owners, force=request.force)
        old = facts.generation.applications.get(resolution.key)
        questions += _questions(resolution, entries, facts.generation.applications.values())
        if request.force:
            over += [name for name in exposed if facts.foreign.get(name, "").rpartition("/")[0] == facts.bin]
        if old is None:
            warnings += [*said, *hidden]
        after[resolution.key] = Application(
            name=resolution.name,
            version=primary.version,
            wish=resolution.wish,
            python=resolution.interpreter.version,
            interpreter=resolution.interpreter.path,
            environment=spec.directory,
            commands=exposed,
            files=dict(facts.shared.get(primary.directory, {})),
            startup={name: digest for entry in entries for name, digest in entry.startup.items()},
            since=facts.highest + 1,
        )
    return _switched(
        facts,
        after,
        steps,
        reasons=tuple(map(_reason, facts.resolutions)),
        warnings=tuple(warnings),
        questions=tuple(dict.fromkeys(questions)),
        over=tuple(over),
    )


def _check_keys(facts: Facts) -> None:
    """Raise where one key would stand for two applications."""
    asked: dict[str, Resolution] = {}
    for resolution in facts.resolutions:
        key, wish = resolution.key, resolution.wish
        if key in asked:
            raise UsageError(
                f"{key} is asked for twice, as {asked[key].wish.requirement} and as {wish.requirement}",
                hint=f"name it once; for a second one beside: detente install '{wish.requirement}' --as @2",
            )
        asked[key] = resolution
        old = facts.generation.applications.get(key)
        if old is not None and old.name != resolution.name:
            held = f"{old.name} with the suffix {old.wish.suffix}" if old.wish.suffix else old.name
            raise Collision(
                f"{key} is {held} already",
                hint=f"give it another suffix: detente install '{wish.requirement}' --as @2; or: detente remove {key}",
            )


def _without_repeats(step: Step, before: Iterable[Step]) -> Step | None:
    """Return `step` without the entries that a step `before` compiles already, None where nothing is left."""
    if not isinstance(step, Compile):
        return step
    done = {
        entry
        for item in before
        if isinstance(item, Compile) and item.interpreter.cache_tag == step.interpreter.cache_tag
        for entry in item.entries
    }
    left = tuple(entry for entry in step.entries if entry not in done)
    return Compile(step.interpreter, left) if left else None


def _reason(resolution: Resolution) -> str:
    reason = f"{resolution.key}: an environment of its own, on Python {resolution.interpreter.version}"
    if resolution.distro is None:
        return reason
    return f"{reason}, with {', '.join(resolution.distro.names)} of {', '.join(resolution.distro.packages)}"


def _questions(resolution: Resolution, entries: list[StoreEntry], before: Iterable[Application]) -> list[str]:
    accepted = [item for application in before for item in application.startup.items()]
    editable = {artifact.name for artifact in resolution.artifacts if artifact.editable}
    return [
        f"{entry.name} {entry.version} runs code at every start of {resolution.key}'s Python ({name})"
        for entry, name in startup.unasked(entries, accepted)
        if entry.name not in editable
    ]


def _remove(request: Remove, facts: Facts) -> Plan:
    after = dict(facts.generation.applications)
    warnings = []
    for key in dict.fromkeys(request.keys):
        if after.pop(key, None) is None:
            if not any(key in generation.applications for generation in facts.history):
                raise NotFound(f"no application is called {key}", hint="detente list shows what is installed")
            warnings.append(f"{key} is not installed any more")
    return _switched(facts, after, [], warnings=tuple(warnings))


def _rollback(request: Rollback, facts: Facts) -> Plan:
    current = facts.generation
    if request.key is not None:
        return _rollback_one(request.key, facts)
    if request.number is not None:
        target = _numbered(request.number, facts)
        if target is None:
            known = ", ".join(str(item.number) for item in facts.history)
            if _complete(facts):
                known = f"{known}, and 0, the empty beginning" if known else "0, the empty beginning"
            raise NotFound(
                f"there is no generation {request.number}; kept are {known}", hint="detente history lists them"
            )
    else:
        older = _older(facts, current.origin)
        target = next((item for item in older if effects(current.applications, _restored(item, current))), None)
        if target is None:
            raise NotFound("there is nothing to go back to", hint="detente history lists what was changed")
    return _switched(facts, _restored(target, current), [], origin=target.origin)


def _restored(target: Generation, current: Generation) -> dict[str, Application]:
    """Return what going back to `target` gives: its applications, and detente itself as it is now.

    Whoever goes back must be able to go forth again; `detente setup --undo` is the way to be rid of it.
    """
    own = {SELF: current.applications[SELF]} if SELF in current.applications else {}
    return {**target.applications, **own}


def _numbered(number: int, facts: Facts) -> Generation | None:
    if number == 0 and _complete(facts):
        return Generation(0, 0, 0, "", "", (), {})
    return next((item for item in facts.history if item.number == number), None)


def _complete(facts: Facts) -> bool:
    """Say whether the history reaches the empty beginning (collect may have taken the oldest)."""
    return not facts.history or facts.history[-1].parent == 0


def _older(facts: Facts, origin: int) -> list[Generation]:
    """Return the generations before `origin`, newest first, down to the empty beginning where it is known."""
    found = [item for item in facts.history if item.number < origin]
    return [*found, Generation(0, 0, 0, "", "", (), {})] if _complete(facts) else found


def _rollback_one(key: str, facts: Facts) -> Plan:
    current = facts.generation.applications.get(key)
    if current is None and not any(key in item.applications for item in facts.history):
        raise NotFound(f"no application is called {key}", hint="detente list shows what is installed")
    # what is not there comes back as it was last; what is there goes to before it became so
    since = current.since if current else facts.generation.number
    for item in _older(facts, since):
        before = item.applications.get(key)
        if before is None and key == SELF:
            break  # who took itself away could not come back: that is for `setup --undo`
        if before != current:
            after = {name: value for name, value in facts.generation.applications.items() if name != key}
            if before is not None:
                commands.check_names(key, before.commands, facts.generation.applications, {}, {}, force=True)
                after[key] = before
            return _switched(facts, after, [])
    raise NotFound(f"there is no earlier state of {key} to go back to", hint="detente history lists what was changed")


def _switched(
    facts: Facts,
    after: dict[str, Application],
    steps: list[Step],
    *,
    origin: int | None = None,
    reasons: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    questions: tuple[str, ...] = (),
    over: tuple[str, ...] = (),
) -> Plan:
    """Close a plan with the switch to `after`; where `after` is what stands already, there is no switch.

    Save where a command must be put over someone else's file (`over`): only a switch does that.
    """
    before = facts.generation.applications
    changes = effects(before, after)
    if not changes and not over:
        return Plan(facts.basis, tuple(steps), reasons=reasons, warnings=warnings)
    changed = {effect.key for effect in changes}
    number = facts.highest + 1
    generation = Generation(
        number=number,
        parent=facts.generation.number,
        origin=number if origin is None else origin,
        time=facts.now,
        user=facts.user,
        command=facts.command,
        applications={key: after[key] if key in changed else before[key] for key in sorted(after)},
    )
    return Plan(facts.basis, (*steps, Switch(generation, over)), changes, reasons, warnings, questions)


def collect(request: Collect, holdings: Holdings) -> Plan:
    """Return the removal of what neither a kept generation nor a running process reaches."""
    kept = {holdings.current, *holdings.chain[: request.keep]}
    gone = tuple(sorted(number for number in holdings.generations if number not in kept))
    reached: set[str] = set(holdings.in_use)
    for number in kept:
        reached |= holdings.generations.get(number, frozenset())
    environments = tuple(sorted(name for name in holdings.environments if name not in reached))
    linked = set(holdings.in_use)
    for name in holdings.environments.keys() - set(environments):
        linked |= holdings.environments[name]
    entries = tuple(sorted(holdings.entries - linked))
    if not (gone or environments or entries):
        return Plan(holdings.basis)
    return Plan(holdings.basis, (Discard(gone, environments, entries),))
