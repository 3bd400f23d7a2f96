"""Plans that the distro's package manager runs: what they would do besides, and what must be asked before. Pure."""

from collections.abc import Sequence

from detente.plan.plan import Plan, SystemChange, SystemInstall
from detente.progress import size

_NAMED = 8  # system packages that one sentence names
_SHOWN = 24  # and that a dry run does


def plan(step: SystemInstall, reasons: Sequence[str], remarks: Sequence[str]) -> Plan:
    """Return the plan of `step`: with a question where it removes, or does more than was asked for."""
    questions = []
    removed = [change for change in step.changes if not change.after]
    if removed:
        questions.append(f"the package manager would remove {_listed(removed)}")
    brought, upgraded = _besides(step)
    if brought:
        which = f"{len(brought)} more{_sizes(step)}: {_named(brought, _NAMED)}"
        questions.append(f"the package manager would install {_wanted(step)} and {which}")
    if upgraded:
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
    lines = [f"install the system package{'s' if len(step.packages) > 1 else ''} {_wanted(step)}"]
    brought, upgraded = _besides(step)
    lines += [f"install {len(brought)} more that it needs or recommends: {_named(brought, _SHOWN)}"] if brought else []
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


def _wanted(step: SystemInstall) -> str:
    """Return what was asked for, with the versions that it will have."""
    return ", ".join(
        next((f"{name} {change.after}" for change in step.changes if _is(change, name)), name) for name in step.packages
    )


def _sizes(step: SystemInstall) -> str:
    """Return what all of it takes, in brackets, as far as that is known."""
    known = [f"{size(step.download)} to fetch"] if step.download else []
    known += [f"{size(step.disk)} on disk"] if step.disk > 0 else []
    return f" ({', '.join(known)})" if known else ""


def _listed(changes: Sequence[SystemChange]) -> str:
    """Return some of the names, and how many there are."""
    return f"{len(changes)} system packages: " * (len(changes) > 1) + _named(changes, _NAMED)


def _named(changes: Sequence[SystemChange], most: int) -> str:
    """Return the names in their order, at most `most` of them."""
    names = sorted(change.package for change in changes)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
