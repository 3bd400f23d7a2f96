"""What uv 0.13 says about indexes that misbehave, word for word, and what we make of it."""

import pytest

from detente.engine.explain import explain
from detente.engine.sources import Sources
from detente.errors import IntegrityError, NetworkError, ResolutionError
from detente.model import Completed

_FAILED = "error: Failed to fetch: http://127.0.0.1:8000/simple/demo/\n"
_SENT = (
    "error: Request failed after 2 retries in 3.1s\n"
    "  cause: Failed to fetch: http://127.0.0.1:8000/simple/demo/\n"
    "  cause: error sending request for url (http://127.0.0.1:8000/simple/demo/)\n"
)


@pytest.mark.parametrize(
    ("said", "sentence", "hint"),
    [
        (f"{_SENT}  cause: client error (SendRequest)\n  cause: invalid content-length parsed", "in HTTP", "network"),
        (f"{_SENT}  cause: client error (SendRequest)\n  cause: message head is too large", "in HTTP", "network"),
        (f"{_SENT}  cause: client error (SendRequest)\n  cause: invalid HTTP version parsed", "in HTTP", "network"),
        (f"{_SENT}  cause: tunnel error: proxy authorization required", "the proxy asks for a name", "HTTPS_PROXY"),
        (f"{_SENT}  cause: tunnel error: unsuccessful", "the proxy does not connect", "proxy"),
        (
            f"{_SENT}  cause: invalid peer certificate: certificate not valid yet: verification time 1 (UNIX)",
            "not valid yet",
            "clock",
        ),
        (
            f"{_FAILED}  cause: HTTP status client error (407 Proxy Authentication Required) for url (http://h/)",
            "the proxy asks for a name",
            "HTTPS_PROXY",
        ),
        (
            f"{_FAILED}  cause: HTTP 302 Found 'Location' value `file:///etc/passwd` is not a valid HTTP URI: invalid",
            "127.0.0.1:8000 redirects to a file: address",
            "index URL",
        ),
        (
            "error: Failed to fetch: ftp://h/x\n cause: builder error for url (x)\n cause: URL scheme is not allowed",
            "gives a file a ftp: address",
            "index URL",
        ),
    ],
)
def test_the_right_cause_is_named(said: str, sentence: str, hint: str) -> None:
    error = explain(Completed(2, "", said), ["demo"], Sources())
    assert isinstance(error, NetworkError)
    assert sentence in error.message
    assert hint in (error.hint or "")


def test_metadata_that_is_not_what_the_page_announced_is_no_bug_of_uv() -> None:
    said = (
        "error: Hash mismatch for package metadata at `http://h/files/demo-1.0-py3-none-any.whl.metadata`\n\nExpected:"
    )
    error = explain(Completed(1, "", said), ["demo"], Sources())
    assert isinstance(error, IntegrityError)
    assert "demo-1.0-py3-none-any.whl.metadata" in error.message


def test_releases_that_were_all_withdrawn_are_called_so() -> None:
    said = (
        "error: No solution found when resolving dependencies:\n  cause: Because demo==1.0 was yanked (reason: broken)"
        " and only demo==1.0 is available, we can conclude that all versions of demo cannot be used.\n"
        "      And because you require demo, we can conclude that your requirements are unsatisfiable."
    )
    error = explain(Completed(1, "", said), ["demo"], Sources())
    assert isinstance(error, ResolutionError)
    assert error.message == "every release of demo that fits was withdrawn: broken"
    assert "demo==1.0" in (error.hint or "")
