"""`detente paths`: where things are."""

import argparse

from detente.cli.options import Invocation, Parser
from detente.host.paths import user_paths

_SHOWN = (
    "bin",
    "share",
    "data",
    "store",
    "builds",
    "environments",
    "generations",
    "current",
    "config",
    "state",
    "cache",
)


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.reading()
    parser.examples(("detente paths", "every directory that detente writes to"))


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Print it."""
    paths = user_paths(invocation.environ)
    invocation.output.data({name: getattr(paths, name) for name in _SHOWN})
    for name in _SHOWN:
        invocation.output.text(f"{name:<13} {getattr(paths, name)}")
    return 0
