"""Reads from a lock of one distribution what the index said of that version. Pure."""

from typing import NamedTuple

from detente.names import normalized


class Offered(NamedTuple):
    """One version on the index: `uploaded` is when its first file came there, ISO 8601 in UTC, "" where unknown.

    `wheel`: it has a wheel that fits; else it must be built.
    """

    name: str
    version: str
    uploaded: str
    wheel: bool


def offered(text: str, name: str) -> Offered | None:
    """Return what the lock `text` says of the distribution `name`; None where it has none, or is no lock."""
    import tomllib

    try:
        packages = tomllib.loads(text).get("packages")
    except tomllib.TOMLDecodeError:
        return None
    for entry in packages if isinstance(packages, list) else ():
        if isinstance(entry, dict) and normalized(str(entry.get("name", ""))) == normalized(name):
            wheels = entry.get("wheels")
            wheels = wheels if isinstance(wheels, list) else []
            files = [item for item in (*wheels, entry.get("sdist")) if isinstance(item, dict)]
            times = [_utc(item.get("upload-time")) for item in files if item.get("upload-time")]
            return Offered(normalized(name), str(entry.get("version", "")), min(times, default=""), bool(wheels))
    return None


def _utc(moment: object) -> str:
    """Return a TOML date and time, which uv writes in UTC, as ISO 8601 to the second; "" for anything else."""
    text = str(moment).replace(" ", "T")
    return text[:19] + "Z" if len(text) >= 19 and text[10] == "T" else ""
