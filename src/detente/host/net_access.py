"""How to reach a host: through which proxy, trusting which certificates, as which user.

Reads the environment it is given (never os.environ), the netrc file and certificate files; opens no connection.
"""

import base64
import ipaddress
import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from detente.errors import ConfigError
from detente.host.net_errors import host_of

if TYPE_CHECKING:
    import ssl

    import urllib3

_PORTS = {"http": 80, "https": 443}
# Where distros keep the bundle, for an interpreter whose OpenSSL was built to look elsewhere.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class Access:
    """Connection pools and logins for one run; safe for threads."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        ca_file: str | None,
        client_cert: str | None,
        proxy: str | None,
        insecure_hosts: Sequence[str],
        credentials: Mapping[str, tuple[str, str]],
        connections: int,
    ) -> None:
        self._environ = environ
        self._ca_file = ca_file
        self._client_cert = client_cert
        self._proxy = proxy
        self._insecure = {host.lower() for host in insecure_hosts}
        self._credentials = {host.lower(): login for host, login in credentials.items()}
        self._connections = connections
        self._lock = threading.Lock()
        self._pools: dict[tuple[str | None, bool, bool], urllib3.PoolManager] = {}
        self._netrc: dict[str, tuple[str, str]] | None = None
        self.login_note = ""

    def proxy_for(self, url: str) -> str | None:
        """Return the proxy's URL for `url`, None for a direct connection; raise ConfigError for a SOCKS proxy."""
        parts = urlsplit(url)
        proxy = self._proxy or _from_environment(self._environ, parts.scheme)
        no_proxy = self._environ.get("no_proxy") or self._environ.get("NO_PROXY", "")
        if not proxy or bypassed(parts.hostname or "", parts.port or _PORTS[parts.scheme], no_proxy):
            return None
        if "://" not in proxy:
            proxy = f"http://{proxy}"
        if urlsplit(proxy).scheme not in _PORTS:
            raise ConfigError(
                f"the proxy {urlsplit(proxy).scheme}://{host_of(proxy)} is not an HTTP proxy",
                hint="set https_proxy to a proxy that starts with http:// or https://",
            )
        return proxy

    def pool(self, url: str) -> "urllib3.PoolManager":
        """Return the pool of connections that leads to `url`; raise ConfigError for unusable certificate files."""
        parts = urlsplit(url)
        proxy = self.proxy_for(url)
        verified = not self._insecure & {host_of(url).lower(), parts.hostname or ""}
        secure = parts.scheme == "https" or (proxy or "").startswith("https")
        with self._lock:
            key = (proxy, secure, verified)
            if key not in self._pools:
                self._pools[key] = self._new_pool(proxy, secure, verified)
            return self._pools[key]

    def login(self, url: str) -> tuple[str, str] | None:
        """Return user and password for `url`: from itself, the index's, or the netrc file, in this order.

        The index's login is for the same host and port. The netrc entry `default` is not used, because a lock
        can name any host.
        """
        parts = urlsplit(url)
        if parts.username is not None:
            return unquote(parts.username), unquote(parts.password or "")
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        found = self._credentials.get(f"{host}:{port}")
        if found is None and port == _PORTS[parts.scheme]:
            found = self._credentials.get(host)
        if found is not None:
            return found
        with self._lock:
            if self._netrc is None:
                self._netrc = self._read_netrc()
            return self._netrc.get(host)

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            for pool in self._pools.values():
                pool.clear()
            self._pools.clear()

    def _new_pool(self, proxy: str | None, secure: bool, verified: bool) -> "urllib3.PoolManager":
        import urllib3

        context = self._context(verified) if secure else None
        if not verified:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        count = self._connections
        if proxy is None:
            return urllib3.PoolManager(maxsize=count, ssl_context=context)
        parts = urlsplit(proxy)
        headers = None
        if parts.username is not None:
            login = unquote(parts.username), unquote(parts.password or "")
            headers = {"Proxy-Authorization": basic(login)}
        bare = f"{parts.scheme}://{host_of(proxy)}"
        return urllib3.ProxyManager(
            bare, maxsize=count, ssl_context=context, proxy_ssl_context=context, proxy_headers=headers
        )

    def _context(self, verified: bool) -> "ssl.SSLContext":
        import ssl

        file = self._ca_file or self._environ.get("SSL_CERT_FILE") or None
        folder = (None if self._ca_file else self._environ.get("SSL_CERT_DIR")) or None
        origin = "the option for a certificate file" if self._ca_file else "SSL_CERT_FILE"
        given = file or folder
        if not given:
            file, folder = _system_store()
        try:
            if file or folder:
                context = ssl.create_default_context(cafile=file, capath=folder)
            else:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        except (OSError, ssl.SSLError) as err:
            raise ConfigError(
                f"cannot read certificates from {file or folder}: {err.strerror or err}",
                hint=f"correct or unset {origin if file else 'SSL_CERT_DIR'}" if given else "check ca-certificates",
            ) from err
        if not verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self._client_cert:
            try:
                context.load_cert_chain(self._client_cert)
            except (OSError, ssl.SSLError) as err:
                raise ConfigError(
                    f"cannot read the client certificate {self._client_cert}: {err.strerror or err}",
                    hint="it must be one PEM file with the certificate and its key",
                ) from err
        return context

    def _read_netrc(self) -> dict[str, tuple[str, str]]:
        import netrc

        home = self._environ.get("HOME", "")
        path = self._environ.get("NETRC") or (os.path.join(home, ".netrc") if home else "")
        if not path:
            return {}
        try:
            hosts = netrc.netrc(path).hosts
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError, netrc.NetrcParseError) as err:
            # Only told where a login turns out to be missing; the error's text could quote the password.
            line = getattr(err, "lineno", None)
            self.login_note = f" ({path} could not be read{f': see line {line}' if line else ''})"
            return {}
        return {host.lower(): (user, password) for host, (user, _, password) in hosts.items() if host != "default"}


def basic(login: tuple[str, str]) -> str:
    """Return the value of an Authorization header for user and password (RFC 7617, as UTF-8)."""
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()


def bypassed(host: str, port: int, no_proxy: str) -> bool:
    """Say whether `no_proxy` (names, suffixes, addresses, networks, each with or without a port) covers a host."""
    for entry in no_proxy.lower().replace(",", " ").split():
        if entry == "*":
            return True
        name, colon, wanted = entry.rpartition(":")
        if not colon or not wanted.isdecimal() or (":" in name and not entry.startswith("[")):
            name = entry
        elif int(wanted) != port:
            continue
        name = name.strip("[]").removeprefix("*").removeprefix(".")
        if name and (host == name or host.endswith(f".{name}") or _inside(host, name)):
            return True
    return False


def _inside(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _from_environment(environ: Mapping[str, str], scheme: str) -> str:
    # In a CGI script HTTP_PROXY is what the client sent as "Proxy:" header (httpoxy).
    names = [f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    if "REQUEST_METHOD" in environ and scheme == "http":
        names.remove("HTTP_PROXY")
    return next((environ[name] for name in names if name in environ), "")


def _system_store() -> tuple[str | None, str | None]:
    """Return the bundle and the directory of the machine's certificate store."""
    import ssl

    # The compiled-in paths by name: get_default_verify_paths().cafile would follow the real environment, not ours.
    usual = ssl.get_default_verify_paths()
    file = usual.openssl_cafile if os.path.isfile(usual.openssl_cafile) else None
    try:
        folder = usual.openssl_capath if os.listdir(usual.openssl_capath) else None
    except OSError:
        folder = None
    if file is None and folder is None:
        file = next((path for path in _BUNDLES if os.path.isfile(path)), None)
    return file, folder
