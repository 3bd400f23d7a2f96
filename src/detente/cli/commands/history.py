"""`detente history`: what was changed."""

import argparse

from detente.cli.fitting import fit
from detente.cli.options import Invocation, Parser
from detente.cli.output import columns
from detente.host.paths import user_paths
from detente.model import EMPTY_GENERATION, Application
from detente.store import generations

_ENDLESS = 10_000  # columns of a file or pipe: programs read it line by line


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.reading()
    parser.examples(("detente history", "the newest first; * is the current generation"))


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Print it."""
    chain = generations.history(user_paths(invocation.environ))
    rows, data = [], []
    for place, item in enumerate(chain):
        before = chain[place + 1] if place + 1 < len(chain) else EMPTY_GENERATION
        known = place + 1 < len(chain) or item.parent == 0
        changes = _changes(before.applications, item.applications) if known else ["(what came before was collected)"]
        current = "*" if place == 0 else ""
        rows.append((f"{item.number}{current}", item.time, item.user, " ".join(item.command), ", ".join(changes)))
        data.append(
            {
                "generation": item.number,
                "current": place == 0,
                "content_of": item.origin,
                "time": item.time,
                "user": item.user,
                "command": list(item.command),
                "changes": changes,
            }
        )
    invocation.output.data(data)
    if not rows:
        invocation.output.text("nothing was changed yet")
        return 0
    heads = ("NUMBER", "TIME (UTC)", "WHO", "COMMAND", "CHANGES")
    table = fit([heads, *rows], columns(_ENDLESS), [(3, 21), (4, 18), (2, 6)], wraps=(3, 4))
    invocation.output.table(table[0], table[1:])
    return 0


def _changes(before: dict[str, Application], after: dict[str, Application]) -> list[str]:
    found = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if old is None and new is not None:
            found.append(f"+{key} {new.version}")
        elif new is None and old is not None:
            found.append(f"-{key} {old.version}")
        elif old is not None and new is not None:
            found.append(f"{key} {old.version} → {new.version}" if old.version != new.version else f"{key} changed")
    return found
