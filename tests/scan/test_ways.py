"""The way to an index is not left for an unencrypted one, and a proxy on it is named."""

import pytest

from detente.engine.sources import Sources
from detente.errors import NetworkError, ResolutionError
from detente.model import Artifact
from detente.scan.ways import by_proxy, check_encrypted, whom

_PLAIN = (Artifact("wheel", "demo", "1.0", "http://mirror:80/demo-1.0-py3-none-any.whl", "demo-1.0-py3-none-any.whl"),)


def test_an_encrypted_index_does_not_lead_to_an_unencrypted_file() -> None:
    with pytest.raises(NetworkError, match=r"unencrypted address of demo-1\.0"):
        check_encrypted(_PLAIN, Sources(index_url="https://index/simple/"), ["demo"])
    with pytest.raises(NetworkError):
        check_encrypted(_PLAIN, Sources(), ["demo"])


@pytest.mark.parametrize(
    ("sources", "requirement"),
    [
        (Sources(index_url="http://index/simple/"), "demo"),
        (Sources(extra_index_urls=("http://index/simple/",)), "demo"),
        (Sources(plain=True), "demo"),
        (Sources(insecure_hosts=("mirror",)), "demo"),
        (Sources(), "demo @ http://mirror:80/demo-1.0-py3-none-any.whl"),
    ],
)
def test_who_asks_for_an_unencrypted_way_gets_it(sources: Sources, requirement: str) -> None:
    check_encrypted(_PLAIN, sources, [requirement])


def test_a_proxy_is_named_without_its_password() -> None:
    error = NetworkError("index.example does not answer in time", hint=None)
    told = by_proxy(error, Sources(), {"https_proxy": "http://me:secret@proxy:3128"})
    assert told.message == "index.example does not answer in time (asked by way of the proxy proxy:3128)"


def test_a_proxy_that_plays_no_part_is_not_named() -> None:
    error = NetworkError("index.example does not answer in time", hint=None)
    environ = {"https_proxy": "http://proxy:3128", "no_proxy": ".example"}
    assert by_proxy(error, Sources(), environ) is error
    other = ResolutionError("no", hint=None)
    assert by_proxy(other, Sources(proxy="proxy:3128"), {}) is other


def test_the_index_is_called_by_its_host() -> None:
    assert whom(Sources(index_url="https://me:secret@index:8443/simple/")) == "index:8443"
    assert whom(Sources()) == "the index"
