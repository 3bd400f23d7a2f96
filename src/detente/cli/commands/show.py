"""`detente show`: everything about one application, one system package, or what another tool installed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from detente.cli import described
from detente.cli.beside import Distro
from detente.cli.output import PARTLY, show_error, size
from detente.errors import NotFound
from detente.host.paths import user_paths
from detente.names import is_command, is_name, key_of, normalized
from detente.store import environments, generations
from detente.store.wheels import read_entry

if TYPE_CHECKING:
    import argparse

    from detente.cli.options import Invocation, Parser
    from detente.distro.base import Installed, Offer
    from detente.host.paths import Paths
    from detente.model import Application, Generation


class Named(NamedTuple):
    """What one word means: an application of ours, or else a `name`."""

    name: str
    application: Application | None


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help="an application, a command, a module, a file of one, a system package"
    )
    parser.reading()
    parser.examples(
        ("detente show httpie", "version, request, commands, dependencies, place"),
        ("detente show gi /usr/bin/yamllint", "whose module and whose file that is, and all about the owners"),
        ("detente show python3-requests", "a system package in Python; `requests` finds it too"),
    )


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Print it."""
    paths = user_paths(invocation.environ)
    generation = generations.current(paths)[0]
    distro = Distro(invocation, paths)
    answers, missing = [], []
    for name in parsed.names:
        try:
            answers.append(_answer(_named(name, invocation, paths, generation, distro), invocation, paths, distro))
        except NotFound as err:
            missing.append(err)
    if not answers:
        for error in missing[:-1]:
            show_error(error, json_to=None)
        raise missing[-1]
    invocation.output.data(answers if len(parsed.names) > 1 else answers[0], errors=missing)
    for number, answer in enumerate(answers):
        if number:
            invocation.output.text()
        for label, value in _LINES[answer["kind"]](answer) if answer["kind"] in _LINES else _lines_of_other(answer):
            if value:
                invocation.output.text(f"{label + ':':<14}{value}")
    for error in missing:
        show_error(error, json_to=None)
    return PARTLY if missing else 0


def _named(name: str, invocation: Invocation, paths: Paths, generation: Generation, distro: Distro) -> Named:
    """Return the application that `name` means, or else the name to look for: of a path its owner's."""
    if "/" in name:
        from detente.scan import reach

        path = os.path.abspath(os.path.expanduser(name) if name.startswith("~") else name)
        if not os.path.lexists(path):
            raise NotFound(f"there is nothing at {name}", hint="a command or a distribution is named without a slash")
        owners = reach.Owners(paths, invocation.environ, generation, distro.system)
        owner = distro.ask(lambda: owners.files([path])[0].owner, reach.NOBODY)
        if not owner.name:
            raise NotFound(f"whose {name} is, is not known", hint=f"what is known of it: detente why {name}")
        name = owner.name
    applications = generation.applications
    key = key_of(name, frozenset(applications))
    if key not in applications:  # perhaps one of its commands
        key = next((item.key for item in applications.values() if name in item.commands), key)
    return Named(name, applications.get(key))


def _answer(named: Named, invocation: Invocation, paths: Paths, distro: Distro) -> dict[str, Any]:
    """Return what is known of it, for programs; raise NotFound where nothing installed is called so."""
    item = named.application
    if item is not None:
        more = _with_distro(item, paths, invocation) if item.wish.with_distro else None
        return {**_application(item, paths, distro), "with_distro": more}
    return _system_package(named.name, distro) or _other(named.name, invocation, paths, distro)


def _application(item: Application, paths: Paths, distro: Distro) -> dict[str, Any]:
    names = environments.entries_of(paths, item.environment)
    entries = [read_entry(os.path.join(paths.store, name)) for name in names]
    offer = distro.offers([item.name]).get(item.name)
    return {
        "kind": described.APPLICATION,
        "name": item.key,
        "distribution": item.name,
        "version": item.version,
        "requirement": item.wish.requirement,
        "with": list(item.wish.added),
        "prerelease": item.wish.prerelease,
        "editable": item.wish.editable,
        "python": item.python,
        "interpreter": item.interpreter,
        "environment": os.path.join(paths.environments, item.environment),
        "commands": list(item.commands),
        "files": sorted(item.files),
        "dependencies": {entry.name: entry.version for entry in entries if entry.name != item.name},
        "size": sum(entry.size for entry in entries),
        "generation": item.since,
        "distro": {"title": distro.title, **described.offer(offer)} if offer is not None else None,
    }


def _with_distro(item: Application, paths: Paths, invocation: Invocation) -> dict[str, Any] | None:
    from detente.scan.distro_modules import told

    return told(paths, item, invocation.environ)


def _system_package(name: str, distro: Distro) -> dict[str, Any] | None:
    """Return what is known of the installed system package `name`, or of the one with the distribution `name`."""
    packages = distro.installed()
    found, offer = packages.get(name), None
    if found is None and is_name(name):
        offer = distro.offers([normalized(name)]).get(normalized(name))
        found = offer.installed if offer is not None else None
    if found is None:
        found = next((item for item in packages.values() if name in map(os.path.basename, item.commands)), None)
    if found is None:  # perhaps what it lets import
        found = next((item for item in packages.values() if name in item.modules), None)
    if found is None or found.state == "config-files":
        return None
    if offer is None and len(found.distributions) == 1:
        offer = distro.offers(found.distributions).get(next(iter(found.distributions)))
    return {
        **described.system_package(found),
        "distro": distro.title,
        "upstream": offer.upstream_installed if offer is not None and _is_of(offer, found) else "",
        **_candidate(found, distro),
    }


def _is_of(offer: Offer, package: Installed) -> bool:
    return offer.installed is not None and offer.installed.package == package.package


def _candidate(item: Installed, distro: Distro) -> dict[str, Any]:
    """Return what apt would install now, and where the installed version comes from."""
    from detente.plan.comparison import Place, archive, from_distro

    known = distro.candidates([item.package]).get(item.package)
    if known is None:
        return {"candidate": "", "origin": "", "security": ""}
    places = [Place(*each) for version in known.versions if version.text == item.version for each in version.origins]
    return {
        "candidate": known.candidate,
        "origin": archive(places),
        "security": from_distro(places, distro.title),
    }


def _other(name: str, invocation: Invocation, paths: Paths, distro: Distro) -> dict[str, Any]:
    """Return what another tool installed as `name`; raise NotFound where nobody did."""
    from detente.scan.others import found

    for item in found(invocation.environ, paths.home, distro.root):
        if normalized(item.name) == normalized(name) or name in item.commands:
            return described.other(item)
    package = _elsewhere(name, distro)
    known = distro.candidates([package or name]).get(package or name)
    if known is not None and known.installed:
        raise NotFound(f"{known.package} is a system package that is not in Python", hint=f"apt show {known.package}")
    if known is not None and known.candidate:
        raise NotFound(
            f"{name} is not installed; {distro.title} has it as {known.package} {known.candidate}",
            hint=f"compare what there is: detente why {name}",
        )
    raise NotFound(f"nothing that is installed is called {name}", hint="detente list --all shows what is")


def _elsewhere(name: str, distro: Distro) -> str:
    """Return the system package, not installed, with the distribution, command or module `name`; "" if none has it."""
    system = distro.system
    if system is None:
        return ""
    offer = distro.offers([normalized(name)]).get(normalized(name)) if is_name(name) else None
    if offer is None and is_command(name):
        offer = distro.ask(lambda: system.of_command(name), None)
    if offer is not None:
        return offer.package
    if not name.isidentifier():
        return ""
    from detente.scan.reach import APART

    none: list[str] = []
    packages = distro.ask(lambda: system.of_module(name), none)
    return packages[0] if packages else APART.get(name, "")


def _lines_of_application(answer: dict[str, Any]) -> list[tuple[str, str]]:
    dependencies = sorted(answer["dependencies"].items())
    distro = answer["distro"] or {}
    modules = answer["with_distro"] or {"modules": [], "packages": {}, "lacking": []}
    has = distro.get("installed") or distro.get("candidate")
    other = ", another project" if distro.get("identity") == "other" else ""
    state = " (installed)" if distro.get("installed") else ""
    return [
        ("Name", answer["name"]),
        ("Version", answer["version"]),
        ("Asked for as", ("-e " if answer["editable"] else "") + answer["requirement"]),
        ("With", ", ".join(answer["with"])),
        ("With distro", ", ".join(modules["modules"])),
        ("  that is", ", ".join(f"{name} {version}" for name, version in modules["packages"].items())),
        ("Problem", "; ".join(modules["lacking"])),
        ("Python", f"{answer['python']} ({answer['interpreter']})"),
        ("Commands", ", ".join(answer["commands"])),
        ("Also exposed", ", ".join(answer["files"])),
        ("Dependencies", ", ".join(f"{name} {version}" for name, version in dependencies)),
        ("Size", size(float(answer["size"]))),
        ("Environment", answer["environment"]),
        ("Since", f"generation {answer['generation']}"),
        (distro.get("title", ""), f"has {distro['package']} {has}{state}{other}" if has else ""),
    ]


def _lines_of_system_package(answer: dict[str, Any]) -> list[tuple[str, str]]:
    distributions = (f"{name} {version}".strip() for name, version in sorted(answer["distributions"].items()))
    newer = answer["candidate"] if answer["candidate"] not in ("", answer["version"]) else ""
    asked = "you asked for it" if answer["manual"] else "others brought it along"
    return [
        ("Name", answer["name"]),
        ("Kind", f"system package of {answer['distro']}; {asked}"),
        ("Version", answer["version"] + (f" (upstream {answer['upstream']})" if answer["upstream"] else "")),
        ("State", answer["state"] if answer["state"] != "installed" else ""),
        ("Held", "yes" if answer["held"] else ""),
        ("Candidate", newer),
        ("From", answer["origin"]),
        ("Security", f"fixes {answer['security']}" if answer["security"].startswith("by ") else answer["security"]),
        ("Provides", ", ".join(distributions)),
        ("Commands", ", ".join(answer["commands"])),
        ("Modules", ", ".join(answer["modules"])),
        ("Size", size(float(answer["size"])) if answer["size"] else ""),
    ]


def _lines_of_other(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Name", answer["name"]),
        ("Kind", f"installed by {answer['kind']}, which looks after it"),
        ("Version", answer["version"]),
        ("Python", answer["python"]),
        ("Commands", ", ".join(answer["commands"])),
        ("Place", answer["place"]),
    ]


_LINES = {described.APPLICATION: _lines_of_application, described.SYSTEM: _lines_of_system_package}
