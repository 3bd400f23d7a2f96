"""`./prove [--quick] [SECTION…]`: measure, print, and write docs/reliability.md."""

import argparse
import dataclasses
import datetime as dt
import importlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from proof import report
from proof.figure import Figure, load, save
from proof.lab import Lab
from proof.sections import SECTIONS


def main() -> int:
    """Run the sections that were asked for; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="./prove", description="Measure what détente promises.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="a sample of each; writes nothing")
    parser.add_argument("--only", default="", metavar="KIND", help="of `kill`: one kind of fault (SIGINT, ENOSPC, …)")
    parser.add_argument("--page", action="store_true", help="write the page anew from the figures that are there")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many trials at once")
    parsed = parser.parse_args()
    unknown = set(parsed.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section is called {min(unknown)}; there are {', '.join(SECTIONS)}")
    if parsed.page:
        report.write()
        return 0
    broken = 0
    for section in parsed.sections or SECTIONS:
        broken += run(section, Lab(Path(), parsed.quick, parsed.jobs, parsed.only))
    if not parsed.quick:
        report.write()
    return 1 if broken else 0


def run(section: str, asked: Lab) -> int:
    """Measure one section, print it, keep it unless it was quick; return how many trials broke a promise."""
    print(f"{section}: {SECTIONS[section]}", file=sys.stderr, flush=True)
    module = importlib.import_module(f"proof.{section}")
    with tempfile.TemporaryDirectory(prefix="detente-proof-", ignore_cleanup_errors=True) as folder:
        started = time.monotonic()
        figures = []
        try:
            for one in module.measure(dataclasses.replace(asked, scratch=Path(folder))):
                figure = dataclasses.replace(one, seconds=round(time.monotonic() - started, 1))
                started = time.monotonic()
                figures.append(figure)
                if not asked.quick:  # what is measured is measured, also where the rest is interrupted
                    save(section, kept(section, figures) if asked.only else figures, about())
                peers = "".join(f"; {name}: {words}" for name, words in figure.peers.items())
                detail = f" ({figure.detail})" if figure.detail else ""
                print(f"{figure.bad} broken of {figure.total}: {figure.promise}{detail}{peers}", flush=True)
        finally:
            subprocess.run(["chmod", "-R", "u+w", folder], check=False, stderr=subprocess.DEVNULL)
    return sum(one.bad for one in figures)


def kept(section: str, figures: list[Figure]) -> list[Figure]:
    """Return what was measured before with `figures` in the place of those with the same promise."""
    new = {one.promise: one for one in figures}
    before = {one.promise: one for one in load(section)[1]}
    return list({**before, **new}.values())


def about() -> dict[str, str]:
    """Return when this is, and on what kind of machine."""
    names = platform.freedesktop_os_release()
    system = f"{names.get('NAME', 'Linux')} {names.get('VERSION_ID', '')}".strip()
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "on": f"{system}, kernel {platform.release().split('-')[0]}, {os.cpu_count()} cores",
        "Python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
