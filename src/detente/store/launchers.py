"""Scripts: those inside an environment, as every virtual environment has them, and the launchers outside.

A launcher is a small shell script that looks whether its interpreter is still there, and says what to type
where it is not; what is exposed on PATH are launchers.
"""

import re
from collections.abc import Sequence

from detente.names import SELF, normalized

SHEBANG_LIMIT = 127  # bytes that every kernel reads of a first line (execve(2))
_PLAIN = re.compile(rb"[A-Za-z0-9/ ._,:=@%+-]+")  # means itself between single quotes, to the shell and to Python
_GONE = r"printf 'error: %s needs %s, which is gone\nhint: %s\n'"
_MOVED = r"printf 'error: %s was at home in %s, which is gone (was it moved?)\nhint: %s\n'"
_SELF_VERSIONS = range(11, 20)  # minor versions of Python 3 that the fallback looks for by name


def quoted(text: str) -> str:
    """Quote `text` for the shell, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def encoded(text: str) -> bytes:
    """Return the bytes of a path or script, odd file names kept as they are."""
    return text.encode("utf-8", "surrogateescape")


def shebang(interpreter: str) -> bytes:
    """Return the first line (or two) that start `interpreter` on the rest of the file, whatever is in its path.

    Where the path is too long, has a space or is no UTF-8, `/bin/sh` starts it: the second line is a command to
    the shell, and to Python a string, in ASCII so that the rest is read as it was written.
    """
    path = encoded(interpreter)
    line = b"#!" + path
    if len(line) <= SHEBANG_LIMIT and min(path) > ord(" ") and _is_utf8(path):
        return line + b"\n"
    if _PLAIN.fullmatch(path):
        word = b"'" + path + b"'"
    else:
        octal = b"".join(bytes([byte]) if _PLAIN.match(bytes([byte])) else b"\\0%03o" % byte for byte in path)
        word = b"\"$(printf %b '" + octal + b"')\""
    return b"#!/bin/sh\n'exec' " + word + b' "$0" "$@"\n'


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def entry_point(interpreter: str, target: str) -> bytes:
    """Return a console script that calls `target` (`module:attribute`, entry points specification)."""
    module, _, attribute = target.partition(":")
    head = attribute.split(".")[0]
    return (
        shebang(interpreter)
        + (
            f"import sys\nfrom {module} import {head}\nif __name__ == '__main__':\n    sys.exit({attribute}())\n"
        ).encode()
    )


def rewritten(interpreter: str, script: bytes) -> bytes:
    """Return a wheel's Python script with its `#!python` line made to name the environment's interpreter."""
    _, _, rest = script.partition(b"\n")
    return shebang(interpreter) + rest


def launcher(command: str, again: str, environment: str, interpreter: str) -> bytes:
    """Return the launcher of `command`: it runs `<environment>/bin/<command>` while `interpreter` is there.

    Where it is gone, the person is told to type `again`. It sets no variable: the command would inherit it.
    """
    place = quoted(environment)
    lines = [
        "#!/bin/sh",
        f'if [ -x {place}/bin/python ]; then exec {place}/bin/{quoted(command)} "$@"; fi',
        f"if [ ! -d {place} ]; then {_MOVED} {quoted(command)} {place} {quoted(again)} >&2; exit 127; fi",
        f"{_GONE} {quoted(command)} {quoted(interpreter)} {quoted(again)} >&2",
        "exit 127",
        "",
    ]
    return encoded("\n".join(lines))


def self_launcher(environment: str, interpreter: str, site: str) -> bytes:
    """Return the launcher of detente itself: where its interpreter is gone, any other Python 3.11 or later runs it."""
    main, own = quoted(f"{environment}/{site}/detente/__main__.py"), quoted(interpreter)
    names = " ".join(f"python3.{minor}" for minor in reversed(_SELF_VERSIONS))
    lines = [
        "#!/bin/sh",
        f'if [ ! -e {main} ]; then {_MOVED} detente {main} "./detente setup, in a checkout of it" >&2; exit 127; fi',
        f'if [ -x {own} ]; then exec {own} -I -S {main} "$@"; fi',
        f"for _detente in /usr/bin/python3 python3 {names}; do",
        '  _detente=$(command -v "$_detente") || continue',
        "  if \"$_detente\" -I -S -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then",
        f'    exec "$_detente" -I -S {main} "$@"',
        "  fi",
        "done",
        "echo 'error: detente needs Python 3.11 or later, and finds none' >&2",
        "echo 'hint: install it from the distribution: sudo apt install python3' >&2",
        "exit 127",
        "",
    ]
    return encoded("\n".join(lines))


def for_commands(
    names: Sequence[str], again: str, environment: str, interpreter: str, site: str, primary: str
) -> dict[str, bytes]:
    """Return the launchers of `names`, by name; detente's own is the one that survives its interpreter."""
    return {
        name: self_launcher(environment, interpreter, site)
        if name == SELF and normalized(primary) == SELF
        else launcher(name, again, environment, interpreter)
        for name in names
    }
