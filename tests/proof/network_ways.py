"""Behaviours on the way to an index: names, routes, certificates, proxies; and two indexes at once."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proof.network_scene import Behaviour, Expect, Scene
from support.answers import Fault
from support.machine import Answer
from support.wheels import make_wheel

ALONE = ("unshare", "-n") if os.geteuid() == 0 else ("bwrap", "--dev-bind", "/", "/", "--unshare-net")
_DEAF = """
import os, socket, struct, subprocess, sys
import fcntl
control = socket.socket()
fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind(("127.0.0.1", 53))  # hears every question and answers none
sys.exit(subprocess.call(sys.argv[1:]))
"""


def certificate(folder: Path, *, name: str = "IP:127.0.0.1", days: tuple[int, int] = (-1, 30)) -> str:
    """Make a self-signed certificate with its key in one file, valid between two days from now; needs openssl."""
    import datetime as dt

    folder.mkdir(parents=True, exist_ok=True)
    key, request, chain, both = (folder / part for part in ("key.pem", "request.pem", "chain.pem", "both.pem"))
    now = dt.datetime.now(dt.UTC)
    start, end = (f"{now + dt.timedelta(days=day):%Y%m%d%H%M%SZ}" for day in days)
    (folder / "extensions").write_text(f"subjectAltName={name}\nbasicConstraints=CA:FALSE\n")
    (folder / "index.txt").write_text("")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=own\n[own]\ndatabase={folder}/index.txt\nnew_certs_dir={folder}\nrand_serial=yes\n"
        "default_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
    )
    for words in (
        ("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key)),
        ("req", "-new", "-key", str(key), "-out", str(request), "-subj", "/CN=test"),
        ("ca", "-config", str(folder / "ca.cnf"), "-batch", "-notext", "-selfsign", "-keyfile", str(key),
         "-in", str(request), "-out", str(chain), "-startdate", start, "-enddate", end,
         "-extfile", str(folder / "extensions")),
    ):  # fmt: skip
        subprocess.run(["openssl", *words], check=True, capture_output=True, env={"PATH": os.defpath})
    both.write_text(key.read_text() + chain.read_text())
    return str(both)


def _with_certificate(says: str, *, trusted: bool = True, **how: Any) -> Callable[[Scene], Expect]:
    def arrange(scene: Scene) -> Expect:
        pem = certificate(scene.folder / "certificate", **how)
        scene.use(scene.another(certificate=pem).url)
        if trusted:
            scene.machine.environ["SSL_CERT_FILE"] = pem
            scene.good["SSL_CERT_FILE"] = ""
        return Expect(1 if says else 0, says)

    return arrange


def _file_behind(says: str, **how: Any) -> Callable[[Scene], Expect]:
    """The page is well; the file comes from a second server with this certificate."""

    def arrange(scene: Scene) -> Expect:
        pem = certificate(scene.folder / "certificate", **how)
        other = scene.another(certificate=pem)
        scene.file(redirect=other.file_url("demo-1.0-py3-none-any.whl"))
        scene.machine.environ["SSL_CERT_FILE"] = pem
        scene.good["SSL_CERT_FILE"] = ""
        return Expect(1, says)

    return arrange


def _downgraded(what: str) -> Callable[[Scene], Expect]:
    def arrange(scene: Scene) -> Expect:
        pem = certificate(scene.folder / "certificate")
        secure = scene.another(certificate=pem)
        plain = scene.index.url if what == "/simple/" else scene.index.root + "/files/"
        for name in ("demo/", "dep/") if what == "/simple/" else ("demo-1.0-py3-none-any.whl",):
            secure.fault(what + name, Fault(redirect=plain + name), whole=True)
        scene.use(secure.url)
        scene.machine.environ["SSL_CERT_FILE"] = pem
        scene.good["SSL_CERT_FILE"] = ""
        return Expect(1, "unencrypted")

    return arrange


def _plain_on_tls(scene: Scene) -> Expect:
    scene.use(scene.index.url.replace("http:", "https:"))
    return Expect(1, "does not speak HTTPS")


def _mute(scene: Scene) -> Expect:
    """A server that accepts and never shakes hands."""
    silent = scene.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    scene.use(f"https://127.0.0.1:{silent.getsockname()[1]}/simple/")
    return Expect(1, "does not answer in time")


def _closed(scene: Scene) -> Expect:
    scene.use(f"http://127.0.0.1:{_closed_port()}/simple/")
    return Expect(1, "127.0.0.1:[0-9]+ refuses the connection")


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _full(scene: Scene) -> Expect:
    """A host that drops every packet: the queue of a listener is full, so the kernel answers no further one."""
    server = scene.stack.enter_context(socket.socket())
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    for _ in range(4):
        client = scene.stack.enter_context(socket.socket())
        client.setblocking(False)
        client.connect_ex(server.getsockname())
    scene.use(f"http://127.0.0.1:{server.getsockname()[1]}/simple/")
    return Expect(1, "does not answer in time|cannot be reached")


def _no_route(scene: Scene) -> Expect:
    scene.wrapper = ALONE
    scene.use("http://192.0.2.1/simple/")
    return Expect(1, "cannot be reached|unreachable")


def _no_name_server(scene: Scene) -> Expect:
    scene.wrapper = ALONE
    scene.use("http://index.example/simple/")
    return Expect(1, "index.example cannot be found")


def _deaf_name_server(scene: Scene) -> Expect:
    """A name server that never answers, in a network and a file system view of the command's own."""
    (scene.folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    mounted = f'mount --bind {scene.folder}/resolv.conf "$(realpath /etc/resolv.conf)" && exec "$@"'
    scene.wrapper = ("unshare", "-n", "-m", "--propagation", "private", "sh", "-c", mounted, "sh",
                     sys.executable, "-c", _DEAF)  # fmt: skip
    scene.use("http://index.example/simple/")
    return Expect(1, "index.example (cannot be found|does not answer in time)")


def _unknown_name(scene: Scene) -> Expect:
    scene.use("http://index.invalid/simple/")
    return Expect(1, "index.invalid (cannot be found|does not answer in time)")


def _proxy(says: str, *, port: int = 0, **fault: Any) -> Callable[[Scene], Expect]:
    def arrange(scene: Scene) -> Expect:
        proxy = scene.another()
        proxy.fault("", Fault(**fault))
        address = f"http://127.0.0.1:{_closed_port()}" if port else proxy.root
        scene.machine.environ.update(http_proxy=address, https_proxy=address, HTTPS_PROXY=address, HTTP_PROXY=address)
        scene.good.update(http_proxy="", https_proxy="", HTTPS_PROXY="", HTTP_PROXY="", NO_PROXY="*")
        scene.use("https://index.example/simple/" if fault.pop("secure", False) else "http://index.example/simple/")
        return Expect(1, says)

    return arrange


def _tunnel(says: str, **fault: Any) -> Callable[[Scene], Expect]:
    inner = _proxy(says, **fault)

    def arrange(scene: Scene) -> Expect:
        expected = inner(scene)
        scene.use("https://index.example/simple/")
        return expected

    return arrange


def _two(scene: Scene) -> Expect:
    """The extra index has dep 1.0, the main one a newer dep of somebody else: one index for each name."""
    public, private = scene.folder / "public", scene.folder / "private"
    make_wheel(public, "dep", "99.0", files={"dep/evil.py": "EVIL = 1\n"})
    make_wheel(public, "demo", "1.0", commands=["demo"], requires=["dep>=1"])
    make_wheel(private, "dep", "1.0")
    shown, hidden = scene.another(public), scene.another(private)
    scene.use(shown.url)
    scene.words = ("install", "demo", "--extra-index-url", hidden.url)
    scene.good.update(PIP_INDEX_URL=shown.url, PIP_EXTRA_INDEX_URL=hidden.url)

    def after(scene: Scene, _: Answer) -> str:
        said = scene.machine.call("demo").out
        if said != "demo 1.0\ndep 1.0\n":
            return f"dep came from the wrong index: {said}"
        taken = [path for path in shown.requests if path.startswith("/files/dep")]
        return f"files of dep were taken from both: {taken}" if taken else ""

    return Expect(after=after)


def _replaced(scene: Scene) -> Expect:
    """The page still names the hash that was resolved, and other bytes lie there by now."""
    other = scene.folder / "other"
    real = make_wheel(other, "demo", "1.0", commands=["demo"], files={"demo/evil.py": "EVIL = 1\n"})
    scene.file(body=real.read_bytes(), content_type="application/octet-stream")

    def after(_: Scene, answer: Answer) -> str:
        both = "expected: " in answer.err and "found: " in answer.err
        return "" if both else "the two digests are not shown"

    return Expect(1, "has another SHA-256 than the lock names", after=after)


def _clock(scene: Scene) -> Expect:
    """The machine's clock is thirty years behind (faketime): every certificate is from the future."""
    pem = certificate(scene.folder / "certificate")
    scene.wrapper = ("faketime", "-f", "-30y")
    scene.use(scene.another(certificate=pem).url)
    scene.machine.environ["SSL_CERT_FILE"] = pem
    scene.good["SSL_CERT_FILE"] = ""
    return Expect(1, "clock")


BEHAVIOURS = [
    Behaviour("the index refuses connections", _closed, waits=True),
    Behaviour("the index drops every packet", _full, waits=True),
    Behaviour("no route leads to the index", _no_route, waits=True),
    Behaviour("there is no name server", _no_name_server, waits=True),
    Behaviour("the index has a name that nobody knows", _unknown_name, waits=True),
    Behaviour("the certificate has expired", _with_certificate("has expired.*clock", days=(-9, -2)), waits=True),
    Behaviour("the certificate is not valid yet", _with_certificate("not valid yet.*clock", days=(3, 9)), waits=True),
    Behaviour(
        "the certificate is for another host",
        _with_certificate("for another host", name="DNS:other.example"),
        waits=True,
    ),
    Behaviour(
        "nobody we trust signed the certificate", _with_certificate("nobody we trust", trusted=False), waits=True
    ),
    Behaviour("an authority of one's own signed the certificate", _with_certificate("")),
    Behaviour("the file's certificate has expired", _file_behind("has expired.*clock", days=(-9, -2))),
    Behaviour("the file's certificate is not valid yet", _file_behind("not valid yet.*clock", days=(3, 9))),
    Behaviour("the file's certificate is for another host", _file_behind("another host", name="DNS:other.example")),
    Behaviour("plain HTTP where HTTPS should be", _plain_on_tls, waits=True),
    Behaviour("a TLS server never shakes hands", _mute, waits=True),
    Behaviour("pages lead from https to http", _downgraded("/simple/")),
    Behaviour("a file leads from https to http", _downgraded("/files/")),
    Behaviour("the proxy is down", _proxy("refuses the connection .*the proxy 127.0.0.1:[0-9]+", port=1), waits=True),
    Behaviour(
        "the proxy wants a name and password", _proxy("the proxy asks for a name and password", status=407), waits=True
    ),
    Behaviour(
        "the proxy wants them for https, too", _tunnel("the proxy asks for a name and password", status=407), waits=True
    ),
    Behaviour("the proxy cannot reach the index", _tunnel("the proxy does not connect", status=502), waits=True),
    Behaviour("the proxy never answers", _proxy("does not answer in time.* the proxy 127", stall=300), waits=True),
    Behaviour("a name is on two indexes", _two),
    Behaviour("other bytes lie under the name that was resolved", _replaced),
]
if os.geteuid() == 0:
    BEHAVIOURS.append(Behaviour("a name server never answers", _deaf_name_server, waits=True))
if shutil.which("faketime"):
    BEHAVIOURS.append(Behaviour("the clock is thirty years behind", _clock))
