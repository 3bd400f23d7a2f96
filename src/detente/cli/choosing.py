"""Which way `install NAME` would go, for commands that only look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detente import config
from detente.plan.request import Asked
from detente.plan.route import INDEX, WAYS, Told, route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detente.distro.base import Offer
    from detente.plan.route import Route


def would_go(
    name: str, offer: Offer | None, environ: Mapping[str, str], *, title: str = "", ours: bool = False
) -> Route:
    """Return the route of `detente install NAME`, typed without options, as variables and configuration have it.

    `title` is the distro's, `ours` says that it is an application of ours. Raises as `plan.route.route` does.
    """
    prefer = environ.get("DETENTE_PREFER") or config.value(environ, "install", "prefer")[0]
    way = environ.get("DETENTE_FROM") or config.value(environ, "install", "from")[0]
    told = Told(way if way in WAYS else "", config.ways(environ).get(name, ""), prefer if prefer in WAYS else INDEX)
    found = None
    if offer is not None:
        from detente.scan.offers import system_offer

        found = system_offer(offer, title)
    return route(Asked(name), found, told, title=title, ours=ours)
