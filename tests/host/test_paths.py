import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detente.errors import ConfigError
from detente.host.paths import user_paths


def test_everything_lies_where_the_xdg_specification_says() -> None:
    paths = user_paths({"HOME": "/home/anna"})
    assert paths.home == "/home/anna"
    assert paths.data == "/home/anna/.local/share/detente"
    assert paths.store == "/home/anna/.local/share/detente/store"
    assert paths.builds == "/home/anna/.local/share/detente/builds"
    assert paths.environments == "/home/anna/.local/share/detente/envs"
    assert paths.generations == "/home/anna/.local/share/detente/generations"
    assert paths.current == "/home/anna/.local/share/detente/current"
    assert paths.share == "/home/anna/.local/share"
    assert paths.bin == "/home/anna/.local/bin"
    assert paths.state == "/home/anna/.local/state/detente"
    assert paths.config == "/home/anna/.config/detente"
    assert paths.cache == "/home/anna/.cache/detente"


def test_xdg_variables_are_honoured() -> None:
    names = {"DATA": "share", "STATE": "state", "CONFIG": "config", "CACHE": "cache", "BIN": "bin"}
    variables = {f"XDG_{name}_HOME": f"/x/{place}/" for name, place in names.items()}
    paths = user_paths({"HOME": "/home/anna", **variables})
    assert (paths.share, paths.data, paths.store) == ("/x/share", "/x/share/detente", "/x/share/detente/store")
    assert (paths.state, paths.config, paths.cache) == ("/x/state/detente", "/x/config/detente", "/x/cache/detente")
    assert paths.bin == "/x/bin"
    assert paths.home == "/home/anna"


@pytest.mark.parametrize("value", ["", "relative", "./x", "~/x"])
def test_xdg_variables_that_are_not_absolute_are_ignored(value: str) -> None:
    assert user_paths({"HOME": "/h", "XDG_DATA_HOME": value, "XDG_BIN_HOME": value}) == user_paths({"HOME": "/h"})


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "HOME is not set$"),
        ({"HOME": ""}, "HOME is not set$"),
        ({"HOME": "anna"}, "HOME is not set to an absolute path"),
        ({"HOME": "~"}, "HOME is not set to an absolute path"),
    ],
)
def test_a_home_that_cannot_be_used_is_a_configuration_error(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        user_paths(environ)
    assert caught.value.hint is not None
    assert "export HOME=" in caught.value.hint


@pytest.mark.parametrize("home", ["/", "//", "/home/anna/", "/home/anna//"])
def test_slashes_at_the_end_do_not_count(home: str) -> None:
    paths = user_paths({"HOME": home})
    assert paths == user_paths({"HOME": home.rstrip("/") or "/"})
    assert not any("//" in path for path in paths)


_VALUES = st.none() | st.text("/ab.~ é\udc80", max_size=5)


@pytest.mark.property
@given(_VALUES, _VALUES, _VALUES, _VALUES)
@settings(deadline=None, max_examples=150)
def test_every_path_is_absolute_or_the_home_is_refused(
    home: str | None, data: str | None, state: str | None, commands: str | None
) -> None:
    given = {"HOME": home, "XDG_DATA_HOME": data, "XDG_STATE_HOME": state, "XDG_BIN_HOME": commands}
    try:
        paths = user_paths({name: value for name, value in given.items() if value is not None})
    except ConfigError:
        assert not (home or "").startswith("/")
        return
    assert all(map(os.path.isabs, paths))
