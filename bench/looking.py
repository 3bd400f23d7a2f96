"""How fast the distro is looked at: `why` and `list` with nothing remembered and with what was learned before.

The distro is the machine's own. How much apt keeps between two calls decides what the first look costs: container
images switch apt's package cache off.
"""

import shutil
import subprocess

from bench.lab import Lab
from bench.record import OURS
from bench.timing import Call, Failed, timed

NAME = "httpie"
_STATUS = "/var/lib/dpkg/status"


def looks(lab: Lab) -> None:
    """Time the looks, in turn; nothing where the distro has no apt."""
    apt = shutil.which("apt-cache", path="/usr/bin")
    if apt is None:
        lab.say("no apt here: what the distro has is not looked at")
        return
    lab.say("looking at the distro")
    lab.record.about["system packages"] = str(system_packages())
    lab.record.about["apt's package cache"] = "on" if keeps(apt) else "off"
    home = lab.home("looking", OURS)
    tool = lab.tools[OURS]
    try:
        for _ in range(lab.amount.looks):
            for work, words in (("list", ["list"]), ("why", ["why", NAME])):
                shutil.rmtree(home / ".cache", ignore_errors=True)
                lab.note(f"{work}-first", "", OURS, timed(tool.call(home, *words)))
                for _ in range(lab.amount.again):
                    lab.note(f"{work}-again", "", OURS, timed(tool.call(home, *words)))
            policy = Call([apt, "policy", NAME], tool.call(home).environ, home)
            lab.note("policy", "", "apt", timed(policy))
    except Failed as err:
        lab.lose("looking", OURS, err)


def system_packages() -> int:
    """Return how many system packages dpkg has on record."""
    with open(_STATUS, encoding="utf-8", errors="replace") as stream:
        return sum(line.startswith("Package: ") for line in stream)


def keeps(apt: str) -> bool:
    """Say whether apt keeps its package cache between two calls (apt.conf(5): Dir::Cache::pkgcache)."""
    words = [apt.replace("apt-cache", "apt-config"), "shell", "cache", "Dir::Cache::pkgcache"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return said.strip() not in ("", "cache=''")
