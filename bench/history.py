"""Change, go back and collect where there is a history; the peers' nearest way back is to install the old version."""

from bench.lab import Lab
from bench.record import OURS
from bench.starting import CHANGING, wheels
from bench.timing import Call, Failed, settled, timed
from bench.tools import Tool

_OLD, _NEW = f"{CHANGING}==1.0", f"{CHANGING}==2.0"


def measure(lab: Lab) -> None:
    """Change one small application among many and back by each tool in turn; then ours with a long history."""
    lab.say("a change and back")
    for tool in lab.turns([OURS, "uv", "pipx-uv"], lab.amount.back):
        if ("many", tool.key) in lab.lost:
            continue
        try:
            _there_and_back(lab, tool)
        except Failed as err:
            lab.lose("many", tool.key, err)
    tool = lab.tools[OURS]
    for number in range(lab.amount.collects):
        lab.say(f"{lab.amount.generations} generations")
        while len(_numbers(lab)) < lab.amount.generations:
            for requirement in (_NEW, _OLD):
                timed(_install(lab, tool, requirement))
        if number == 0:
            _long(lab, tool)
        lab.note("collect", str(lab.amount.generations), OURS, settled(tool.call(lab.home("many", OURS), "collect")))


def _there_and_back(lab: Lab, tool: Tool) -> None:
    """Install the old version, change to the new one, go back; the first and the last are timed."""
    home = lab.home("many", tool.key)
    timed(_install(lab, tool, _OLD))
    lab.note("change", "", tool.key, settled(_install(lab, tool, _NEW)))
    back = tool.call(home, "rollback") if tool.key == OURS else _install(lab, tool, _OLD)
    lab.note("back", "", tool.key, settled(back))
    timed(tool.remove(home, CHANGING))


def _long(lab: Lab, tool: Tool) -> None:
    """Go back, and to a generation by its number, with all the history there is."""
    home, subject = lab.home("many", OURS), str(lab.amount.generations)
    for _ in range(lab.amount.back):
        newest = max(_numbers(lab))
        lab.note("back-long", subject, OURS, settled(tool.call(home, "rollback")))
        lab.note("switch-long", subject, OURS, settled(tool.call(home, "rollback", str(newest))))
        lab.note("history-long", subject, OURS, timed(tool.call(home, "history")))
        lab.note("list-long", subject, OURS, timed(tool.call(home, "list")))


def _install(lab: Lab, tool: Tool, requirement: str) -> Call:
    """Return the command line that puts `requirement` in the place of another version."""
    words = [requirement, *(["--force"] if tool.key.startswith("pipx") else [])]
    return tool.install(lab.home("many", tool.key), *words, links=wheels(lab))


def _numbers(lab: Lab) -> list[int]:
    """Return the numbers of all generations that lie on the disk."""
    folder = lab.home("many", OURS) / ".local/share/detente/generations"
    return [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
