"""Asks the `keyring` program for a password, as pip and uv do."""

from collections.abc import Mapping

from detente.errors import ToolError
from detente.host import proc
from detente.model import Command

_TIMEOUT = 30.0  # seconds: it may ask the person to unlock something


def password_of(host: str, name: str, index_url: str, environ: Mapping[str, str]) -> str:
    """Return the password of user `name` at `host`, "" where the keyring has none or cannot be asked.

    It is asked for `index_url` first, where that is on this host: some keyrings know indexes by their whole URL.
    """
    from detente.engine.sources import without_credentials

    bare = without_credentials(index_url)
    services = [bare] if bare.partition("://")[2].startswith(host) else []
    for service in (*services, host):
        try:
            answer = proc.run(Command(("keyring", "get", service, name), dict(environ), "/", timeout=_TIMEOUT))
        except ToolError:
            return ""
        password = answer.stdout.rstrip("\r\n")
        if answer.returncode == 0 and password:
            return password
    return ""
