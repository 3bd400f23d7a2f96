#!/usr/bin/env python3
"""Measure detente beside uv and pipx: the same work, in turn, in one run. Called by bench/run.

    bench/run                 everything; writes docs/figures/bench.json, docs/benchmarks.md, docs/benchmarks.svg
    bench/run --quick         a small sample in a few minutes; prints the page, writes nothing
    bench/run --only PART     this part alone: applications, several, starts, history, launches, looks; writes nothing
    bench/run --renew PART    this part alone, into the figures of the last whole run; what is said of them says so
    bench/run --detente FILE  with an installed detente in the place of this checkout's
    bench/run --page          the page and the plot anew from the figures that were written last

Everything happens in homes of its own below a temporary directory. The peers are those of bootstrap/peers.lock, in
an environment of their own; detente is installed from this checkout by its own `setup`. Needs the index; the rest
of the machine should be quiet.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True  # the checkout stays clean
sys.path[:0] = [str(TOP), str(TOP / "bootstrap"), str(TOP / "tests")]

import pinned  # noqa: E402 - the lines above say where it is
from bench import history, installing, looking, page, plot, starting  # noqa: E402
from bench.lab import QUICK, WHOLE, Amount, Lab  # noqa: E402
from bench.record import FILE, OURS, Record, load, renewed  # noqa: E402
from bench.space import delete  # noqa: E402
from bench.timing import Call, Failed, timed  # noqa: E402
from bench.tools import PYTHON, Programs, environ, tools  # noqa: E402

PARTS = ("applications", "several", "starts", "history", "launches", "looks")


def main() -> int:
    """Measure what was asked for; 1 where something of ours failed."""
    parser = argparse.ArgumentParser(prog="bench/run", description="Measure detente beside uv and pipx.")
    parser.add_argument("--quick", action="store_true", help="a small sample; writes nothing")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part alone; writes nothing")
    parser.add_argument("--renew", choices=PARTS, action="append", help="this part alone, into the figures there are")
    parser.add_argument("--page", action="store_true", help="write page and plot anew from the figures that are there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here (too)")
    parser.add_argument("--folder", type=Path, metavar="DIRECTORY", help="work below this directory")
    parser.add_argument("--detente", type=Path, metavar="PROGRAM", help="an installed detente, not this checkout's")
    parsed = parser.parse_args()
    if parsed.page:
        write(load())
        return 0
    folder = Path(tempfile.mkdtemp(prefix="detente-bench-", dir=parsed.folder))
    try:
        lab = prepared(folder, QUICK if parsed.quick else WHOLE, parsed.detente)
        run(lab, parsed.only or parsed.renew or PARTS)
    finally:
        delete(folder)
    if parsed.json:
        parsed.json.write_text(lab.record.to_json(), "utf-8")
    ours = sorted(subject for subject, tool in lab.lost if tool == OURS)
    if parsed.quick or parsed.only or ours:
        print(page.page(lab.record))
    elif parsed.renew:
        record = renewed(load(), lab.record, parsed.renew)
        FILE.write_text(record.to_json(), "utf-8")
        write(record)
    else:
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(lab.record.to_json(), "utf-8")
        write(lab.record)
    if ours:
        print(f"detente failed: {', '.join(ours)}; nothing was written", file=sys.stderr)
    return 1 if ours else 0


def run(lab: Lab, parts: "list[str] | tuple[str, ...]") -> None:
    """Measure `parts`, and note how long it took and how busy the machine was."""
    started, busy = time.monotonic(), os.getloadavg()[0]
    if "applications" in parts:
        installing.applications(lab)
    if "starts" in parts or "history" in parts or "launches" in parts:
        starting.fill(lab)
    if "starts" in parts:
        starting.starts(lab)
    if "looks" in parts:
        looking.looks(lab)
    if "launches" in parts:
        starting.launches(lab)
    if "history" in parts:
        history.measure(lab)
    if "several" in parts:
        installing.several(lab)
    lab.record.about["took"] = f"{(time.monotonic() - started) / 60:.0f} minutes"
    lab.record.about["load at the start"] = f"{busy:.1f}"


def prepared(folder: Path, amount: Amount, detente: Path | None) -> Lab:
    """Return a lab with all tools, and with the versions of all applications chosen; needs the index.

    Where no `detente` is named, the one of this checkout is installed.
    """
    peers = Path(pinned.have_environment("peers"), "bin")
    own = folder / "own"
    own.mkdir()
    if detente is None:
        timed(Call([str(TOP / "detente"), "setup", "--yes", "--quiet"], environ(own), own))
        detente = own / ".local/bin/detente"
    programs = Programs(str(detente.absolute()), str(peers / "uv"), str(peers / "pipx"), folder / "shared")
    record = Record(about(programs, own))
    lab = Lab(folder, amount, tools(programs), record)
    for name in dict.fromkeys((*amount.applications, *amount.several)):
        record.applications[name] = {"version": newest(programs.uv, own, name)}
    prepare_pipx(lab)
    return lab


def prepare_pipx(lab: Lab) -> None:
    """Let pipx make the environment with the pip that all others share: once for a person, so it is no trial's."""
    home = lab.home("pipx")
    try:
        timed(lab.tools["pipx"].call(home, "upgrade-shared"))
    except Failed as err:
        lab.lose("shared", "pipx", err)
        del lab.tools["pipx"]


def newest(uv: str, home: Path, name: str) -> str:
    """Return the version of `name` that uv chooses today."""
    argv = [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-deps", "--python", PYTHON, "-"]
    done = subprocess.run(argv, input=name, env=environ(home), cwd=home, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"no version of {name} can be chosen\n{done.stderr}")
    (line,) = done.stdout.split()
    return line.partition("==")[2]


def about(programs: Programs, home: Path) -> dict[str, str]:
    """Return when this is, with which versions (asked in `home`), and on what kind of machine."""

    def version(*argv: str) -> str:
        done = subprocess.run(argv, env=environ(home), check=True, capture_output=True, text=True)
        return next(word for word in done.stdout.split() if word[0].isdigit())

    names = platform.freedesktop_os_release()
    pip = str(Path(programs.pipx).with_name("pip"))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "détente": version(programs.detente, "--version"),
        "uv": version(programs.uv, "--version"),
        "pipx": version(programs.pipx, "--version"),
        "pip": version(pip, "--version"),
        "Python": version(PYTHON, "--version"),
        "system": f"{names.get('NAME', 'Linux')} {names.get('VERSION_ID', '')}".strip(),
        "kernel": platform.release().split("-")[0],
        "machine": f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB of memory",
        "file system": file_system(home),
    }


def file_system(path: Path) -> str:
    """Return the kind of file system that `path` is on (proc_mounts(5))."""
    best = ("", "")
    for line in Path("/proc/mounts").read_text("utf-8").splitlines():
        _, place, kind, *_ = line.split()
        if path.is_relative_to(place) and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1]


def write(record: Record) -> None:
    """Write the page and the plot."""
    page.PAGE.write_text(page.page(record), "utf-8")
    page.PLOT.write_text(plot.plot(record), "utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as err:
        sys.exit(f"error: {err}")
    except KeyboardInterrupt:
        sys.exit(130)
