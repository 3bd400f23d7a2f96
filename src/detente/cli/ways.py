"""The two ways in words: what the command line and the configuration say of them, and what became of each wish."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from detente import config
from detente.cli import changes
from detente.cli.output import PARTLY
from detente.distro_side import Choice
from detente.errors import Interrupted, UsageError
from detente.model import Wish
from detente.plan.request import requirement_name
from detente.plan.route import DISTRO, FLAG, INDEX, INSTALLED, ONLY_INDEX, OURS, PLAIN

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from detente.cli.options import Invocation, Parser
    from detente.front import Result
    from detente.plan.request import Asked

# Option, as the configuration names it, to the field of a wish that it sets.
_FIELDS = {
    "with": "added", "with_distro": "with_distro", "python": "python", "as": "suffix", "pre": "prerelease",
    "commands_from": "commands_from", "index_url": "index_url", "extra_index_url": "extra_index_urls",
    "find_links": "find_links",
}  # fmt: skip
_DESTINATIONS = {"with": "added", "as": "suffix"}  # where the parser puts it, if not at its own name


def declare(parser: Parser) -> None:
    """Declare the options."""
    ways = (DISTRO, INDEX)
    parser.option("--from", dest="way", choices=ways, help="the way for what is named here, whatever is preferred")
    parser.option("--prefer", choices=ways, default=INDEX, help="the way where both have it; default: index")


def choice(parsed: argparse.Namespace, asked: Sequence[Asked], invocation: Invocation) -> Choice:
    """Return what was said of the ways; raise ConfigError where the configuration says what cannot be."""
    flag, prefer, ways = parsed.way or "", parsed.prefer, config.ways(invocation.environ)
    if parsed.offline:  # the distro's package manager fetches
        if flag == DISTRO:
            raise UsageError("--offline asks nobody, and --from distro asks the distro", hint="leave one of them out")
        prefer, ways = INDEX, {name: way for name, way in ways.items() if way == INDEX}
    output = None
    if invocation.output.json:
        output = 2  # stdout is for the one object
    elif invocation.output.quiet:
        # On a terminal it may ask something, and nobody answers what nobody sees.
        output = 2 if os.isatty(0) and os.isatty(2) else os.open(os.devnull, os.O_WRONLY)
    return Choice(tuple(_typed(wish, parsed) for wish in asked), flag, prefer, ways, output)


def _typed(wish: Asked, parsed: argparse.Namespace) -> Asked:
    """Return `wish` without what only variables and configuration say: that is no wish for the index."""
    plain = Wish("")
    for option, value in parsed.configured.items():
        field = _FIELDS.get(option)
        if field is not None and getattr(parsed, _DESTINATIONS.get(option, option)) == value:
            wish = wish._replace(**{field: getattr(plain, field)})
    return wish


def show(invocation: Invocation, result: Result, *, planned: bool = False) -> None:
    """Print what became of each wish: what was installed, what is there already, and the other possibility.

    `planned`: nothing was done, it is only what would be.
    """
    output = invocation.output
    for change in result.installed:
        whose = f"(system package, {result.title})"
        if change.before == change.after:
            output.tell(f"{change.package} {change.after} is installed, and stays from now on {whose}")
        elif change.before:
            output.tell(f"changed {change.package} {change.before} → {change.after} {whose}")
        else:
            output.tell(f"installed {change.package} {change.after} {whose}")
    for warning in result.remarks:
        output.note(f"note: {warning}")
    done = {change.package for change in result.installed}
    changed = {effect.key for effect in result.outcome.plan.effects}
    for wish, route in result.routes:
        name = requirement_name(wish.requirement)
        if route.way == INSTALLED:
            output.tell(f"{route.reason}; {route.alternative}" if route.rule != FLAG else route.reason)
        elif route.rule in (FLAG, OURS):
            continue
        elif route.way == DISTRO and route.package in done:
            output.note(f"note: {name} from the distro: {route.reason}; else: {route.alternative}")
        elif route.way == INDEX and (planned or name + wish.suffix in changed):
            if route.remark:
                output.note(f"note: {route.remark}")
            elif route.reason != PLAIN and route.rule != ONLY_INDEX:
                output.note(f"note: {name} from the index: {route.reason}")
            if route.alternative:
                output.note(f"note: {route.alternative}")


def data(result: Result) -> dict[str, Any]:
    """Return the same for JSON."""
    return {
        "changed": result.outcome.done or bool(result.installed),
        "routes": [
            {
                "requirement": wish.requirement,
                "way": route.way,
                "rule": route.rule,
                "reason": route.reason,
                "alternative": route.alternative,
                "system_package": route.package,
            }
            for wish, route in result.routes
        ],
        "system_packages": [change._asdict() for change in result.installed],
    }


def status(result: Result) -> int:
    """Return the exit status: of an interrupt its own, 10 where one part failed and another stands."""
    for failure in result.failures:
        if isinstance(failure, Interrupted):
            return failure.exit_status
    return PARTLY if result.failures else changes.status(result.outcome)
