"""What `verify` finds, as values: where, what is wrong, and how much of it must be made anew."""

from collections.abc import Iterable
from typing import NamedTuple

from detente.model import Artifact, Interpreter
from detente.plan.plan import Build, EnvironmentSpec, Fetch, Mend, Plan, Relink, Step

CHANGED = "changed"  # other bytes than the records say
MISSING = "missing"
EXTRA = "extra"  # nobody of ours put it there
LINK = "link"  # a link where none belongs, or one that leads elsewhere
MODE = "mode"  # may be written, or runs with another's rights
UNREADABLE = "unreadable"  # a record that says nothing any more
BYTECODE = "bytecode"  # compiled modules that nobody answers for
NEEDS = "needs"  # a system package that somebody must install
FOREIGN = "foreign"  # somebody else's file in the place of our link

ENTRY, ENVIRONMENT, GENERATION, OUTSIDE = "entry", "environment", "generation", "outside"


class Finding(NamedTuple):
    """One thing that is not as it was made: `path` below the directory `name` of `place`, "" for itself.

    `kind` is one of those above, `what` the rest of a sentence that begins with the path.
    """

    place: str
    name: str
    path: str
    kind: str
    what: str


class Report(NamedTuple):
    """What a look at everything found.

    `users` says which applications a place is part of, `(place, name)` to their keys; `files` of `size` bytes were
    compared, in `entries`, `environments` and `generations`.
    """

    findings: tuple[Finding, ...]
    users: dict[tuple[str, str], tuple[str, ...]]
    entries: int = 0
    environments: int = 0
    generations: int = 0
    files: int = 0
    size: int = 0


class Means(NamedTuple):
    """What there is to make things anew from.

    `origins` maps a damaged entry to where it came from; `environments` a damaged environment, and each that shares
    files with a damaged entry, to what it is to be; `generations` are those whose records are known; `unused` are
    entries that no environment links.
    """

    basis: str
    origins: dict[str, tuple[Artifact, Interpreter]]
    environments: dict[str, EnvironmentSpec]
    generations: frozenset[str]
    unused: frozenset[str]


def needs_wheel(findings: Iterable[Finding]) -> bool:
    """Say whether an entry with `findings` cannot be mended from what is whole in it."""
    return any(item.kind not in (BYTECODE, MODE) for item in findings)


def repair(report: Report, means: Means) -> Plan:
    """Return the plan that brings back what `report` found; its warnings name what cannot be brought back, and why."""
    places: dict[tuple[str, str], list[Finding]] = {}
    for item in report.findings:
        places.setdefault((item.place, item.name if item.place != OUTSIDE else ""), []).append(item)
    entries: list[Step] = []
    others: list[Step] = []
    warnings: list[str] = []
    for (place, name), findings in places.items():
        if place == ENTRY and not needs_wheel(findings):
            entries.append(Mend("entry", name))
        elif place == ENTRY and name in means.unused:
            others.append(Mend("unused", name))
        elif place == ENTRY and name in means.origins:
            artifact, interpreter = means.origins[name]
            entries.append((Fetch if artifact.kind == "wheel" else Build)(artifact, interpreter))
        elif place == ENTRY:
            warnings.append(f"where {name} came from is not known: ask for its application anew")
        elif place == ENVIRONMENT and name not in means.environments and all(one.kind == NEEDS for one in findings):
            warnings += [f"the environment {name} {item.what}" for item in findings]
        elif place == ENVIRONMENT and name not in means.environments:
            warnings.append(f"the environment {name} cannot be made anew: ask for its application again")
        elif place == GENERATION and name in means.generations:
            others.append(Mend("generation", name))
        elif place == GENERATION and not name.isdigit():
            warnings.append(
                "which generation is current is not known; `ls -l` the link and its generations, and set it"
            )
        elif place == GENERATION:
            warnings.append(f"generation {name} cannot be made anew: its record is lost")
        elif place == OUTSIDE:
            others += [Mend("links", "")] if any(item.kind != FOREIGN for item in findings) else []
            theirs = [item for item in findings if item.kind == FOREIGN]
            warnings += [
                f"{item.name} {item.what}: look at it, and install with --force to replace it" for item in theirs
            ]
    environments = [Relink(spec) for _, spec in sorted(means.environments.items())]
    others.sort(key=lambda step: step == Mend("links", ""))  # the links outside come last
    return Plan(means.basis, (*entries, *environments, *others), warnings=tuple(warnings))
