"""Why uv found no solution: an unknown name, another Python, no file that fits, no such version, a conflict. Pure."""

import re
from collections.abc import Callable

from detente.engine.answer import Answer
from detente.engine.applies import suggested_python
from detente.engine.formats import ALLOW
from detente.errors import DetenteError, NotFound, ResolutionError
from detente.names import normalized


def _unknown_name(said: Answer) -> DetenteError | None:
    missing = said.find(r"[Bb]ecause ([\w.-]+) was not found in (the package registry|the provided package locations)")
    if not missing:
        return None
    name = missing[1]
    where = "the index" if missing[2] == "the package registry" else "the places that were named (no index is asked)"
    if normalized(name) in said.names:
        return NotFound(
            f"no distribution is called {name} in {where}",
            hint=f"check the spelling, or say where it is: detente install {name} --index-url URL",
            context=said.lines[2:] if len(said.lines) > 2 else (),
        )
    needs = said.find(rf"(?:of |and )?([\w.-]+)(?:==\S+)? depends? on {re.escape(name)}\b")
    by = f"{needs[1]} needs" if needs else f"{said.asked} needs"
    return ResolutionError(
        f"{by} {name}, and no distribution is called so in {where}",
        hint=f"say where it is: detente install {said.asked} --extra-index-url URL",
        context=said.lines[1:],
    )


def _wrong_python(said: Answer) -> DetenteError | None:
    found = said.find(
        r"current Python version \(([\d.]+\S*?)\) does not satisfy Python(\S+)"
        r" and ([\w.-]+?)(==\S+)? depends on Python(\S+?),? "
    )
    if not found:
        return None
    current, wanted, name = found[1], found[2], found[3]
    version = suggested_python(wanted)
    return ResolutionError(
        f"{name} needs Python {wanted}, and this is {current}",
        hint=f"choose another interpreter: detente install {said.asked} --python {version or '3.x'}",
        context=said.lines[1:],
    )


def _no_file(said: Answer) -> DetenteError | None:
    cooled = said.find(r"`([\w.-]+)` was filtered by `exclude-newer`")
    if cooled:
        undated = said.has("is missing an upload date")
        why = "its index gives no upload dates" if undated else "every release that fits is too new"
        return ResolutionError(
            f"the cooldown leaves no release of {cooled[1]}: {why}",
            hint=f"name an older release, or wait: detente install '{cooled[1]}==VERSION'",
            context=said.lines[1:],
        )
    unbuilt = said.find(r"Wheels are required for `([\w.-]+)` because building from source is disabled")
    if unbuilt:
        return ResolutionError(
            f"{unbuilt[1]} has no wheel that fits, and building from source is not allowed",
            hint=f"choose a version that has a wheel: detente install '{unbuilt[1]}==VERSION', or {ALLOW}",
            context=said.lines[1:],
        )
    tag = said.find(r"([\w.-]+?)(?:==(\S+))? has no wheels with a matching (platform|Python \w+) tag")
    if tag:
        other = tag[3] == "platform"
        return ResolutionError(
            f"{tag[1]} has no file for this {'platform' if other else 'Python'}",
            hint=f"try another version: detente install '{tag[1]}==VERSION'"
            if other
            else f"choose another interpreter: detente install {said.asked} --python 3.x",
            context=said.lines[1:],
        )
    invalid = said.find(r"ecause ([\w.-]+?==\S+) has invalid metadata")
    if invalid:
        name = invalid[1].split("==")[0]
        hint = f"choose another version: detente install '{name}==VERSION'"
        return ResolutionError(f"{invalid[1]} has metadata that cannot be read", hint=hint, context=said.lines[1:])
    return None


def _no_version(said: Answer) -> DetenteError | None:
    yanked = said.find(r"ecause ([\w.-]+)(==\S+) was yanked(?: \(reason: (.*?)\))? and")
    if yanked:
        reason = f": {yanked[3]}" if yanked[3] else ""
        return ResolutionError(
            f"every release of {yanked[1]} that fits was withdrawn{reason}",
            hint=f"if it must be that one, name it: detente install '{yanked[1]}{yanked[2]}'",
            context=said.lines[1:],
        )
    empty = said.find(r"ecause there are no versions of ([\w.-]+)(\[)?\S* and")
    if empty and empty[2]:  # asked for with extras, uv does not tell an unknown name from one without files
        return NotFound(
            f"the index has no distribution called {empty[1]}, or no file of it",
            hint=f"see which of the two: detente install {empty[1]}",
            context=said.lines[1:],
        )
    if empty:
        return ResolutionError(
            f"the index lists no file of {empty[1]}",
            hint="check the index URL; a log-in page may have answered instead",
            context=said.lines[1:],
        )
    found = said.find(
        r"Because (?:only )?(?:there is no version of )?([\w.-]+?)(?:[=<>~![].*?)?"
        r" (?:is available )?and you require ([\w.-]+)"
    )
    versions = said.find(r"only the following versions of ([\w.-]+) are available")
    name = found[1] if found and found[1] == found[2] else versions[1] if versions else ""
    if name and normalized(name) in said.names:
        pre = said.has("re-releases are available")
        return ResolutionError(
            f"no release of {name} fits {said.asked}",
            hint=f"allow pre-releases: detente install {said.asked} --pre"
            if pre
            else f"leave the version open to get the newest that fits: detente install {name}",
            context=said.lines[1:],
        )
    return None


def _conflict(said: Answer) -> DetenteError | None:
    if not said.has("No solution found", "conflicting"):
        return None
    several = len(said.requirements) > 1
    return ResolutionError(
        "the requirements cannot be satisfied together" if several else f"{said.asked} cannot be satisfied",
        hint="loosen a version, or give one of them an environment of its own: detente install NAME"
        if several
        else "the last lines say what contradicts what; try another version",
        context=said.lines[1:],
    )


READERS: tuple[Callable[[Answer], DetenteError | None], ...] = (
    _unknown_name,
    _wrong_python,
    _no_file,
    _no_version,
    _conflict,
)
