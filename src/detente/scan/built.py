"""What the distro has built of a source of the index whose build failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detente.distro import apt_words
from detente.errors import DetenteError
from detente.host import escalate
from detente.plan import alternatives
from detente.plan.request import requirement_name
from detente.scan import offers, tables
from detente.scan.system import system

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from detente.errors import BuildError
    from detente.plan.request import Asked


def name_the_distros(err: BuildError, wishes: Sequence[Asked], environ: Mapping[str, str], cache: str) -> None:
    """Add to `err` what the distro has of what could not be built, or of what was asked for that requires it."""
    if not err.distribution:
        return
    texts = [text for wish in wishes for text in (wish.requirement, *wish.added)]
    names = dict.fromkeys([err.distribution, *map(requirement_name, texts)])
    seat = escalate.seat(environ)
    modules, as_root = {}, {}
    try:
        known = system(environ, cache)
        if known is None:
            return
        found = offers.at_hand(known, [name for name in names if name])
        installed = known.installed()
        for package in {offer.package for offer in found.values()}:
            here = installed.get(package)
            modules[package] = here.modules if here is not None else tables.modules_of(known.release, package)
            as_root[package] = "" if here is not None else escalate.as_root(apt_words.typed_install([package]), seat)
    except DetenteError:  # the distro's records are broken: no matter of this build
        return
    alternatives.name_the_built(err, wishes, found, modules, python=known.release.python, as_root=as_root)
