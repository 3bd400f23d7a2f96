"""What `why` says to people: what is there, what runs and what it hides, the candidates, and the choice."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from detente.cli import comparing
from detente.errors import DetenteError
from detente.scan import reach
from detente.scan.newest import FRESH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from detente.cli.beside import Distro
    from detente.cli.options import Invocation
    from detente.cli.output import Output
    from detente.plan.route import Route
    from detente.scan.newest import Answer
    from detente.scan.reach import File, Owner
    from detente.scan.subject import Subject


_MOST = 6  # commands


class View(NamedTuple):
    """All that was learned. `table`: there is a table for this release, so what is not in it is not in the distro.

    `unasked` says why the index was not asked, `problem` what went wrong when it was. `now` is seconds since the epoch,
    `bin` our directory of commands.
    """

    subject: Subject
    title: str
    table: bool
    answers: Mapping[str, Answer]
    unasked: str
    problem: DetenteError | None
    now: float
    home: str
    bin: str
    route: Route | None

    @property
    def today(self) -> str:
        """The time of looking, ISO 8601."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now))


def has_table(distro: Distro) -> bool:
    """Say whether the names of the distro's release are known, so that a missing one is not there."""
    if distro.release is None:
        return False
    from detente.scan import tables

    return bool(tables.shipped(distro.release))


def route_of(subject: Subject, distro: Distro, invocation: Invocation) -> Route | None:
    """Return the way that `detente install NAME` would take; None where it is about no distribution."""
    if not subject.name or subject.path is not None:
        return None
    from detente.cli.choosing import would_go

    ours = subject.application is not None
    try:
        return would_go(subject.name, subject.offer, invocation.environ, title=distro.title, ours=ours)
    except DetenteError:  # a rule that only `install` is refused by; the table shows why
        return None


def show(output: Output, view: View) -> None:
    """Print it, parts without anything to say left out."""
    parts = [list(_here(view)), list(_reached(view))]
    found = comparing.sides(view.subject, view.answers, view.title)
    first = True
    for lines in parts:
        if lines and not first:
            output.text()
        for line in lines:
            output.text(line)
            first = False
    if found:
        if not first:
            output.text()
        comparing.show(output, found, view.today)
        first = False
    lines = [*_remarks(view), *_choice(view)]
    if lines and not first:
        output.text()
    for line in lines:
        output.text(line)


def _here(view: View) -> Iterator[str]:
    """Yield what is installed, by whom."""
    subject = view.subject
    if subject.path is not None:
        yield f"{subject.path.path}: {_whose(subject.path.owner, view)}"
        real = os.path.realpath(subject.path.path)
        if real != os.path.abspath(subject.path.path):
            yield f"  it leads to {_short(real, view.home)}"
        return
    if subject.application is not None:
        item = subject.application
        yield f"{item.key} {item.version} is installed: an application of yours"
        yield f"  asked for as {item.wish.requirement} in generation {item.since}; Python {item.python}"
        yield f"  commands: {_some(list(item.commands))}"
    offer = subject.offer
    package = offer.installed if offer is not None else subject.package
    if package is not None:
        asked = "that was asked for" if package.manual else "that came along with others"
        held = ", held" if package.held else ""
        broken = f", {package.state}" if package.state != "installed" else ""
        beside = " as well" if subject.application is not None else ""
        yield f"{package.package} {package.version} is installed{beside}: a system package {asked}{held}{broken}"
    for other in subject.others:
        yield f"{other.name} {other.version} is installed by {other.tool}, in {_short(other.place, view.home)}"
    if subject.name and not (subject.application or package or subject.others):
        yield f"{subject.name} is not installed" + _in_distro(subject, view)
    elif subject.bare is not None and not subject.bare.installed:
        yield f"{subject.bare.package} is not installed: a system package"


def _in_distro(subject: Subject, view: View) -> str:
    """Return how the distro calls what is not installed, and which commands it would bring, as a second sentence."""
    offer = subject.offer
    if offer is None:
        return ""
    commands = list(offer.known.commands)
    brings = f"; it has the command{'s' * (len(commands) > 1)} {_some(commands)}" if commands else ""
    if offer.package != subject.name or subject.word != subject.name:
        return f"; in {view.title} it is the system package {offer.package}{brings.replace('; it has', ', with', 1)}"
    return brings


def _some(names: list[str]) -> str:
    return ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")


def _reached(view: View) -> Iterator[str]:
    """Yield what runs and what is imported, and what that hides."""
    subject = view.subject
    for name, files in [pair for pair in subject.commands.items() if pair[1]][:_MOST]:
        yield from _order(f"`{name}` runs", files, view)
    missed = [f"`{name}`" for name, files in subject.commands.items() if not files]
    if missed:
        verb = "are" if missed[1:] else "is"
        yield f"{_some(missed)} {verb} not reached: {_short(view.bin, view.home)} is not on PATH"
    if subject.standard and not subject.name:
        yield f"`import {subject.word}` takes {subject.modules[0].path}: a part of Python itself"
        yield from (f"  hidden: {item.path} ({_whose(item.owner, view)})" for item in subject.modules[1:])
    elif subject.modules and not subject.standard and _is_news(subject):
        yield from _order(f"`import {subject.word}` in {reach.PYTHON} takes", list(subject.modules), view)
    elif subject.module_packages and not subject.modules and not subject.name:
        names = ", ".join(subject.module_packages[:3])
        yield f"`import {subject.word}` in {reach.PYTHON} would work with the system package {names}"


def _is_news(subject: Subject) -> bool:
    """Say whether what is imported is more than the system package of which all else is said."""
    first = subject.modules[0].owner
    plain = first.kind == reach.SYSTEM and len(subject.modules) == 1
    return not plain or subject.offer is None or subject.name != subject.word


def _order(what: str, files: list[File], view: View) -> Iterator[str]:
    yield f"{what} {_short(files[0].path, view.home)}: {_whose(files[0].owner, view)}"
    for item in files[1:]:
        yield f"  hidden behind it: {_short(item.path, view.home)}: {_whose(item.owner, view)}"


def _whose(owner: Owner, view: View) -> str:
    """Return whose it is, in words."""
    title = f"{owner.name} {owner.version}".strip()
    place = _short(owner.place, view.home)
    return {
        reach.APPLICATION: f"your application {title}",
        reach.SYSTEM: f"system package {title}",
        reach.ENVIRONMENT: f"an environment, {place}",
        reach.STORE: f"an entry of the store, {title}",
        reach.ITSELF: "detente's own",
        "": "whose is not known",
    }.get(owner.kind, f"{title}, by {owner.kind}".removeprefix(", "))


def _remarks(view: View) -> Iterator[str]:
    """Yield what the table cannot say."""
    subject, newest = view.subject, view.answers.get(view.subject.name)
    if not subject.name:
        return
    identity = subject.offer.known.identity if subject.offer is not None else ""
    distro = view.title.partition(" ")[0]
    if identity == "other":
        yield f"{distro}'s {subject.name} is another project than the index's {subject.name}."
    elif identity == "unproved" and not (newest is not None and not newest.version):
        yield f"Nothing shows that {distro}'s {subject.name} and the index's are the same project."
    elif identity == "absent" and newest is not None and newest.version:
        yield f"The index had no {subject.name} when the table of {view.title} was made: that one is not {distro}'s."
    if subject.offer is None and view.title:
        yield f"{subject.name} is not in {view.title}." if view.table else f"What {view.title} has is not known here."
    if view.unasked:
        yield f"The index was not asked: {view.unasked}."
    elif view.problem is not None and newest is None:
        yield f"The index could not be asked: {view.problem.message}."
    elif newest is not None and not newest.version:
        yield f"The index: {newest.problem}." if newest.problem else f"The index has no {subject.name}."
    elif newest is not None and view.now - newest.learned > FRESH:
        hours = (view.now - newest.learned) / 3600
        yield f"The index's answer is {hours / 24:.0f} days old." if hours > 48 else f"… {hours:.0f} hours old."


def _choice(view: View) -> Iterator[str]:
    """Yield what `install` would do, and by which rule."""
    route, subject = view.route, view.subject
    if route is None:
        return
    newest = view.answers.get(subject.name)
    command = f"`detente install {subject.name}`"
    offer = subject.offer
    library = offer is not None and offer.known.identity == "same" and not offer.known.application
    if route.way == "installed":
        yield f"{command} does nothing: {route.reason}."
    elif route.way == "distro":
        yield f"{command} takes {view.title}'s: {route.reason}."
    elif subject.application is not None:
        yield f"{command} stays with yours: {route.reason}."
    elif newest is not None and not newest.version:
        yield f"{command} would not find it: {route.reason}, and it is not there."
    else:
        yield f"{command} takes the index's: {route.reason}."
        if library:
            yield "  If it has no commands there either, it is refused: libraries cannot be installed so far."
        if offer is not None and offer.known.identity == "other":
            yield f"  For {view.title}'s: sudo apt install {offer.package}"
    there = offer is not None and offer.installed is not None and route.way == "index"
    if route.alternative and not there:
        sentence, colon, call = route.alternative.rpartition(": ")
        yield f"  {sentence[:1].upper()}{sentence[1:]}{colon.rstrip()}"
        yield f"    {call}"


def _short(path: str, home: str) -> str:
    return "~" + path[len(home) :] if path.startswith(home + "/") else path
