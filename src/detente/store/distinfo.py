"""What a wheel says about itself: its file name, WHEEL, METADATA, RECORD and entry points. No input or output.

Each reader takes the text and returns plain values; ValueError carries what is wrong, in words for a person.
"""

import re
from typing import NamedTuple

from detente.names import is_command, is_name, normalized
from detente.store.breach import MOST_NAME, shown

_HASHES = {  # algorithms at least as strong as SHA-256, and the length of their digests
    "sha256": 32,
    "sha384": 48,
    "sha512": 64,
    "sha3_256": 32,
    "sha3_384": 48,
    "sha3_512": 64,
    "blake2b": 64,
    "blake2s": 32,
}
_STANDARD = str.maketrans("-_", "+/")  # from the URL-safe alphabet of base64
_TAG = re.compile(r"[A-Za-z0-9_.]+\Z")
_VERSION = re.compile(r"[A-Za-z0-9_.!+]+\Z")
_TARGET = re.compile(
    r"(?P<module>[^\s:\[]+)\s*:\s*(?P<attribute>[^\s:\[]+)\s*(?:\[[A-Za-z0-9._,\s-]*\])?\Z"
)  # entry points specification: object reference with optional extras
_SCRIPT_GROUPS = ("console_scripts", "gui_scripts")


class WheelName(NamedTuple):
    """The parts of a wheel's file name (binary distribution format specification)."""

    name: str
    version: str
    python: str
    abi: str
    platform: str

    @property
    def tag(self) -> str:
        """A short tag: Python and ABI, and the first of the platforms."""
        return f"{self.python}-{self.abi}-{self.platform.split('.')[0]}"


class Row(NamedTuple):
    """What RECORD says of one file; `digest` is empty where it has no hash, `size` -1 where it has none."""

    algorithm: str
    digest: bytes
    size: int


def parse_filename(filename: str) -> WheelName:
    """Split a wheel's file name; raise ValueError where it is none."""
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in (5, 6):
        raise ValueError(f"{shown(filename)} is not a wheel's file name")
    name, version, *_, python, abi, platform = parts
    if not is_name(name.strip("_") or "_") or not _VERSION.match(version):
        raise ValueError(f"{shown(filename)} names no distribution and version")
    if not all(map(_TAG.match, (python, abi, platform))) or (len(parts) == 6 and not parts[2][:1].isdigit()):
        raise ValueError(f"{shown(filename)} has no valid tag")
    return WheelName(name, version, python, abi, platform)


def same_version(one: str, other: str) -> bool:
    """Say whether two spellings mean one version (PEP 440; file names write `_` for `-` and, once, for `+`)."""
    if one == other:
        return True
    from packaging.version import InvalidVersion, Version

    def readings(text: str) -> set[Version]:
        found = set()
        for spelling in (text, text.replace("_", "-"), text.replace("_", "+", 1)):
            try:
                found.add(Version(spelling))
            except InvalidVersion:
                continue
        return found

    ours, theirs = readings(one), readings(other)
    if ours or theirs:
        return bool(ours & theirs)
    return normalized(one) == normalized(other)


def same_name(one: str, other: str) -> bool:
    """Say whether two spellings mean one distribution (PEP 503)."""
    return normalized(one) == normalized(other)


def parse_headers(data: bytes) -> dict[str, list[str]]:
    """Return the header fields of METADATA or WHEEL, keys in lower case, up to the first empty line."""
    fields: dict[str, list[str]] = {}
    last: list[str] = []
    for line in data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").split("\n"):
        if not line.strip():
            if fields:
                break
            continue
        if line[0] in " \t":
            if last:
                last[-1] += "\n" + line.strip()
            continue
        key, colon, value = line.partition(":")
        if not colon:
            break
        last = fields.setdefault(key.strip().lower(), [])
        last.append(value.strip())
    return fields


def only(fields: dict[str, list[str]], key: str, file: str) -> str:
    """Return the one value of `key`; raise ValueError where `file` has it not at all or twice."""
    values = fields.get(key.lower(), [])
    if len(values) != 1 or not values[0]:
        raise ValueError(f"{shown(file)} has {'no' if not values or not values[0] else 'more than one'} {key}")
    return values[0]


def wheel_version_breach(fields: dict[str, list[str]], file: str) -> str | None:
    """Say what is wrong where WHEEL asks for another major version of the format than 1, or None."""
    try:
        text = only(fields, "Wheel-Version", file)
    except ValueError as err:
        return str(err)
    if not re.match(r"\d{1,4}\.\d{1,4}\Z", text):
        return f"{shown(file)} has the Wheel-Version {shown(text)}"
    if int(text.split(".")[0]) != 1:
        return f"{shown(file)} has Wheel-Version {text}, and only 1 is known here"
    return None


def parse_record(data: bytes, file: str) -> tuple[dict[str, Row], list[str]]:
    """Return RECORD's rows by path, and what is wrong with it; raise ValueError where it cannot be read at all."""
    import csv
    import io

    try:
        text = data.decode().removeprefix("\ufeff")
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as err:
        raise ValueError(f"{shown(file)} cannot be read: {err}") from err
    rows: dict[str, Row] = {}
    breaches = []
    for cells in table:
        if not cells:
            continue
        path = cells[0]
        where = shown(path)
        try:
            row = _row(cells)
        except ValueError as err:
            breaches.append(f"{where} in {shown(file)} {err}")
            continue
        if rows.setdefault(path, row) != row:
            breaches.append(f"{where} is in {shown(file)} twice, with two hashes")
    return rows, breaches


def _row(cells: list[str]) -> Row:
    from binascii import a2b_base64

    if len(cells) > 3:
        raise ValueError(f"has {len(cells)} columns")
    text, size_text = [*cells, "", ""][1:3]
    size = -1
    if size_text:
        if not (size_text.isascii() and size_text.isdigit()):
            raise ValueError("has a size that is no number")
        size = int(size_text)
    if not text:
        return Row("", b"", size)
    algorithm, equals, value = text.partition("=")
    algorithm = algorithm.lower()  # against the letter of the rules, but sqlmap writes SHA256
    length = _HASHES.get(algorithm)
    if not equals or length is None:
        raise ValueError(f"has a weak or unknown hash ({shown(algorithm[:20])})")
    try:
        if len(value) == 2 * length:  # in hexadecimal: against the letter of the rules, but gmsh does it
            return Row(algorithm, bytes.fromhex(value), size)
        digest = a2b_base64(value.translate(_STANDARD) + "=" * (-len(value) % 4), strict_mode=True)
    except ValueError:
        raise ValueError("has a damaged hash") from None
    if len(digest) != length:
        raise ValueError("has a damaged hash")
    return Row(algorithm, digest, size)


def parse_commands(data: bytes, file: str) -> tuple[dict[str, str], list[str]]:
    """Return the commands of entry_points.txt as name -> `module:attribute`, and what is wrong with them."""
    commands: dict[str, str] = {}
    breaches: list[str] = []
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return commands, [f"{shown(file)} is not in UTF-8"]
    group = ""
    for line in map(str.strip, text.splitlines()):
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line[1:-1].strip()
            continue
        if group not in _SCRIPT_GROUPS:
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        target = _target(value)
        if not equals or not is_command(name) or len(name) > MOST_NAME:
            breaches.append(f"{shown(file)} has a command that cannot be one: {shown(line)}")
        elif target is None:
            breaches.append(f"{shown(file)} has a command that is no module:attribute: {shown(line)}")
        elif commands.setdefault(name, target) != target:
            breaches.append(f"{shown(file)} has two commands named {shown(name)}")
    return commands, breaches


def _target(value: str) -> str | None:
    match = _TARGET.match(value)
    if match is None:
        return None
    module, attribute = match["module"], match["attribute"]
    if not all(part.isidentifier() for part in f"{module}.{attribute}".split(".")):
        return None
    return f"{module}:{attribute}"
