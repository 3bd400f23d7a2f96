"""The way to an index: how it is called in messages, and that it is not left for an unencrypted one."""

from collections.abc import Mapping, Sequence

from detente.engine.sources import Sources, without_credentials
from detente.errors import DetenteError, NetworkError
from detente.model import Artifact

_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def whom(sources: Sources) -> str:
    """Return how to call whoever is asked."""
    return without_credentials(sources.index_url).partition("://")[2].partition("/")[0] or "the index"


def by_proxy(error: DetenteError, sources: Sources, environ: Mapping[str, str]) -> DetenteError:
    """Return `error`, with the proxy that stands between us and the host that it names."""
    proxy = sources.proxy or next((environ[name] for name in _PROXIES if environ.get(name)), "")
    if not proxy or not isinstance(error, NetworkError) or "proxy" in error.message:
        return error
    from detente.host.net_access import bypassed
    from detente.host.net_errors import host_of

    name, _, port = error.message.partition(" ")[0].partition(":")
    if bypassed(name, int(port) if port.isdecimal() else 443, environ.get("no_proxy") or environ.get("NO_PROXY", "")):
        return error
    where = host_of(proxy if "://" in proxy else f"http://{proxy}")
    return NetworkError(f"{error.message} (asked by way of the proxy {where})", hint=error.hint, context=error.context)


def check_encrypted(artifacts: Sequence[Artifact], sources: Sources, requirements: Sequence[str]) -> None:
    """Raise NetworkError where all that was named is encrypted, and an artifact's address is not.

    The engine follows an index from https to http. Whoever stands on that way can name any file with its hash.
    """
    plain = [item for item in artifacts if item.location.startswith("http://")]
    named = (sources.index_url, *sources.extra_index_urls, *sources.find_links, *requirements)
    if not plain or sources.plain or any("http://" in text for text in named):
        return
    from detente.host.net_errors import host_of

    for item in plain:
        host = host_of(item.location)
        if not {host, host.partition(":")[0]} & set(sources.insecure_hosts):
            raise NetworkError(
                f"the index gives an unencrypted address of {item.filename or item.name} ({host}), which is refused",
                hint=f"check the index URL; if you trust that host and the way to it: export UV_INSECURE_HOST={host}",
            )
