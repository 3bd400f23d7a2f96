"""Install, run, install again and remove one real application with each tool; and several for the room they take."""

from collections.abc import Callable, Iterable

from bench.lab import Lab, calling
from bench.record import OURS
from bench.space import delete, empty, usage
from bench.timing import Failed, overlapped, settled, timed
from bench.tools import Tool
from bench.works import TITLES

_ANSWERS = ".cache/detente/locks"  # what the engine said before, of which `--offline` makes use
Trial = Callable[[Lab, Tool, str], None]


def applications(lab: Lab) -> None:
    """Measure each application: cold, warm without network, warm with it, and the room it takes."""
    for name in lab.amount.applications:
        amount, keys = lab.amount, list(lab.tools)
        offline = [key for key in keys if lab.tools[key].offline]
        lab.say(f"{name}, cold")
        _trials(lab, name, _cold, lab.turns(keys, amount.cold, slow=amount.slow))
        _compare(lab, name)
        lab.say(f"{name}, warm")
        _trials(lab, name, _warm, lab.turns(offline, amount.warm, slow=amount.slow))
        lab.say(f"{name}, warm and online")
        online = [key for key in keys if key != "uv-compiled"]
        _trials(lab, name, _online, lab.turns(online, amount.online, slow=amount.slow))
        _trials(lab, name, _room, lab.tools.values())
        for key in keys:
            empty(lab.home(name, key))


def several(lab: Lab) -> None:
    """Measure the room that many applications take, each tool's in one home."""
    names = lab.amount.several
    subject = str(len(names))
    for name in names:
        lab.record.applications[name] |= {"several": "yes"}
    for tool in lab.tools.values():
        lab.say(f"{subject} applications: {tool.key}")
        home = lab.home("several", tool.key)
        try:
            for name in names:
                timed(tool.install(home, *lab.asked(tool, name)))
        except Failed as err:
            lab.lose(subject, tool.key, err)
            continue
        _note_room(lab, tool, subject, "several")
        empty(home)


def _trials(lab: Lab, name: str, trial: Trial, turns: Iterable[Tool]) -> None:
    """Do `trial` of each tool whose turn it is; one that failed gets no further turn."""
    for tool in turns:
        if (name, tool.key) in lab.lost:
            continue
        try:
            trial(lab, tool, name)
        except Failed as err:
            lab.lose(name, tool.key, err)


def _cold(lab: Lab, tool: Tool, name: str) -> None:
    """Install with nothing there; run."""
    home = lab.home(name, tool.key)
    empty(home)
    install, until = overlapped(tool.install(home, *lab.asked(tool, name)), calling(tool, home, name))
    lab.note("cold", name, tool.key, install)
    lab.note("cold-run", name, tool.key, until)


def _warm(lab: Lab, tool: Tool, name: str) -> None:
    """Install without network what was installed before; run twice; install again; remove."""
    home = lab.home(name, tool.key)
    _forget(lab, tool, name)
    lab.note("warm", name, tool.key, settled(tool.install(home, *lab.asked(tool, name), offline=True)))
    _afterwards(lab, tool, name, offline=True)
    if tool.key == OURS:
        empty(home, keep=tool.warm)
        lab.note("kept", name, tool.key, settled(tool.install(home, *lab.asked(tool, name), offline=True)))


def _online(lab: Lab, tool: Tool, name: str) -> None:
    """Install with network what was installed before."""
    home = lab.home(name, tool.key)
    _forget(lab, tool, name)
    lab.note("online", name, tool.key, settled(tool.install(home, *lab.asked(tool, name))))
    if not tool.offline:
        _afterwards(lab, tool, name, offline=False)


def _room(lab: Lab, tool: Tool, name: str) -> None:
    """Install, and measure before anything ran."""
    _forget(lab, tool, name)
    timed(tool.install(lab.home(name, tool.key), *lab.asked(tool, name), offline=bool(tool.offline)))
    _note_room(lab, tool, name, name)


def _forget(lab: Lab, tool: Tool, name: str) -> None:
    """Leave caches and store, and nothing else; no answer of the engine either."""
    home = lab.home(name, tool.key)
    empty(home, keep=tool.warm)
    answers = home / _ANSWERS
    if answers.exists():
        delete(answers)


def _afterwards(lab: Lab, tool: Tool, name: str, *, offline: bool) -> None:
    home = lab.home(name, tool.key)
    call = calling(tool, home, name)
    lab.note("first", name, tool.key, timed(call))
    lab.note("later", name, tool.key, timed(call))
    lab.note("again", name, tool.key, timed(tool.install(home, *lab.asked(tool, name), offline=offline)))
    lab.note("remove", name, tool.key, settled(tool.remove(home, name)))


def _note_room(lab: Lab, tool: Tool, subject: str, where: str) -> None:
    home = lab.home(where, tool.key)
    without_cache = (".cache",)
    lab.record.sizes["environments", subject, tool.key] = usage(home, without=(*without_cache, *tool.store))
    lab.record.sizes["installed", subject, tool.key] = usage(home, without=without_cache)
    lab.record.sizes["whole", subject, tool.key] = usage(home)


def _compare(lab: Lab, name: str) -> None:
    """Note how many distributions were installed, and which tools installed others than we did."""
    found = {key: tool.distributions(lab.home(name, key)) for key, tool in lab.tools.items()}
    ours = found[OURS]
    differing = [
        f"{TITLES[key]}: {_difference(names, ours)}"
        for key, names in found.items()
        if names != ours and (name, key) not in lab.lost
    ]
    lab.record.applications[name] |= {"distributions": str(len(ours)), "differ": "; ".join(differing)}


def _difference(its: set[str], ours: set[str]) -> str:
    """Say in words what `its` lacks of `ours`, and has besides."""
    lacking, besides = " ".join(sorted(ours - its)), " ".join(sorted(its - ours))
    return ", ".join(part for part in (lacking and f"without {lacking}", besides and f"with {besides}") if part)
