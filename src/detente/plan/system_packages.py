"""Plans that the distro's package manager runs: what they would do besides, and what must be asked before. Pure."""

from collections.abc import Sequence

from detente.plan.plan import Plan, SystemChange, SystemInstall

_NAMED = 8  # system packages that one sentence names


def plan(step: SystemInstall, reasons: Sequence[str], remarks: Sequence[str], *, terminal: bool) -> Plan:
    """Return the plan of `step`: a question where it removes, and on a terminal where it does more than was asked."""
    questions = []
    removed = [change for change in step.changes if not change.after]
    if removed:
        questions.append(f"the package manager would remove {_listed(removed)}")
    brought, upgraded = _besides(step)
    if terminal and brought:
        questions.append(f"the package manager would also install {_listed(brought)}")
    if terminal and upgraded:
        questions.append(f"the package manager would also upgrade {_listed(upgraded)}")
    return Plan("", (step,), reasons=tuple(reasons), warnings=tuple(remarks), questions=tuple(questions))


def together(ours: Plan, system: Plan) -> Plan:
    """Return both as one plan."""
    return ours._replace(
        steps=(*ours.steps, *system.steps),
        reasons=(*ours.reasons, *system.reasons),
        warnings=(*ours.warnings, *system.warnings),
        questions=(*ours.questions, *system.questions),
    )


def removes(step: SystemInstall) -> bool:
    """Say whether something would go."""
    return any(not change.after for change in step.changes)


def words(step: SystemInstall) -> list[str]:
    """Return what `step` does, as words that follow "would"."""
    names = ", ".join(
        next((f"{name} {change.after}" for change in step.changes if _is(change, name)), name) for name in step.packages
    )
    lines = [f"install the system package{'s' if len(step.packages) > 1 else ''} {names}"]
    brought, upgraded = _besides(step)
    lines += [f"install with that {_counted(brought)}"] if brought else []
    lines += [f"upgrade {change.package} {change.before} → {change.after}" for change in upgraded]
    lines += [f"remove {change.package} {change.before}" for change in step.changes if not change.after]
    return [*lines, f"run {' '.join(step.argv)}"]


def _besides(step: SystemInstall) -> tuple[list[SystemChange], list[SystemChange]]:
    """Return what comes and what is upgraded besides what was asked for."""
    others = [
        change for change in step.changes if change.after and not any(_is(change, name) for name in step.packages)
    ]
    return [change for change in others if not change.before], [change for change in others if change.before]


def _is(change: SystemChange, package: str) -> bool:
    return change.package.partition(":")[0] == package.partition(":")[0]


def _listed(changes: Sequence[SystemChange]) -> str:
    """Return some of the names, and how many there are."""
    more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    return _counted(changes[:_NAMED], len(changes)) + more


def _counted(changes: Sequence[SystemChange], number: int = 0) -> str:
    number = number or len(changes)
    names = ", ".join(change.package for change in changes)
    return f"{number} system packages: {names}" if number > 1 else names
