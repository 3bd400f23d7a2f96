"""What a person or a program reads: text or one JSON object on stdout, everything else on stderr."""

import os
import sys
from collections.abc import Sequence

from detente.errors import DetenteError, Unprinted
from detente.progress import Progress
from detente.progress import size as size

TYPE_CHECKING = False  # type checkers take it for true; the module `typing` itself would cost more than an error does
if TYPE_CHECKING:
    from typing import Any

SCHEMA = 1
PARTLY = 10  # the exit status where some of several failed, or a change that is made is not shown everywhere


def put(text: str) -> None:
    """Write `text` to stdout; raise Unprinted where that fails otherwise than by a closed pipe."""
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        raise
    except OSError as err:
        raise _unprinted(err) from err


def flush() -> None:
    """Write out what is held back; raise as `put` does."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as err:
        raise _unprinted(err) from err


def _unprinted(err: OSError) -> Unprinted:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left over goes nowhere
    return Unprinted(
        f"the answer could not be written: {err.strerror}",
        hint="what was asked for is done all the same; `detente history` shows it",
    )


def columns(otherwise: int = 100) -> int:
    """Return how wide a table may be: COLUMNS, the terminal's width, `otherwise` where there is none."""
    try:
        return int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
    except (ValueError, OSError):
        return otherwise


class Output:
    """Where one command speaks. With `json`, `data` is printed at the end and text is not."""

    def __init__(self, verb: str, *, json: bool, quiet: bool, verbose: bool, color: str) -> None:
        self.verb = verb
        self.json = json
        self.quiet = quiet
        self.verbose = verbose
        self.color = color == "always" or (color == "auto" and _colors(sys.stdout))

    def text(self, line: str = "") -> None:
        """Print an answer to what was asked."""
        if not self.json:
            put(printable(line) + "\n")

    def tell(self, line: str) -> None:
        """Print what was done; `-q` keeps it."""
        if not self.quiet:
            self.text(line)

    def note(self, line: str) -> None:
        """Print a remark on stderr; `-q` keeps it."""
        if not self.quiet:
            _complain(printable(line) + "\n")

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print `rows` below `heads`, in columns."""
        widths = [max(len(printable(row[i])) for row in (heads, *rows)) for i in range(len(heads))]
        for number, row in enumerate((heads, *rows)):
            line = "  ".join(f"{printable(cell):<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            if not self.json:
                put(f"\033[1m{line}\033[0m\n" if self.color and number == 0 else f"{line}\n")

    def data(self, value: "Any", *, ok: bool = True, errors: Sequence[DetenteError] = ()) -> None:
        """Print the JSON object, where that was asked for; with `errors`, not all is well."""
        if self.json:
            _print_envelope(self.verb, value, list(map(_worded, errors)), ok=ok and not errors)

    def progress(self) -> Progress:
        """Return where work tells of its progress: a line on a terminal, or only the sentences."""
        return _Line(self, live=sys.stderr.isatty() and not self.quiet and os.environ.get("TERM") != "dumb")


class _Line(Progress):
    """One line on stderr, drawn only on a terminal and only once the work has become slow."""

    SLOW = 0.6  # seconds before anything is drawn
    EVERY = 0.1

    def __init__(self, output: Output, *, live: bool) -> None:
        import threading
        import time

        self._clock = time.monotonic
        self._lock = threading.Lock()
        self._output = output
        self._live = live
        self._started = self._clock()
        self._drawn = 0.0
        self._text = ""
        self._files = self._finished = self._size = self._got = 0
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True) if live else None
        if self._ticker:
            self._ticker.start()

    def _tick(self) -> None:
        """Draw now and then, because who resolves or builds has nothing to tell meanwhile."""
        wait = self.SLOW
        while not self._over.wait(wait):
            self._draw()
            wait = self.EVERY

    def phase(self, text: str) -> None:
        self._text = text
        self._draw()

    def expect(self, files: int, size: int) -> None:
        self._files, self._size, self._finished, self._got = files, size, 0, 0

    def received(self, size: int) -> None:
        with self._lock:
            self._got += size
        self._draw()

    def completed(self, name: str) -> None:
        with self._lock:
            self._finished += 1
        self._draw()
        self.detail(f"{name} is in the store")

    def say(self, text: str) -> None:
        self._wipe()
        self._output.note(text)

    def detail(self, text: str) -> None:
        if self._output.verbose:
            self.say(text)

    def end(self) -> None:
        self._over.set()
        if self._ticker:
            self._ticker.join(self.EVERY)
        self._wipe()

    def _wipe(self) -> None:
        with self._lock:
            if self._drawn:
                sys.stderr.write("\r\033[K")
                sys.stderr.flush()
                self._drawn = 0.0

    def _draw(self) -> None:
        now = self._clock()
        if not self._live or now - self._started < self.SLOW or not self._text:
            return
        with self._lock:
            if self._over.is_set() or now - self._drawn < self.EVERY:
                return
            self._drawn = now
            line = self._text
            if self._files:
                line += f" {self._finished}/{self._files}"
            if self._got:
                line += f", {size(self._got)}"
            sys.stderr.write(f"\r\033[K{line}…")
            sys.stderr.flush()


def printable(text: str) -> str:
    """Return `text` without characters that would move the cursor or hide text; odd bytes stay as they are."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\t" or "\udc80" <= char <= "\udcff" else f"\\x{ord(char):02x}"
        for char in text
    )


def _colors(stream: "Any") -> bool:
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show_error(err: DetenteError, *, json_to: str | None) -> None:
    """Print `err`: the sentence, its context, and the hint; as an envelope too where JSON was asked for."""
    red, bold, plain = ("\033[31m", "\033[1m", "\033[0m") if _colors(sys.stderr) else ("", "", "")
    lines = [f"{red}error:{plain} {printable(err.message)}"]
    lines += [f"  {printable(line)}" for text in err.context for line in text.splitlines()]
    if err.hint:
        lines.append(f"{bold}hint:{plain} {printable(err.hint)}")
    _complain("\n".join(lines) + "\n")
    if json_to is not None:
        _print_envelope(json_to, None, [_worded(err)], ok=False)


def _worded(err: DetenteError) -> "dict[str, Any]":
    return {"code": err.code, "message": err.message, "context": list(err.context), "hint": err.hint}


def _complain(text: str) -> None:
    """Write `text` to stderr; where even that cannot be written, the exit status has to do."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _print_envelope(verb: str, value: "Any", errors: "list[dict[str, Any]]", *, ok: bool) -> None:
    import json

    envelope = {"schema": SCHEMA, "command": verb, "ok": ok, "data": value, "errors": errors}
    put(json.dumps(envelope, indent=2) + "\n")


def show_bug(argv: Sequence[str]) -> None:
    """Write the traceback to a log, and say where it is."""
    import tempfile
    import traceback

    from detente.plan.request import without_login

    words = " ".join(map(without_login, argv))
    text = f"detente {words}\n{sys.version}\n\n{traceback.format_exc()}"
    try:
        from detente.host.fs import make_directory
        from detente.host.paths import user_paths

        folder = os.path.join(user_paths(os.environ).state, "log")
        make_directory(folder)
    except (OSError, DetenteError):
        folder = tempfile.gettempdir()
    try:
        handle, path = tempfile.mkstemp(prefix="bug-", suffix=".log", dir=folder)
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
        where = f"the details are in {path}"
    except OSError:
        where = text
    last = traceback.format_exception_only(*sys.exc_info()[:2])[-1].strip()
    _complain(f"error: this is a bug in detente: {printable(last)}\n  {where}\nhint: please report it\n")
