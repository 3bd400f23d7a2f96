"""What the index said of one version, read from a lock that uv 0.13.9 wrote (host names changed)."""

import pytest

from detente.engine.offered import Offered, offered

WHEEL = """\
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.11.2"

[[packages]]
name = "httpie"
version = "3.2.4"
sdist = { url = "https://index.example/httpie-3.2.4.tar.gz", upload-time = 2024-11-01T17:31:24Z, hashes = { } }
wheels = [{ url = "https://index.example/httpie-3.2.4-py3-none-any.whl", upload-time = 2024-11-01T17:31:22Z, size = 127512, hashes = { sha256 = "4bd0435cc4b9bca59501bc65089de96f3e93b393803f32a81951db62050ebf0b" } }]
"""  # noqa: E501
SOURCE = """\
lock-version = "1.0"

[[packages]]
name = "docopt"
version = "0.6.2"
sdist = { url = "https://index.example/docopt-0.6.2.tar.gz", upload-time = 2014-06-16T11:18:57Z }
"""


def test_the_version_and_when_its_first_file_came() -> None:
    assert offered(WHEEL, "HTTPie") == Offered("httpie", "3.2.4", "2024-11-01T17:31:22Z", True)
    assert offered(SOURCE, "docopt") == Offered("docopt", "0.6.2", "2014-06-16T11:18:57Z", False)


def test_an_index_that_names_no_time_leaves_it_out() -> None:
    text = SOURCE.replace(", upload-time = 2014-06-16T11:18:57Z", "")
    assert offered(text, "docopt") == Offered("docopt", "0.6.2", "", False)


@pytest.mark.parametrize("text", ["", "packages = 3", "[[packages]]\nname = 'other'\n", "no toml", "packages = [1]"])
def test_what_has_nothing_of_it_is_none(text: str) -> None:
    assert offered(text, "docopt") is None


@pytest.mark.parametrize("value", ["3", '"x"', "2014-06-16", "11:18:57", "[]"])
def test_an_odd_time_is_none(value: str) -> None:
    found = offered(SOURCE.replace("2014-06-16T11:18:57Z", value), "docopt")
    assert found is not None
    assert found.uploaded == ""
