"""Words for everything that can go wrong between us and a file server. Nothing here touches the network.

No message, hint or context may hold a secret: URLs are shown without userinfo, query and fragment, because
signed URLs carry theirs in the query.
"""

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from detente.errors import IntegrityError, NetworkError

if TYPE_CHECKING:
    import ssl

_EXPIRED, _NOT_YET_VALID, _WRONG_HOST, _WRONG_ADDRESS = 10, 9, 62, 64  # X509_V_ERR_* of OpenSSL


def host_of(url: str) -> str:
    """Return the host of `url`, with its port where the URL writes one, and never the userinfo."""
    return urlsplit(url).netloc.rpartition("@")[2]


def file_of(url: str) -> str:
    """Return the last part of the path of `url`, as people read it."""
    name = unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2]) or "the file"
    return "".join(character if character.isprintable() else "?" for character in name)


def shown(url: str) -> str:
    """Return `url` fit to be read by anybody: scheme, host and path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{host_of(url)}{parts.path}" if parts.scheme else url


def another_hash(url: str, expected: str, found: str) -> IntegrityError:
    """The bytes are not those of the lock."""
    return IntegrityError(
        f"{file_of(url)} from {host_of(url) or 'this machine'} has another SHA-256 than the lock names",
        hint="the file was replaced or damaged on its way; repeat the command, and if it stays so, tell the index",
        context=(f"expected: {expected}", f"found:    {found}", f"url:      {shown(url)}"),
    )


def too_large(url: str, limit: int, promised: bool) -> IntegrityError:
    """There are more bytes than the lock says, or than we accept at all."""
    whose = "that the lock names" if promised else "that a file may have"
    return IntegrityError(
        f"{file_of(url)} from {host_of(url) or 'this machine'} is larger than the {limit} bytes {whose}",
        hint="the file was replaced; if the index means it so, make a new lock",
        context=(f"url: {shown(url)}",),
    )


def web_page(url: str, asked: str) -> NetworkError:
    """Somebody answers with HTML where a distribution should be; `asked` is the URL before redirects."""
    return NetworkError(
        f"{host_of(url)} sent a web page instead of {file_of(asked)}",
        hint="does this network ask for a login first? open a page in a browser, then repeat the command",
        context=(f"url: {shown(url)}",),
    )


def stalled(url: str, seconds: float, received: int) -> NetworkError:
    """Nothing, or next to nothing, arrived for `seconds`."""
    what = f"sent only {received} bytes of" if received else "sent nothing of"
    return NetworkError(
        f"{host_of(url)} {what} {file_of(url)} for {seconds:g} s",
        hint="check the network connection and repeat the command",
        context=(f"url: {shown(url)}",),
    )


def broken_off(url: str) -> NetworkError:
    """The connection ended in the middle of the file."""
    return NetworkError(
        f"{host_of(url)} broke the connection off while sending {file_of(url)}",
        hint="check the network connection and repeat the command",
        context=(f"url: {shown(url)}",),
    )


def bad_redirect(url: str, target: str, why: str) -> NetworkError:
    """A redirect that we do not follow."""
    return NetworkError(
        f"{host_of(url)} redirects {file_of(url)} {why}, which is refused",
        hint="check the URL of the index",
        context=(f"from: {shown(url)}", f"to:   {shown(target)}"),
    )


def bad_status(url: str, status: int, tries: int, retry_after: float | None, login_note: str) -> NetworkError:
    """The server answered, but not with the file."""
    host, name = host_of(url), file_of(url)
    after = f" after {tries} tries" if tries > 1 else ""
    hint = "check the URL"
    if status in (404, 410):
        said = f"{host} has no {name} ({status})"
        hint = "the release may have been withdrawn; choose another version, or check the URL of the index"
    elif status in (401, 403):
        said = f"{host} refuses access to {name} ({status})"
        hint = f"check user and password for {host}, in the index URL or in ~/.netrc{login_note}"
    elif status == 407:
        said = f"the proxy asks for user and password before it fetches {name} from {host} (407)"
        hint = "put them into the proxy's URL: export https_proxy=http://USER:PASSWORD@PROXY:PORT"
    elif status == 429:
        said = f"{host} has had too many requests from here and does not send {name} now (429{after})"
        hint = (
            f"wait {retry_after:.0f} s and repeat the command" if retry_after else "wait a while and repeat the command"
        )
    elif status >= 500:
        said = f"{host} fails to send {name} ({status}{after})"
        hint = f"wait {retry_after:.0f} s and repeat the command" if retry_after else "repeat the command later"
    else:
        said = f"{host} answered {status} instead of sending {name}"
    return NetworkError(said, hint=hint, context=(f"url: {shown(url)}",))


def unreachable(err: BaseException, url: str, proxy: str | None) -> NetworkError:
    """Put an error of urllib3, ssl or socket into a sentence; `proxy` is the proxy's URL where one is used."""
    import socket
    import ssl

    from urllib3 import exceptions

    who, hint = host_of(url), "check the network connection; `ping` and `getent hosts` tell more"
    if isinstance(err, exceptions.ProxyError):
        who, err = f"the proxy {host_of(proxy or '')}", err.original_error
        hint = "check http_proxy and https_proxy: env | grep -i proxy"
        if "407" in str(err):
            return bad_status(url, 407, 1, None, "")
        if "Tunnel connection failed" in str(err):
            reason = str(err).partition(":")[2].strip()
            return NetworkError(f"{who} does not connect to {host_of(url)}: {reason}", hint=hint)
    if isinstance(err, exceptions.SSLError) and err.args and isinstance(err.args[0], BaseException):
        err = err.args[0]
    if isinstance(err, ssl.SSLError | ssl.CertificateError):
        return _untrusted(err, who)
    cause = next((inner for inner in (err.__cause__, *err.args) if isinstance(inner, OSError)), None)
    if isinstance(cause, socket.gaierror):
        said, name = f"{who} cannot be found", who.rpartition("@")[2].partition(":")[0].rpartition(" ")[2]
        hint = f"check the network connection and the name: getent hosts {name}"
    elif isinstance(cause, ConnectionRefusedError):
        said = f"{who} refuses the connection"
    elif isinstance(err, exceptions.NewConnectionError) and cause is not None:
        said = f"{who} cannot be reached: {(cause.strerror or str(cause)).lower()}"
    elif isinstance(err, exceptions.TimeoutError):
        said = f"{who} does not answer"
    elif isinstance(cause, OSError) or isinstance(err, OSError | exceptions.IncompleteRead):
        said = f"{who} broke the connection off instead of sending {file_of(url)}"
    else:
        said = f"{who} does not answer in HTTP"
    return NetworkError(said, hint=hint, context=(f"url: {shown(url)}",))


def _untrusted(err: "ssl.SSLError | ssl.CertificateError", who: str) -> NetworkError:
    code = getattr(err, "verify_code", 0)
    detail = getattr(err, "verify_message", "") or getattr(err, "reason", "") or str(err)
    clock = "check this machine's clock with `date`; if it is right, the server's owner has to renew the certificate"
    if code == _EXPIRED:
        return NetworkError(f"the certificate of {who} has expired", hint=clock)
    if code == _NOT_YET_VALID:
        return NetworkError(f"the certificate of {who} is not valid yet", hint=clock)
    if code in (_WRONG_HOST, _WRONG_ADDRESS):
        return NetworkError(
            f"the certificate of {who} belongs to another host", hint="check the URL", context=(detail,)
        )
    if code:
        return NetworkError(
            f"the certificate of {who} is from an issuer that this machine does not trust",
            hint="if your organisation issues its own: export SSL_CERT_FILE=/path/to/its/ca.pem",
            context=(detail,),
        )
    said = str(detail).replace("_", " ").lower()
    return NetworkError(f"{who} does not speak TLS with us: {said}", hint="check the URL: is it http or https?")
