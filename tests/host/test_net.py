"""Fetching against a real server that misbehaves in every way we know, with small time limits."""

import contextlib
import hashlib
import io
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path

import pytest

from detente.errors import ConfigError, DetenteError, DiskError, IntegrityError, Interrupted, NetworkError
from detente.host.net import Fetcher
from detente.host.net_access import bypassed
from support.index import Fault, Index
from support.wheels import make_wheel

WHEEL = "demo-1.0-py3-none-any.whl"
SECRET = "kn0ck-kn0ck"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    """The bytes of the wheel that the index serves, 300 kB that do not compress."""
    noise = random.Random(1).randbytes(300_000)
    return make_wheel(tmp_path / "served", "demo", "1.0", files={"demo/noise.bin": noise}).read_bytes()


@pytest.fixture
def index(tmp_path: Path, data: bytes) -> Iterator[Index]:
    with Index(tmp_path / "served") as index:
        yield index


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(environ={}, timeout=5, pause=0.01) as fetcher:
        yield fetcher


class Fetch:
    """Fetches the wheel to `target` by way of `fetcher`, and remembers what it was told meanwhile."""

    def __init__(self, fetcher: Fetcher, index: Index, data: bytes, target: Path) -> None:
        self.fetcher, self.url, self.data, self.target = fetcher, index.file_url(WHEEL), data, target
        self.counts: list[int] = []

    def __call__(self, url: str = "", *, size: int | None = None, digest: str = "", by: Fetcher | None = None) -> None:
        (by or self.fetcher).fetch(
            url or self.url,
            self.target,
            sha256=digest or sha256(self.data),
            size=len(self.data) if size is None else size,
            received=self.counts.append,
        )
        assert self.target.read_bytes() == self.data

    def fails(self, kind: type[DetenteError], words: str, **how: object) -> DetenteError:
        """Expect an error with `words` and nothing left behind; every error is one sentence with a hint."""
        with pytest.raises(kind) as caught:
            self(**how)  # type: ignore[arg-type]
        err = caught.value
        assert words in err.message
        assert "\n" not in err.message
        assert not err.message.endswith(".")
        assert err.hint
        assert SECRET not in " ".join([err.message, err.hint, *err.context])
        assert not self.target.exists()
        return err


@pytest.fixture
def fetch(fetcher: Fetcher, index: Index, data: bytes, tmp_path: Path) -> Fetch:
    return Fetch(fetcher, index, data, tmp_path / "got.whl")


def test_a_file_arrives_whole_and_is_counted(fetch: Fetch, index: Index) -> None:
    fetch()
    assert sum(fetch.counts) == len(fetch.data)
    assert index.requests == [f"/files/{WHEEL}"]


def test_an_existing_file_is_replaced(fetch: Fetch) -> None:
    fetch.target.write_bytes(b"old" * 500_000)
    fetch()


def test_a_link_is_not_written_through(fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    fetch.target.symlink_to(tmp_path / "precious")
    with pytest.raises(DiskError):
        fetch()
    assert (tmp_path / "precious").read_text() == "mine"


def test_an_open_file_is_written_from_where_it_stands(fetcher: Fetcher, index: Index, data: bytes) -> None:
    file = io.BytesIO(b"head")
    file.seek(4)
    fetcher.fetch(index.file_url(WHEEL), file, sha256=sha256(data))
    assert file.getvalue() == b"head" + data


def test_an_open_file_is_cut_to_where_it_stood_after_an_error(fetcher: Fetcher, index: Index) -> None:
    file = io.BytesIO(b"head")
    file.seek(4)
    with pytest.raises(IntegrityError):
        fetcher.fetch(index.file_url(WHEEL), file, sha256="0" * 64)
    assert file.getvalue() == b"head"


def test_the_umask_is_no_reason_for_a_file_others_can_write(fetch: Fetch) -> None:
    fetch()
    assert stat.S_IMODE(fetch.target.stat().st_mode) & 0o022 == 0


# Hash and size


def test_one_flipped_bit_is_another_hash(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(flip=1234))
    err = fetch.fails(IntegrityError, f"{WHEEL} from {index.host} has another SHA-256 than the lock names")
    assert f"expected: {sha256(fetch.data)}" in err.context
    assert any(line.startswith("found:") for line in err.context)
    assert len(index.requests) == 1


def test_a_lock_without_a_hash_fetches_nothing(fetch: Fetch, index: Index) -> None:
    fetch.fails(IntegrityError, "no SHA-256", digest="none")
    assert index.requests == []


def test_an_upper_case_hash_is_the_same_hash(fetch: Fetch) -> None:
    fetch(digest=sha256(fetch.data).upper())


def test_a_file_larger_than_the_lock_says_is_refused_before_it_is_fetched(fetch: Fetch) -> None:
    fetch.fails(IntegrityError, "larger than the 1000 bytes that the lock names", size=1000)
    assert fetch.counts == []


def test_a_body_that_outgrows_the_size_without_saying_so_is_refused(fetch: Fetch, index: Index) -> None:
    with answering(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(500_000)) as url:
        fetch.fails(IntegrityError, "larger than", url=url, size=400_000)


def test_a_web_page_is_called_a_web_page(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(body=b"\n<!DOCTYPE html><title>Welcome to Hotel WiFi</title>"))
    fetch.fails(NetworkError, f"{index.host} sent a web page instead of {WHEEL}")


def test_garbage_is_another_hash_and_never_a_bad_zip(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(body=b"garbage", content_type="application/zip"))
    fetch.fails(IntegrityError, "another SHA-256")


def test_a_body_cut_by_its_own_length_is_another_hash(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(claim=1000))
    fetch.fails(IntegrityError, "another SHA-256")


# Connections that break


def test_a_dropped_connection_is_resumed_where_it_broke(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(times=1, truncate=100_000))
    fetch()
    again = index.seen[1].headers
    assert again["range"] == "bytes=100000-"
    assert again["if-range"].startswith('"')
    assert sum(fetch.counts) == len(fetch.data)


def test_without_an_etag_a_dropped_file_starts_over(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(times=1, truncate=100_000, no_etag=True))
    fetch()
    assert "range" not in index.seen[1].headers
    assert sum(fetch.counts) == len(fetch.data)


def test_a_weak_etag_is_not_trusted_to_resume(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(times=1, truncate=100_000, etag='W/"x"'))
    fetch()
    assert "range" not in index.seen[1].headers


def test_a_server_that_ignores_the_range_is_read_from_the_start(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(times=1, no_ranges=True))
    index.fault("/files/", Fault(times=1, truncate=100_000))
    fetch()


def test_a_file_that_changed_in_between_is_fetched_anew(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(times=1, truncate=100_000, etag='"older"'))
    fetch()
    assert index.seen[1].headers["if-range"] == '"older"'
    assert len(index.seen) == 2


def test_two_halves_that_do_not_fit_are_fetched_once_more_as_a_whole(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(times=1, etag='"same"'))
    index.fault("/files/", Fault(times=1, truncate=100_000, flip=10, etag='"same"'))
    fetch()
    assert "range" in index.seen[1].headers
    assert "range" not in index.seen[2].headers


def test_progress_renews_the_number_of_tries(fetch: Fetch, index: Index) -> None:
    for _ in range(7):
        index.fault("/files/", Fault(times=1, truncate=40_000))
    fetch()
    assert len(index.requests) == 8


def test_a_connection_that_always_breaks_fails_after_a_few_tries(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(truncate=0))
    fetch.fails(NetworkError, f"{index.host} broke the connection off")
    assert len(index.requests) == 5


def test_a_length_larger_than_the_body_is_a_broken_connection(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(claim=len(fetch.data) + 5, no_etag=True))
    fetch.fails(NetworkError, "broke the connection off", size=0)


def test_a_body_of_unknown_length_that_ends_early_is_fetched_again(fetch: Fetch) -> None:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    with answering(head + fetch.data[:1000], head + fetch.data) as url:
        fetch(url)


def test_a_reset_connection_is_tried_again(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(times=2, reset=True))
    fetch()
    assert len(index.requests) == 3


def test_a_server_that_does_not_speak_http_is_told_apart(fetch: Fetch) -> None:
    with answering(*[b"220 mail.example ESMTP\r\n"] * 5) as url:
        fetch.fails(NetworkError, "does not answer in HTTP", url=url)


# Answers without the file


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_passing_failure_is_tried_again(fetch: Fetch, index: Index, status: int) -> None:
    index.fault("/files/", Fault(times=2, status=status))
    fetch()
    assert len(index.requests) == 3


def test_a_server_that_keeps_failing_is_named_with_its_answer(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(status=502))
    fetch.fails(NetworkError, f"{index.host} fails to send {WHEEL} (502 after 5 tries)")
    assert len(index.requests) == 5


@pytest.mark.parametrize(("status", "words"), [(404, "has no"), (410, "has no"), (401, "refuses"), (403, "refuses")])
def test_a_lasting_refusal_is_not_tried_again(fetch: Fetch, index: Index, status: int, words: str) -> None:
    index.fault("/files/", Fault(status=status))
    fetch.fails(NetworkError, f"{index.host} {words}")
    assert len(index.requests) == 1


def test_an_unknown_answer_is_quoted(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(status=418))
    fetch.fails(NetworkError, "answered 418")


def test_retry_after_is_waited_for(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(times=1, status=429, retry_after=1))
    begun = time.monotonic()
    fetch()
    assert time.monotonic() - begun >= 1


def test_waiting_as_long_as_a_server_asks_is_not_a_stall(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(times=1, status=503, retry_after=1))
    index.fault("/files/", Fault(times=1, stall=0.7))
    with Fetcher(environ={}, timeout=1, pause=0.01) as short:
        fetch(by=short)


def test_a_wait_beyond_patience_fails_at_once_and_says_how_long(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(status=429, retry_after=900))
    err = fetch.fails(NetworkError, "too many requests")
    assert "wait 900 s" in (err.hint or "")
    assert len(index.requests) == 1


def test_retry_after_can_be_a_date(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(status=503, headers={"Retry-After": formatdate(time.time() + 3600, usegmt=True)}))
    err = fetch.fails(NetworkError, "503")
    assert "wait 3" in (err.hint or "")


def test_an_endless_error_page_is_not_read(fetch: Fetch) -> None:
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 99999999999\r\n\r\n"
    with answering(head + bytes(1000)) as url:
        begun = time.monotonic()
        fetch.fails(NetworkError, "(404)", url=url)
        assert time.monotonic() - begun < 1


# Servers that keep us waiting, and people who do not


@pytest.mark.parametrize("at", [0, 5000])
def test_a_stall_ends_in_time_and_names_the_host(fetch: Fetch, index: Index, at: int) -> None:
    index.fault("/files/", Fault(stall=30, at=at))
    begun = time.monotonic()
    with Fetcher(environ={}, timeout=0.5) as short:
        err = fetch.fails(NetworkError, f"{index.host} sent nothing of {WHEEL} for 0.5 s", by=short)
    assert time.monotonic() - begun < 2
    assert err.code == "network"


def test_a_trickle_counts_as_a_stall(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(drip=20))
    with Fetcher(environ={}, timeout=0.5) as short:
        fetch.fails(NetworkError, "sent only", by=short)


def cancelling(fetcher: Fetcher, url: str, target: Path, after: float) -> float:
    """Fetch `url` and cancel after a while; return how long the end took from there."""
    moment = time.monotonic() + after
    with pytest.raises(Interrupted):
        fetcher.fetch(url, target, sha256="0" * 64, cancelled=lambda: time.monotonic() > moment)
    assert not target.exists()
    return time.monotonic() - moment


@pytest.mark.parametrize("at", [0, 5000])
def test_cancelling_does_not_wait_for_a_stalled_server(fetch: Fetch, index: Index, at: int) -> None:
    index.fault("/files/", Fault(stall=30, at=at))
    assert cancelling(fetch.fetcher, fetch.url, fetch.target, 0.2) < 0.5


def test_cancelling_does_not_wait_for_a_handshake(fetch: Fetch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/x.whl"
        assert cancelling(fetch.fetcher, url, fetch.target, 0.2) < 0.5


def test_cancelling_does_not_wait_for_the_next_try(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(status=503, retry_after=4))
    assert cancelling(fetch.fetcher, fetch.url, fetch.target, 0.2) < 0.5


def test_ctrl_c_in_the_fetching_thread_ends_at_once_and_leaves_no_file(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(stall=30, at=5000))

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    begun = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            fetch()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - begun < 0.8
    assert not fetch.target.exists()


def test_an_abandoned_file_gets_no_more_bytes(fetcher: Fetcher, index: Index, data: bytes) -> None:
    index.fault("/files/", Fault(stall=0.6, at=5000))
    file = io.BytesIO()
    moment = time.monotonic() + 0.3
    with pytest.raises(Interrupted):
        fetcher.fetch(index.file_url(WHEEL), file, sha256=sha256(data), cancelled=lambda: time.monotonic() > moment)
    time.sleep(0.6)
    assert file.getvalue() == b""


# Hosts that cannot be reached


def test_an_unknown_name_is_called_unknown(fetch: Fetch) -> None:
    err = fetch.fails(
        NetworkError, "files.nowhere.invalid:81 cannot be found", url="http://files.nowhere.invalid:81/x.whl"
    )
    assert "getent hosts files.nowhere.invalid" in (err.hint or "")


def test_a_closed_port_refuses(fetch: Fetch) -> None:
    fetch.fails(NetworkError, "refuses the connection", url=f"http://127.0.0.1:{closed_port()}/x.whl")


@pytest.mark.parametrize("url", ["ftp://h/x.whl", "http://", "http://[::1/x", "http://h:x/y", "file://far/x", "x.whl"])
def test_an_address_that_nobody_can_fetch_is_refused(fetch: Fetch, url: str) -> None:
    fetch.fails(NetworkError, "", url=url)


# Redirects


def test_a_redirect_is_followed(fetch: Fetch, index: Index) -> None:
    index.fault("/moved/", Fault(redirect=f"/files/{WHEEL}"))
    fetch(f"{index.root}/moved/{WHEEL}")


def test_a_redirect_loop_ends(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(redirect=f"/files/{WHEEL}"))
    fetch.fails(NetworkError, "redirects")
    assert len(index.requests) == 10


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[::1/x", "http://h:port/"])
def test_a_redirect_out_of_http_is_refused(fetch: Fetch, index: Index, target: str) -> None:
    index.fault("/files/", Fault(redirect=target))
    fetch.fails(NetworkError, "which is refused")
    assert len(index.requests) == 1


def test_a_login_is_not_carried_to_another_host(fetch: Fetch, index: Index, tmp_path: Path) -> None:
    with Index(tmp_path / "served") as other:
        index.fault("/files/", Fault(redirect=other.file_url(WHEEL)))
        fetch(fetch.url.replace("://", f"://user:{SECRET}@"))
    assert "authorization" in index.seen[0].headers
    assert "authorization" not in other.seen[0].headers


# Logins


def test_a_login_in_the_url_is_used_and_never_told(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(auth=("user", f"{SECRET}@ü")))
    fetch(fetch.url.replace("://", f"://user:{SECRET}%40%C3%BC@"))
    fetch.target.unlink()
    fetch.fails(NetworkError, f"{index.host} refuses access", url=fetch.url.replace("://", f"://other:{SECRET}@"))


def test_the_login_of_the_index_is_used_for_its_host_and_port(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(auth=("user", SECRET)))
    with Fetcher(environ={}, credentials={index.host: ("user", SECRET)}) as known:
        fetch(by=known)
    fetch.target.unlink()
    with Fetcher(environ={}, credentials={"127.0.0.1": ("user", SECRET)}) as elsewhere:
        fetch.fails(NetworkError, "refuses access", by=elsewhere)


@pytest.mark.parametrize("place", ["NETRC", "HOME"])
def test_the_netrc_file_is_used(fetch: Fetch, index: Index, tmp_path: Path, place: str) -> None:
    index.fault("/files/", Fault(auth=("user", SECRET)))
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login user password {SECRET}\n")
    with Fetcher(environ={place: str(tmp_path / ".netrc" if place == "NETRC" else tmp_path)}) as known:
        fetch(by=known)


def test_the_default_of_the_netrc_file_goes_to_nobody(fetch: Fetch, index: Index, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(f"default login user password {SECRET}\n")
    with Fetcher(environ={"HOME": str(tmp_path)}) as known:
        fetch(by=known)
    assert "authorization" not in index.seen[0].headers


def test_a_netrc_file_with_a_mistake_is_mentioned_where_a_login_is_missing(
    fetch: Fetch, index: Index, tmp_path: Path
) -> None:
    index.fault("/files/", Fault(auth=("user", SECRET)))
    (tmp_path / ".netrc").write_text(f"machine\n127.0.0.1 log {SECRET}\n")
    with Fetcher(environ={"HOME": str(tmp_path)}) as known:
        err = fetch.fails(NetworkError, "refuses access", by=known)
    assert "could not be read" in (err.hint or "")


def test_the_query_of_a_signed_url_is_never_told(fetch: Fetch, index: Index) -> None:
    index.fault("/files/", Fault(status=404))
    fetch.fails(NetworkError, "has no", url=f"{fetch.url}?signature={SECRET}#{SECRET}")
    assert index.requests[0].endswith(f"?signature={SECRET}")


# Proxies


def test_the_proxy_of_the_environment_is_used(fetch: Fetch, index: Index) -> None:
    with Fetcher(environ={"http_proxy": index.host}) as proxied:
        fetch(f"http://files.nowhere.invalid/files/{WHEEL}", by=proxied)
    assert index.requests == [f"http://files.nowhere.invalid/files/{WHEEL}"]


def test_the_proxy_gets_its_own_login_and_the_host_its_own(fetch: Fetch, index: Index) -> None:
    with Fetcher(environ={}, proxy=f"http://me:{SECRET}@{index.host}") as proxied:
        fetch(f"http://files.nowhere.invalid/files/{WHEEL}", by=proxied)
    assert "proxy-authorization" in index.seen[0].headers
    assert "authorization" not in index.seen[0].headers


def test_no_proxy_is_honoured(fetch: Fetch, index: Index) -> None:
    proxy = f"http://127.0.0.1:{closed_port()}"
    with Fetcher(environ={"ALL_PROXY": proxy, "NO_PROXY": "example.com, 127.0.0.0/8"}) as direct:
        fetch(by=direct)


def test_https_goes_through_a_tunnel(fetch: Fetch, index: Index, secure: "Secure") -> None:
    with Fetcher(environ={"https_proxy": index.root, "SSL_CERT_FILE": secure.ca}) as proxied:
        fetch(secure.index.file_url(WHEEL), by=proxied)
    assert [one.method for one in index.seen] == ["CONNECT"]


def test_a_proxy_that_is_down_is_named_as_the_proxy(fetch: Fetch) -> None:
    port = closed_port()
    with Fetcher(environ={"http_proxy": f"http://me:{SECRET}@127.0.0.1:{port}"}, pause=0.01) as proxied:
        fetch.fails(NetworkError, f"the proxy 127.0.0.1:{port} refuses the connection", by=proxied)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_login_says_so(fetch: Fetch, index: Index, scheme: str) -> None:
    index.fault("", Fault(status=407))
    with Fetcher(environ={"ALL_PROXY": index.root}, pause=0.01) as proxied:
        fetch.fails(NetworkError, "the proxy asks for user and password", url=f"{scheme}://h.invalid/x.whl", by=proxied)
    assert len(index.requests) == 1


def test_a_proxy_that_cannot_reach_the_host_says_so(fetch: Fetch, index: Index) -> None:
    url = f"https://127.0.0.1:{closed_port()}/x.whl"
    with Fetcher(environ={"https_proxy": index.root}, pause=0.01) as proxied:
        fetch.fails(NetworkError, f"the proxy {index.host} does not connect to", url=url, by=proxied)


def test_a_socks_proxy_is_a_matter_of_configuration(fetch: Fetch) -> None:
    with Fetcher(environ={"all_proxy": f"socks5://me:{SECRET}@h:1"}) as proxied:
        fetch.fails(ConfigError, "the proxy socks5://h:1 is not an HTTP proxy", by=proxied)


@pytest.mark.parametrize(
    ("host", "no_proxy", "expected"),
    [
        ("a.example.com", "example.com", True),
        ("a.example.com", ".example.com", True),
        ("a.example.com", "*.example.com", True),
        ("a.example.com", "EXAMPLE.com", True),
        ("badexample.com", "example.com", False),
        ("example.com", "a.example.com", False),
        ("example.com", "example.com:443", True),
        ("example.com", "example.com:80", False),
        ("example.com", "*", True),
        ("example.com", "", False),
        ("example.com", " , ,", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8 localhost", False),
        ("::1", "::1", True),
        ("::1", "[::1]:443", True),
        ("::1", "[::1]:80", False),
    ],
)
def test_no_proxy_knows_suffixes_ports_and_networks(host: str, no_proxy: str, expected: bool) -> None:
    assert bypassed(host, 443, no_proxy) is expected


# Certificates


class Secure:
    """An HTTPS server whose certificate is its own authority."""

    def __init__(self, index: Index, ca: str) -> None:
        self.index, self.ca = index, ca


def certificate(folder: Path, *, name: str = "IP:127.0.0.1", expired: bool = False) -> str:
    """Make a self-signed certificate with its key in one file; needs the openssl program."""
    key, chain, both = folder / "key.pem", folder / "chain.pem", folder / "both.pem"

    def openssl(*words: str) -> bool:
        argv = ["openssl", *words]
        return subprocess.run(argv, capture_output=True, check=False, env={"PATH": os.defpath}).returncode == 0

    made = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key))
    subject = ("-subj", "/CN=test", "-addext", f"subjectAltName={name}")
    made = made and openssl("req", "-x509", "-key", str(key), "-out", str(chain), "-days", "30", *subject)
    if expired:
        again = ("x509", "-in", str(chain), "-signkey", str(key), "-out", str(chain))
        past = ("-not_before", "20200101000000Z", "-not_after", "20200102000000Z")  # since OpenSSL 3.4
        made = made and (openssl(*again, *past) or openssl(*again, "-days", "-1"))
    assert made, "the openssl program is needed to make certificates"
    both.write_text(key.read_text() + chain.read_text())
    return str(both)


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def secure(tmp_path: Path, data: bytes, own_certificate: str) -> Iterator[Secure]:
    with Index(tmp_path / "served", certificate=own_certificate) as index:
        yield Secure(index, own_certificate)


@pytest.mark.parametrize("how", ["option", "SSL_CERT_FILE"])
def test_an_authority_of_ones_own_is_trusted(fetch: Fetch, secure: Secure, how: str) -> None:
    environ = {"SSL_CERT_FILE": secure.ca} if how == "SSL_CERT_FILE" else {"SSL_CERT_FILE": "/not/looked/at"}
    with Fetcher(environ=environ, ca_file=secure.ca if how == "option" else None) as trusting:
        fetch(secure.index.file_url(WHEEL), by=trusting)


def test_an_unknown_issuer_is_refused_at_once_with_the_way_out(fetch: Fetch, secure: Secure) -> None:
    err = fetch.fails(NetworkError, "issuer that this machine does not trust", url=secure.index.file_url(WHEEL))
    assert "SSL_CERT_FILE" in (err.hint or "")
    assert secure.index.requests == []


def test_a_host_named_insecure_is_not_checked(fetch: Fetch, secure: Secure) -> None:
    with Fetcher(environ={}, insecure_hosts=[secure.index.host]) as trusting:
        fetch(secure.index.file_url(WHEEL), by=trusting)


def test_an_expired_certificate_points_to_the_clock(fetch: Fetch, tmp_path: Path) -> None:
    pem = certificate(tmp_path, expired=True)
    with Index(tmp_path / "served", certificate=pem) as late, Fetcher(environ={}, ca_file=pem) as trusting:
        err = fetch.fails(NetworkError, f"{late.host} has expired", url=late.file_url(WHEEL), by=trusting)
    assert "clock" in (err.hint or "")


def test_a_certificate_for_another_host_is_refused(fetch: Fetch, tmp_path: Path) -> None:
    pem = certificate(tmp_path, name="DNS:other.example")
    with Index(tmp_path / "served", certificate=pem) as other, Fetcher(environ={}, ca_file=pem) as trusting:
        fetch.fails(NetworkError, "belongs to another host", url=other.file_url(WHEEL), by=trusting)


def test_https_is_never_left_for_http(fetch: Fetch, index: Index, secure: Secure) -> None:
    secure.index.fault("/files/", Fault(redirect=index.file_url(WHEEL)))
    with Fetcher(environ={}, ca_file=secure.ca) as trusting:
        fetch.fails(NetworkError, "unencrypted", url=secure.index.file_url(WHEEL), by=trusting)
    assert index.requests == []


def test_http_on_an_https_port_is_explained(fetch: Fetch, index: Index) -> None:
    fetch.fails(NetworkError, "does not speak TLS with us", url=index.file_url(WHEEL).replace("http:", "https:"))


def test_a_missing_certificate_file_is_a_matter_of_configuration(fetch: Fetch, secure: Secure) -> None:
    with Fetcher(environ={"SSL_CERT_FILE": "/no/such.pem"}) as lost:
        err = fetch.fails(ConfigError, "/no/such.pem", url=secure.index.file_url(WHEEL), by=lost)
    assert "SSL_CERT_FILE" in (err.hint or "")


# Files of this machine


def test_a_path_and_a_file_url_are_copied_and_checked(fetch: Fetch, tmp_path: Path) -> None:
    here = tmp_path / "a wheel.whl"
    here.write_bytes(fetch.data)
    fetch(str(here))
    fetch(here.as_uri())
    assert sum(fetch.counts) == 2 * len(fetch.data)
    fetch.target.unlink()
    fetch.fails(IntegrityError, "another SHA-256", url=str(here), digest="0" * 64)
    fetch.fails(IntegrityError, "larger than the 7 bytes", url=str(here), size=7)


def test_a_missing_file_a_directory_and_a_pipe_are_told_apart(fetch: Fetch, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    fetch.fails(DiskError, "does not exist any more", url=str(tmp_path / "gone"))
    fetch.fails(DiskError, "is not a regular file", url=str(tmp_path / "pipe"))
    fetch.fails(DiskError, "", url=str(tmp_path))
    fetch.fails(NetworkError, "", url=f"file://{tmp_path}/a%00b")


def test_copying_can_be_cancelled(fetch: Fetch, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(3 << 20))
    assert cancelling(fetch.fetcher, str(big), fetch.target, -1) < 2


def test_a_full_disk_is_called_full(fetcher: Fetcher, index: Index, data: bytes) -> None:
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(DiskError, match="the disk is full"):
        fetcher.fetch(index.file_url(WHEEL), full, sha256=sha256(data))


# Many at once


def test_eight_threads_fetch_forty_files_over_eight_connections(fetcher: Fetcher, tmp_path: Path) -> None:
    made = [make_wheel(tmp_path / "many", f"many{n}", "1.0") for n in range(40)]
    with Index(tmp_path / "many") as index, ThreadPoolExecutor(8) as threads:
        index.fault("/files/many1", Fault(times=5, truncate=300))
        index.fault("/files/many2", Fault(times=5, status=503))

        def one(path: Path) -> bool:
            target = tmp_path / f"got-{path.name}"
            fetcher.fetch(index.file_url(path.name), target, sha256=sha256(path.read_bytes()), size=path.stat().st_size)
            return target.read_bytes() == path.read_bytes()

        assert all(threads.map(one, made))
        assert len(index.requests) == 50


def test_connections_are_used_again(fetcher: Fetcher, index: Index, data: bytes) -> None:
    opened = counting_connections(index)
    for _ in range(5):
        fetcher.fetch(index.file_url(WHEEL), io.BytesIO(), sha256=sha256(data))
    assert opened() == 1


def test_importing_the_module_imports_no_library() -> None:
    code = "import sys, detente.host.net; print(sorted({'urllib3', 'ssl', 'http.client', 'netrc'} & set(sys.modules)))"
    path = os.pathsep.join(sys.path)
    answer = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True)
    assert answer.stdout == "[]\n", answer.stderr


# Bare servers


@contextlib.contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """A server that sends raw bytes, one of `answers` a connection, and hangs up; yields a URL."""

    def serve() -> None:
        for answer in answers:
            with contextlib.suppress(OSError), server.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/{WHEEL}"


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def counting_connections(index: Index) -> Callable[[], int]:
    """Count the connections that `index` accepts from now on."""
    before = index.connections
    return lambda: index.connections - before
