"""`detente verify`: compare everything with its digests."""

import argparse

from detente.cli import changes
from detente.cli.options import Invocation, Parser
from detente.cli.output import Output, size
from detente.host import signals
from detente.names import key_of
from detente.plan.damage import ENTRY, ENVIRONMENT, GENERATION, NEEDS, OUTSIDE, Finding, Report
from detente.verification import Verifier

DAMAGED = 1  # the exit status where something is left that is not as it was made
_MOST = 20  # findings that are shown for one place unless asked for more
_PLACES = {ENTRY: "store entry ", ENVIRONMENT: "environment ", GENERATION: "generation ", OUTSIDE: ""}


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="an application; without, everything")
    parser.option("--repair", action="store_true", help="bring back what is damaged")
    parser.option("--offline", action="store_true", help="repair what needs no network")
    parser.changing()
    parser.examples(
        ("detente verify", "status 0 where all is well, 1 where something is damaged"),
        ("detente verify --repair -n", "what it would take to bring it back"),
        ("detente verify httpie --repair", "one application, and all that it links"),
    )


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Look, repair where that was asked for, and say what was found."""
    output = invocation.output
    with changes.working_as(Verifier, invocation, parsed) as verifier:
        known = verifier.keys() if parsed.names else frozenset()
        keys = [key_of(name, known) for name in parsed.names]
        if not parsed.repair:
            report = verifier.verify(keys)
        else:
            report, outcome = verifier.repair(keys)
    if parsed.repair and parsed.dry_run:
        changes.show_plan(invocation, outcome.plan)
        return DAMAGED if report.findings else 0
    signals.over()
    if not parsed.repair:
        _show(output, report)
        if any(item.kind != NEEDS for item in report.findings):
            output.note("hint: bring it back: detente verify --repair")
        output.data(_data(report), ok=not report.findings)
        return DAMAGED if report.findings else 0
    for line in changes.steps(outcome.plan) if outcome.done else ():
        output.tell(f"done: {line}")
    _show(output, report)
    for sentence in (*outcome.problems, *outcome.plan.warnings) if report.findings else ():
        output.note(f"note: {sentence}")
    output.data(
        {
            **_data(report),
            "repaired": len(outcome.plan.steps) if outcome.done else 0,
            "problems": list(outcome.problems),
        },
        ok=not report.findings,
    )
    return DAMAGED if report.findings else 0


def _show(output: Output, report: Report) -> None:
    places: dict[tuple[str, str], list[Finding]] = {}
    for item in report.findings:
        places.setdefault((item.place, item.name), []).append(item)
    for (place, name), findings in places.items():
        users = report.users.get((place, name), ())
        used = f" (of {', '.join(users)})" if users else " (which nothing uses)" if place == ENTRY else ""
        if place == OUTSIDE:
            output.text(f"{name} {findings[0].what}")
            continue
        output.text(f"{_PLACES[place]}{name}{used}:")
        for item in findings if output.verbose else findings[:_MOST]:
            output.text(f"  {item.path} {item.what}".replace("   ", "  "))
        if len(findings) > _MOST and not output.verbose:
            output.text(f"  and {len(findings) - _MOST} more; -v shows all")
    looked = (
        f"{_counted(report.entries, 'store entr', 'y', 'ies')}, {_counted(report.environments, 'environment')}, "
        f"{_counted(report.generations, 'generation')}; {_counted(report.files, 'file')}, {size(report.size)}"
    )
    if not report.findings:
        output.tell(f"all as it was made: {looked}")
    else:
        output.tell(f"{len(report.findings)} found in {looked}")


def _counted(number: int, word: str, one: str = "", more: str = "s") -> str:
    return f"{number} {word}{one if number == 1 else more}"


def _data(report: Report) -> dict[str, object]:
    return {
        "findings": [
            {**item._asdict(), "applications": list(report.users.get((item.place, item.name), ()))}
            for item in report.findings
        ],
        "entries": report.entries,
        "environments": report.environments,
        "generations": report.generations,
        "files": report.files,
        "bytes": report.size,
    }
