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
    elif subject.bare is not None and not (subject.name or package):
        there = subject.bare.installed
        state = f"{there} is installed" if there else "is not installed"
        yield f"{subject.bare.package} {state}: a system package"


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
    if subject.standard and not subject.modules:
        yield f"`import {subject.word}` takes a module that is built into Python"
    elif subject.standard and not subject.name:
        yield f"`import {subject.word}` takes {subject.modules[0].path}: a part of Python itself"
        yield from (f"  hidden: {item.path} ({_whose(item.owner, view)})" for item in subject.modules[1:])
    elif subject.modules and not subject.standard and _is_news(subject):
        yield from _order(f"`import {subject.word}` in {reach.PYTHON} takes", list(subject.modules), view)
    elif subject.module_packages and not subject.modules and not subject.name:
        names = ", ".join(subject.module_packages[:3])
        yield f"`import {subject.word}` in {reach.PYTHON} needs the system package {names}"


def _is_news(subject: Subject) -> bool:
    """Say whether what is imported is more than the system package of which all else is said."""
    first = subject.modules[0].owner
    plain = first.kind == reach.SYSTEM and len(subject.modules) == 1
    offer = subject.offer
    return not plain or offer is None or not offer.known.application or subject.name != subject.word


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
    yield from _only_a_package(view)
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
    if subject.offer is not None and subject.offer.installed is None and not comparing.is_offered(subject.offer):
        yield f"{view.title} offers no version of {subject.offer.package} for this machine at the moment."
    if subject.offer is None and subject.bare is None and view.title:
        none = f"{view.title} has no Python project {subject.name}."
        yield none if view.table else f"What {view.title} has is not known here."
    if view.unasked:
        yield f"The index was not asked: {view.unasked}."
    elif view.problem is not None and newest is None:
        yield f"The index could not be asked: {view.problem.message}."
    elif newest is not None and not newest.version:
        yield f"The index: {newest.problem}." if newest.problem else f"The index has no {subject.name}."
    elif newest is not None and view.now - newest.learned > FRESH:
        hours = (view.now - newest.learned) / 3600
        yield f"The index's answer is {hours / 24:.0f} days old." if hours > 48 else f"… {hours:.0f} hours old."


def _only_a_package(view: View) -> Iterator[str]:
    """Yield what there is to say of a system package that is no distribution, as far as is known."""
    subject, bare = view.subject, view.subject.bare
    if bare is None or subject.package is not None:
        return
    if bare.installed and subject.name:
        yield f"{bare.package} {bare.installed} is installed as a system package."
        yield "  détente does not know it as a distribution."
    elif not bare.installed and bare.candidate:
        yield f"{view.title} has a system package {bare.package}:"
        apart = (
            "détente does not know it as a distribution: " if view.table else "which project that is, is not known: "
        )
        yield f"  {apart if subject.name else ''}sudo apt install {bare.package}"
        newest = view.answers.get(subject.name)
        if newest is not None and newest.version:
            yield f"  Nothing shows that it is the same project as the index's {subject.name}."


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
        yield f"{command} would not find it: {_reason(view, route)}."
        yield from _imported(subject)
    else:
        yield f"{command} takes the index's: {_reason(view, route)}."
        if library:
            yield "  It is perhaps a library there, too: libraries cannot be installed so far."
            yield from _imported(subject)
        if offer is not None and offer.known.identity == "other":
            yield f"  For {view.title}'s: sudo apt install {offer.package}"
    there = offer is not None and offer.installed is not None and route.way == "index"
    if route.alternative and not there:
        sentence, _, call = route.alternative.rpartition(": ")
        if not sentence:  # the command alone
            sentence = f"the index has {newest.version}" if newest is not None and newest.version else "from the index"
        yield f"  {sentence[:1].upper()}{sentence[1:]}:"
        yield f"    {call}"


def _reason(view: View, route: Route) -> str:
    """Return why the index is chosen: a system package of that name that is no distribution is there all the same."""
    subject = view.subject
    if subject.bare is not None and route.reason == f"{view.title} has no {subject.name}":
        return f"{view.title}'s {subject.bare.package} is no distribution that détente knows"
    return route.reason


def _imported(subject: Subject) -> Iterator[str]:
    """Yield that the distro's Python has the library already, and how an application comes to it."""
    package = subject.offer.installed if subject.offer is not None else None
    public = [module for module in package.modules if not module.startswith("_")] if package is not None else []
    if package is not None and public:
        yield f"  {package.package} is there: {reach.PYTHON} imports it, and an application does with"
        yield f"    detente install APPLICATION --with-distro {subject.word if subject.word in public else public[0]}"


def _short(path: str, home: str) -> str:
    return "~" + path[len(home) :] if path.startswith(home + "/") else path
