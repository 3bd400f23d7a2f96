"""Names what went wrong between uv and an index, from the phrases uv 0.13 uses. Pure.

Messages and hints name the host only; credentials never reach this module's texts.
"""

import re
from collections.abc import Collection, Sequence

from detente.engine.sources import Sources
from detente.errors import DetenteError, NetworkError

_SIGNS = (
    "Failed to fetch",
    "Request failed after",
    "error sending request",
    "HTTP status",
    "error decoding response body",
    "Unsupported `Content-Type`",
    "unexpected JSON",
    "unexpected HTML",
    "Failed to read `--find-links` URL",
)
_URL = re.compile(r"(https?)://([^/\s`'?#()]+)([^\s`')]*)")
_REASONS = (
    (r"dns error|failed to lookup address", "{host} cannot be found (no answer from the name server)"),
    (r"UnknownIssuer|self.signed", "the certificate of {host} is signed by nobody we trust"),
    (r"certificate.{0,40}(?:Expired|expired)", "the certificate of {host} has expired"),
    (r"certificate not valid yet|NotValidYet", "the certificate of {host} is not valid yet"),
    (r"NotValidForName|not valid for name", "the certificate of {host} is for another host"),
    (r"invalid peer certificate", "the certificate of {host} is not acceptable"),
    (r"InvalidContentType|corrupt message", "{host} does not speak HTTPS at this address"),
    (
        r"invalid (?:content-length|HTTP|header)|message head is too large|[Ii]nvalid chunk|UnexpectedMessage",
        "{host} does not answer in HTTP",
    ),
    (r"proxy authorization required", "the proxy asks for a name and password before it connects to {host}"),
    (r"tunnel error", "the proxy does not connect to {host}"),
    (r"[Cc]onnection refused", "{host} refuses the connection"),
    (r"timed out|[Tt]imeout", "{host} does not answer in time"),
    (r"unreachable", "{host} cannot be reached from this network"),
    (r"reset by peer|closed before|[Ii]ncompleteMessage|end of file|body", "{host} broke off the connection"),
)
_TRUST = "name the authority's certificate: SSL_CERT_FILE=/path/ca.pem, or `cert` in pip.conf"
_ADDRESS = "check the index URL, or ask whoever runs the index"
_CLOCK = "check this machine's clock with `date`; if it is right, the server's owner has to renew the certificate"
_PROXY = "put them into the proxy's URL: export HTTPS_PROXY=http://NAME:PASSWORD@PROXY:PORT"
_CONNECT = "check the network and the proxy (HTTPS_PROXY), then repeat the command"


_HINTS = (
    ("expired", _CLOCK),
    ("not valid yet", _CLOCK),
    ("another host", _ADDRESS),
    ("certificate", _TRUST),
    ("name and password", _PROXY),
)


def read(text: str, lines: Sequence[str], sources: Sources) -> DetenteError | None:
    """Return the error for a failed request described in `text` (uv's whole answer), None where there was none."""
    if not any(sign in text for sign in _SIGNS):
        return None
    url = _URL.search(text)
    host = url[2] if url else "the index"
    status = re.search(r"HTTP status (?:server|client) error \((\d{3})[^)]*\)", text)
    if status:
        return _refused(int(status[1]), host, url[0] if url else "", lines)
    if "Content-Type" in text or "unexpected JSON" in text or "unexpected HTML" in text:
        return NetworkError(
            f"{host} does not answer as an index does",
            hint="check the index URL; a log-in page may have answered instead",
            context=lines,
        )
    target = re.search(r"'Location' value `([\w+.-]+):", text)
    if target:
        return NetworkError(
            f"{host} redirects to a {target[1]}: address, which is refused", hint=_ADDRESS, context=lines
        )
    scheme = re.search(r"([\w+.-]+):\S* cause: builder error .*URL scheme is not allowed", text)
    if scheme:
        return NetworkError(
            f"the index gives a file a {scheme[1]}: address, and only http and https can be fetched",
            hint=_ADDRESS,
            context=lines,
        )
    for pattern, sentence in _REASONS:
        if re.search(pattern, text):
            hint = next((hint for sign, hint in _HINTS if sign in sentence), _CONNECT)
            if sources.proxy:
                hint = f"{hint}; the proxy comes from pip's configuration" if hint is _CONNECT else hint
            return NetworkError(sentence.format(host=host), hint=hint, context=lines)
    return NetworkError(f"{host} cannot be reached", hint=_CONNECT, context=lines)


def read_unanswered(text: str, lines: Sequence[str], names: Collection[str]) -> DetenteError | None:
    """Return the error where uv found no solution because an index did not let it in, or nothing may be asked."""
    denied = re.search(r"An index(?: URL)? \((\S+?)\) (?:could not be queried|returned a 403)", text)
    if denied and "was not found in the package registry" in text:
        url = _URL.search(denied[1])
        status = 401 if "401" in text else 403
        return _refused(status, url[2] if url else denied[1], "", lines)
    if "because the network was disabled" in text or "was not found in the cache" in text:
        absent = re.search(r"[Bb]ecause ([\w.-]+) was not found in the cache", text)
        name = absent[1] if absent else next(iter(names), "what is needed")
        return NetworkError(
            f"{name} is not in the cache, and the network may not be used",
            hint="repeat the command without --offline (or UV_OFFLINE)",
            context=lines,
        )
    return None


def git(where: str, lines: Sequence[str]) -> NetworkError:
    """Return the error for a git repository (`where`, with a space before it, or empty) that cannot be fetched."""
    return NetworkError(
        f"cannot fetch the git repository{where}",
        hint=f"try it by hand: git ls-remote{where or ' URL'}",
        context=lines,
    )


def _refused(status: int, host: str, url: str, lines: Sequence[str]) -> NetworkError:
    if status == 407:
        return NetworkError(
            f"the proxy asks for a name and password before it connects to {host}", hint=_PROXY, context=lines
        )
    if status in (401, 403):
        what = "asks for a name and password" if status == 401 else f"refuses access (status {status})"
        return NetworkError(
            f"{host} {what}",
            hint=f"put them into ~/.netrc: machine {host.partition(':')[0]} login NAME password PASSWORD",
            context=lines,
        )
    if status == 404:
        return NetworkError(f"{host} has no such page or file", hint=f"check the address: {url}", context=lines)
    if status == 429:
        return NetworkError(f"{host} has had too many requests", hint="wait a minute and repeat", context=lines)
    return NetworkError(
        f"{host} answers with an error (status {status})", hint="repeat the command in a minute", context=lines
    )
