"""What apt and dpkg say when they fail, and what that means for the person: one error, with what to do next."""

import re
from collections.abc import Callable

from detente.errors import DetenteError, DiskError, NetworkError, NotFound, Refused, ToolError
from detente.model import Completed

_Meaning = Callable[[re.Match[str], tuple[str, ...]], DetenteError]
_HOLDERS = (
    r"It is held by process (?P<number>\d+)(?: \((?P<name>.*?)\))?",  # apt
    r"locked by (?:another|(?P<name>\S+)) process with pid (?P<number>\d+)",  # dpkg
)
WORDS = 6  # lines of apt's own that are shown


def complaint(answer: Completed) -> DetenteError:
    """Return the error that a failed apt-get, apt-cache or dpkg command means; its own words are in the context."""
    text = f"{answer.stderr}\n{answer.stdout}"
    said = _words(text)
    for pattern, meaning in _MEANINGS:
        if match := re.search(pattern, text, re.MULTILINE):
            return meaning(match, said)
    status = f"was ended by signal {-answer.returncode}" if answer.returncode < 0 else f"failed ({answer.returncode})"
    return ToolError(f"apt {status}", hint="see what it says: sudo apt-get check", context=said)


def _words(text: str) -> tuple[str, ...]:
    """Return the lines that say what is wrong, without those that only say which files were read."""
    lines = [line.strip() for line in text.splitlines()]
    wrong = [line for line in lines if line.startswith(("E: ", "dpkg: error", "dpkg-query: error", "Err:"))]
    return tuple(dict.fromkeys(wrong))[:WORDS]


def _unknown(match: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return NotFound(
        f"apt knows no system package {match[1]}", hint="sudo apt update brings apt's lists up to date", context=said
    )


def _no_candidate(match: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return NotFound(
        f"no source of apt offers the system package {match[1]}",
        hint=f"see which versions there are: apt policy {match[1]}",
        context=said,
    )


def _busy(match: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    holder = next((found for each in _HOLDERS if (found := re.search(each, match.string))), None)
    name = f" ({holder['name'].rpartition('/')[2]})" if holder and holder["name"] else ""
    who = f"process {holder['number']}{name}" if holder else "another process"
    return Refused(
        f"apt is busy: {who} holds its lock", hint="wait until it has ended, and repeat the command", context=said
    )


def _root(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return Refused("apt needs root to change system packages", hint="repeat it with sudo", context=said)


def _interrupted(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return ToolError("dpkg was interrupted, and has work left", hint="sudo dpkg --configure -a", context=said)


def _unmet(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return ToolError(
        "installed system packages lack what they need", hint="sudo apt --fix-broken install", context=said
    )


def _impossible(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return Refused(
        "apt finds no way to install it: what it needs cannot be had together, or is held",
        hint="see what is held: apt-mark showhold",
        context=said,
    )


def _removes(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return Refused(
        "apt would have to remove other system packages for it",
        hint="repeat the command: it shows what would go, and asks",
        context=said,
    )


def _changes_held(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return Refused(
        "apt would have to change a held system package for it",
        hint="see what is held: apt-mark showhold",
        context=said,
    )


def _status(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return ToolError(
        "dpkg's record of what is installed is damaged",
        hint="sudo cp /var/lib/dpkg/status-old /var/lib/dpkg/status",
        context=said,
    )


def _lists(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return ToolError("apt's lists are damaged", hint="sudo rm -r /var/lib/apt/lists && sudo apt update", context=said)


def _full(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return DiskError("there is not enough free disk space for apt", hint="sudo apt clean frees some", context=said)


def _unheard(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return ToolError(
        "nobody took what apt had to print; all that was asked for may be done",
        hint="repeat the command: it says what is there",
        context=said,
    )


def _unreachable(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return NetworkError(
        "apt could not fetch what it needs",
        hint="sudo apt update, then repeat the command; check the network if that fails too",
        context=said,
    )


def _script(_: re.Match[str], said: tuple[str, ...]) -> DetenteError:
    return ToolError(
        "dpkg could not finish with a system package", hint="sudo dpkg --configure -a says why", context=said
    )


# In this order: where several are said, the first is the cause.
_MEANINGS: tuple[tuple[str, _Meaning], ...] = (
    (r"is another process using it\?|^E: Could not get lock|lock was locked by", _busy),
    (r", are you root\?|requested operation requires superuser privilege", _root),
    (r"dpkg was interrupted, you must manually run", _interrupted),
    (r"(?:MergeList|parse package file|parsing file) '?\S*/dpkg/status", _status),
    (r"(?:MergeList|parse package file) \S*/lists/|package lists or status file could not be parsed", _lists),
    (r"The package cache file is corrupted", _lists),
    (r"^E: Write error - write \(32:", _unheard),
    (r"^E: You don't have enough free space in|No space left on device", _full),
    (r"^E: Failed to fetch|Unable to fetch some archives|Temporary failure resolving", _unreachable),
    (r"^E: Unable to locate package (\S+)", _unknown),
    (r"^E: Package '?(\S+?)'? has no installation candidate", _no_candidate),
    (r"^E: Unmet dependencies\.|Try 'apt(?:-get)? --fix-broken install'", _unmet),
    (r"Packages need to be removed but remove is disabled", _removes),
    (r"Held packages were changed and -y was used", _changes_held),
    (r"you have held broken packages|Unable to satisfy dependencies|unmet dependencies", _impossible),
    (r"Sub-process \S*dpkg (?:returned an error code|received|exited unexpectedly)", _script),
)
