"""Which interpreter an environment gets: the distro's own unless another is asked for.

An interpreter is named by its versioned path, keeping the directory it was found in (`/usr/bin/python3.11`),
and never by a virtual environment's link or a version manager's shim, because those change under us.
"""

import os
import re
from collections.abc import Callable, Mapping

from detente.errors import DetenteError, NotFound, Refused, UsageError
from detente.host import proc
from detente.model import Command, Interpreter
from detente.scan.executables import candidates, canonical, is_script, same
from detente.scan.inventory import Inventory, Probe

__all__ = ["DISTRO", "MINIMUM", "Inventory", "Probe", "available", "choose"]

MINIMUM = (3, 8)
DISTRO = "/usr/bin/python3"
_WISH = re.compile(r"(?:(cpython|python|cp|pypy|pp)[-@]?)?(\d+(?:\.\d+(?:\.\d+(?:(?:a|b|rc)\d+)?)?)?)?(t?)\Z")
_Fits = Callable[[Interpreter], bool]


def choose(wish: str | None, *, environ: Mapping[str, str], inventory: Inventory, distro: str = DISTRO) -> Interpreter:
    """Return the interpreter that `wish` (what was typed after `--python`) means.

    None means `distro`, or where that is missing or too old the newest on the machine. A version, or a
    specifier such as `>=3.10`, means `distro` where it fits, else the newest that fits, in /usr first. A path
    may also name a virtual environment or its directory: its base interpreter is meant.
    Raises UsageError, NotFound or Refused, naming the interpreters that exist.
    """
    text = None if wish is None else wish.strip()
    if text is not None and ("/" in text or text in (".", "..")):
        return _at_path(text, environ, inventory, distro)
    fits = _usual if text is None else _parse(text)
    chosen = _accepted(distro, fits, inventory)
    if chosen is None:
        chosen = next(iter(_found(environ, inventory, fits, _wished_minor(text))), None)
    if chosen is None:
        raise _no_such(text, environ, inventory, distro)
    return chosen


def available(environ: Mapping[str, str], inventory: Inventory, distro: str = DISTRO) -> list[Interpreter]:
    """Return every interpreter that `choose` could return, the distro's own first, then newest first."""
    own = _accepted(distro, lambda _: True, inventory)
    others = _found(environ, inventory, lambda _: True, None)
    return [*([own] if own else []), *(each for each in others if own is None or not same(each.path, own.path))]


def _at_path(text: str, environ: Mapping[str, str], inventory: Inventory, distro: str) -> Interpreter:
    path = text
    if text == "~" or text.startswith("~/"):
        path = environ.get("HOME", "~") + text[1:]
    path = os.path.abspath(path)
    if os.path.isdir(path):
        inside = [os.path.join(path, "bin", name) for name in ("python3", "python", "pypy3")]
        path = next((each for each in inside if os.path.isfile(each)), "")
        if not path:
            raise NotFound(f"the directory {text} holds no Python", hint=_hint(environ, inventory, distro))
    if not os.path.lexists(path):
        raise NotFound(f"there is no interpreter at {text}", hint=_hint(environ, inventory, distro))
    if os.path.exists(path) and not os.access(path, os.X_OK):
        raise UsageError(f"{text} may not be executed", hint=_hint(environ, inventory, distro))
    path = canonical(path)
    if is_script(path):  # a shim: what it starts today is meant
        path = canonical(inventory.executable(path))
    interpreter = inventory.interpreter(path)
    _refuse_old(interpreter.version)
    return interpreter


def _parse(text: str) -> _Fits:
    """Return the test that `text`, a version or specifier, stands for; raise UsageError where it is neither."""
    if text[:1] in ("<", ">", "=", "!", "~"):
        return _specified(text)
    match = _WISH.match(text.lower())
    if not text or match is None:
        raise UsageError(
            f"{text!r} names no Python", hint="give a version or a path: --python 3.12, --python /usr/bin/python3"
        )
    family = "pypy" if (match[1] or "").startswith("p") and match[1] != "python" else "cpython"
    version, threads = match[2] or "", bool(match[3])
    if len(version) > 1 and version.isdigit():  # as in wheel tags: cp312
        version = f"{version[0]}.{version[1:]}"
    _refuse_old(version)

    def fits(found: Interpreter) -> bool:
        if found.implementation != family or _free_threaded(found) != threads:
            return False
        if "." not in version and not _is_final(found):
            return False
        return not version or found.version == version or found.version.startswith(version + ".")

    return fits


def _specified(text: str) -> _Fits:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        specifier = SpecifierSet(text)
    except InvalidSpecifier as err:
        raise UsageError(f"{text!r} is no version specifier", hint="write it as in --python '>=3.10,<3.13'") from err
    return lambda found: _usual(found) and specifier.contains(found.version)


def _wished_minor(text: str | None) -> tuple[int, int] | None:
    """Return the minor version that `text` names, so that no other interpreter needs to be run."""
    match = re.search(r"^[a-z]*[-@]?(\d)\.?(\d+)", text.lower()) if text else None
    return (int(match[1]), int(match[2])) if match else None


def _accepted(path: str, fits: _Fits, inventory: Inventory) -> Interpreter | None:
    """Return the interpreter at `path` where it works, is new enough, and `fits`."""
    if not os.access(path, os.X_OK):
        return None
    try:
        interpreter = inventory.interpreter(canonical(path))
    except DetenteError:
        return None  # a broken interpreter on PATH is no reason to stop: the next one may fit
    return interpreter if interpreter.minor >= MINIMUM and fits(interpreter) else None


def _found(
    environ: Mapping[str, str], inventory: Inventory, fits: _Fits, minor: tuple[int, int] | None
) -> list[Interpreter]:
    """Return what fits: newest minor version first; within one the distro's first, then the newest."""
    found = []
    for rank, path in candidates(environ, minor):
        interpreter = _accepted(path, fits, inventory)
        if interpreter is not None:
            newest = tuple(-number for number in _numbers(interpreter.version))
            found.append(((newest[:2], rank, newest), interpreter))
    return [interpreter for _, interpreter in sorted(found, key=lambda each: each[0])]


def _numbers(version: str) -> tuple[int, ...]:
    """Return what orders versions; a pre-release comes before its release."""
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return (*map(int, match.groups()), int(version[match.end() :] == "")) if match else (0, 0, 0, 0)


def _is_final(found: Interpreter) -> bool:
    return found.version.replace(".", "").isdigit()


def _free_threaded(found: Interpreter) -> bool:
    return os.path.basename(os.path.dirname(found.site)).endswith("t")


def _usual(found: Interpreter) -> bool:
    return found.implementation == "cpython" and _is_final(found) and not _free_threaded(found)


def _refuse_old(version: str) -> None:
    if "." in version and tuple(int(number) for number in version.split(".")[:2]) < MINIMUM:
        raise Refused(
            f"Python {version} is too old: {MINIMUM[0]}.{MINIMUM[1]} or newer is needed",
            hint="leave out --python to use the distro's own Python",
        )


def _no_such(text: str | None, environ: Mapping[str, str], inventory: Inventory, distro: str) -> NotFound:
    least = f"{MINIMUM[0]}.{MINIMUM[1]}"
    message = f"there is no Python {text} on this machine" if text else f"there is no Python {least} or newer here"
    minor = _wished_minor(text)
    if minor is not None and text is not None and text[-1] != "t":
        name = f"python{minor[0]}.{minor[1]}"
        if _apt_offers(name, environ):
            return NotFound(message, hint=f"sudo apt install {name}")
    return NotFound(message, hint=_hint(environ, inventory, distro))


def _apt_offers(name: str, environ: Mapping[str, str]) -> bool:
    """Say whether apt knows a system package of this name; half a second, for error messages alone."""
    if not os.access("/usr/bin/apt-cache", os.X_OK):
        return False
    environment = {"PATH": environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    try:
        answer = proc.run(Command(("/usr/bin/apt-cache", "pkgnames", name), environment, timeout=10.0))
    except DetenteError:
        return False
    return name in answer.stdout.split()


def _hint(environ: Mapping[str, str], inventory: Inventory, distro: str) -> str:
    here = [f"{each.version} ({each.path})" for each in available(environ, inventory, distro)]
    return "choose one that is here: " + ", ".join(here) if here else "install Python: sudo apt install python3"
