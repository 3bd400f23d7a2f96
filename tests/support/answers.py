"""The HTTP server under the index: sends what a site answers, well or spoiled by a Fault; also a proxy."""

import base64
import hashlib
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit


class Fault(NamedTuple):
    """One way to answer badly; unset fields change nothing, several may be set together.

    `times` is how many requests it spoils before it is used up, None for all. The answer: `status` with an empty
    page, `headers` added, `body` instead of the file, `retry_after` seconds, `redirect` to a URL (302), `auth`
    (user, password) required. The way it is sent: `stall` seconds before the first byte, or before byte `at`;
    `drip` bytes a second, one at a time; `truncate`: the connection ends after so many bytes of the body;
    `claim` as Content-Length; `flip` this byte's lowest bit; `reset` the connection instead of answering, or at
    byte `at`. `wrong_hash` spoils the hashes on a page; `edit` changes a good body; `no_ranges` ignores Range;
    `no_etag` sends no ETag; `etag` sends this one; `misplace` answers a Range with the bytes from there, and the
    headers say what was asked (`honest`: what was sent). `raw` writes to the wire itself instead of all this.
    """

    times: int | None = None
    status: int = 0
    headers: Mapping[str, str] | None = None
    body: bytes | None = None
    content_type: str | None = None
    retry_after: int | None = None
    redirect: str | None = None
    auth: tuple[str, str] | None = None
    stall: float = 0.0
    at: int = 0
    drip: float = 0.0
    truncate: int | None = None
    claim: int | None = None
    flip: int | None = None
    reset: bool = False
    wrong_hash: bool = False
    no_ranges: bool = False
    no_etag: bool = False
    etag: str | None = None
    edit: Callable[[bytes], bytes] | None = None
    misplace: int | None = None
    honest: bool = False
    raw: "Raw | None" = None


# Writes what it likes to the wire until it is done, or until the event says that the test is over.
Raw = Callable[[Callable[[bytes], object], threading.Event], None]


class Seen(NamedTuple):
    """A request that arrived: header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]


class Site(Protocol):
    """What a server asks of the index it serves."""

    seen: list[Seen]
    closing: threading.Event
    connections: int

    def fault_for(self, path: str) -> Fault:
        """The fault that spoils this request."""

    def answer(self, path: str, accept: str, fault: Fault) -> tuple[str, bytes, str] | None:
        """Content type, body and cache control of `path`, None where there is no such page."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, site: "Site", certificate: str | os.PathLike[str] | None) -> None:
        self.site = site
        self.context: ssl.SSLContext | None = None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        super().__init__(("127.0.0.1", 0), _Answer)

    def server_bind(self) -> None:
        # Without HTTPServer's look-up of our own name, which needs a working resolver.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def finish_request(self, request: object, client_address: object) -> None:
        # The handshake belongs to the connection's own thread: a slow client must not stop the others.
        assert isinstance(request, socket.socket)
        self.site.connections += 1
        if self.context is not None:
            request = self.context.wrap_socket(request, server_side=True)
        try:
            _Answer(request, client_address, self)
        finally:
            if self.context is not None:
                request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are part of the tests."""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        site = self.server.site
        site.seen.append(Seen(self.command, self.path, {key.lower(): value for key, value in self.headers.items()}))
        target = urlsplit(self.path)
        path = target.path + (f"?{target.query}" if target.query else "")
        fault = site.fault_for(path)
        if fault.stall and not fault.at and site.closing.wait(fault.stall):
            self.close_connection = True
            return
        if fault.raw is not None:
            self.close_connection = True
            fault.raw(self.wfile.write, site.closing)
            return
        if fault.reset and not fault.at:
            self._hang_up()
            return
        if fault.auth is not None and not self._allowed(fault.auth):
            self._short(401, {"WWW-Authenticate": 'Basic realm="index"'}, fault)
            return
        if fault.redirect is not None:
            self._short(302, {"Location": fault.redirect}, fault)
            return
        if fault.status:
            self._short(fault.status, {}, fault)
            return
        found = site.answer(path, self.headers.get("Accept", ""), fault)
        if found is None and fault.body is None:
            self._short(404, {}, fault)
            return
        kind, body, cache = found or ("text/html", b"", "no-store")
        if fault.body is not None:
            kind, body, cache = fault.content_type or "text/html", fault.body, "no-store"
        self._send(kind, fault.edit(body) if fault.edit else body, cache, fault)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_CONNECT(self) -> None:
        site = self.server.site
        site.seen.append(Seen("CONNECT", self.path, {key.lower(): value for key, value in self.headers.items()}))
        fault = site.fault_for(self.path)
        if fault.status:
            self._short(fault.status, {}, fault)
            return
        host, _, port = self.path.rpartition(":")
        self.close_connection = True
        try:
            far = socket.create_connection((host, int(port)), timeout=5)
        except OSError:
            self._short(502, {}, fault)
            return
        self.send_response(200, "Connection established")
        self.end_headers()
        back = threading.Thread(target=_pump, args=(far, self.connection), daemon=True)
        back.start()
        _pump(self.connection, far)
        back.join(5)
        far.close()

    def _allowed(self, auth: tuple[str, str]) -> bool:
        expected = base64.b64encode(":".join(auth).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def _short(self, status: int, headers: Mapping[str, str], fault: Fault) -> None:
        body = fault.body if fault.body is not None else f"{status}\n".encode()
        self.send_response(status)
        for key, value in {**headers, **(fault.headers or {})}.items():
            self.send_header(key, value)
        if fault.retry_after is not None:
            self.send_header("Retry-After", str(fault.retry_after))
        self.send_header("Content-Type", fault.content_type or "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send(self, kind: str, body: bytes, cache: str, fault: Fault) -> None:
        etag = fault.etag or f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.send_header("ETag", etag)
            self.send_header("Cache-Control", cache)
            self.end_headers()
            return
        total, first, status = len(body), 0, 200
        if fault.flip is not None:
            body = body[: fault.flip] + bytes([body[fault.flip] ^ 1]) + body[fault.flip + 1 :]
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if wanted and wanted[0] != "bytes=-" and not fault.no_ranges and self.headers.get("If-Range", etag) == etag:
            first = int(wanted[1]) if wanted[1] else max(0, total - int(wanted[2]))
            last = min(int(wanted[2]) if wanted[1] and wanted[2] else total - 1, total - 1)
            if first >= total:
                self._short(416, {"Content-Range": f"bytes */{total}"}, fault)
                return
            whole, body, status = body, body[first : last + 1], 206
            if fault.misplace is not None:
                body = whole[fault.misplace :]
                first, total = (fault.misplace, total) if fault.honest else (first, first + len(body))
        self.send_response(status)
        self.send_header("Content-Type", fault.content_type or kind)
        self.send_header("Content-Length", str(len(body) if fault.claim is None else fault.claim))
        self.send_header("Cache-Control", cache)
        if not fault.no_ranges:
            self.send_header("Accept-Ranges", "bytes")
        if not fault.no_etag:
            self.send_header("ETag", etag)
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{total}")
        for key, value in (fault.headers or {}).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(body, fault)

    def _send_body(self, body: bytes, fault: Fault) -> None:
        closing = self.server.site.closing
        if fault.claim is not None:
            self.close_connection = True
        if fault.truncate is not None:
            self.wfile.write(body[: fault.truncate])
            self.close_connection = True
        elif fault.drip:
            for byte in body:
                self.wfile.write(bytes([byte]))
                if closing.wait(1 / fault.drip):
                    break
            self.close_connection = True
        elif fault.reset:
            self.wfile.write(body[: fault.at])
            self.wfile.flush()
            closing.wait(0.2)  # a reset overtakes what the other side has not read yet
            self._hang_up()
        elif fault.stall and fault.at:
            self.wfile.write(body[: fault.at])
            self.wfile.flush()
            if not closing.wait(fault.stall):
                self.wfile.write(body[fault.at :])
        else:
            self.wfile.write(body)

    def _hang_up(self) -> None:
        # Zero linger makes close(2) send RST instead of a clean end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
