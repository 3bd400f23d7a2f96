"""The way in: find the verb, run it, and turn whatever goes wrong into one sentence and an exit status."""

import gc
import os
import sys
from collections.abc import Sequence
from types import FrameType

from detente import __version__
from detente.cli.output import flush, put
from detente.cli.table import ALIASES, EXAMPLES, HABITS, VERBS
from detente.errors import DetenteError, Interrupted, ToolError, UsageError

BUG = 70  # sysexits.h EX_SOFTWARE
_CROWDED = "no more processes or threads may be started here"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return its exit status (docs/errors.md lists them)."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    gc.set_threshold(100_000, 50)  # short-lived: to look for cycles at every import costs more than they hold
    _open_standard_streams()
    _prepare_streams()
    _listen_for_signals()
    try:
        status = _dispatch(argv)
        flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141
    except KeyboardInterrupt:
        status = _failed(Interrupted(), argv)
    except DetenteError as err:
        status = _failed(err, argv)
    except OSError as err:
        from detente.host.fs import disk_error

        status = _failed(disk_error(err, f"running detente {argv[0] if argv else ''}".rstrip()), argv)
    except RuntimeError as err:
        if "can't start new thread" in str(err):
            status = _failed(ToolError(_CROWDED, hint="end other programs, or raise the limit: ulimit -u"), argv)
        else:
            status = _bug(argv)
    except Exception:  # noqa: BLE001 - the one boundary: a bug becomes a log and a status
        status = _bug(argv)
    return _leave(status)


def _dispatch(argv: list[str]) -> int:
    from detente.cli import overview

    before: list[str] = []
    rest = list(argv)
    while rest and rest[0].startswith("-") and rest[0] not in ("-h", "--help", "-V", "--version"):
        before.append(rest.pop(0))
        if before[-1] == "--color" and rest:
            before.append(rest.pop(0))
    if not rest:
        if before:
            raise UsageError(f"{before[0]} needs a command", hint="detente --help lists them")
        put(overview.text(VERBS, EXAMPLES))
        return 0
    word = rest.pop(0)
    if word in ("-h", "--help", "help"):
        known = ALIASES.get(rest[0], rest[0]) if rest else ""
        if known in VERBS:
            return _run(known, ["--help"])
        put(overview.text(VERBS, EXAMPLES))
        return 0
    if word in ("-V", "--version", "version"):
        put(f"detente {__version__}\n")
        return 0
    verb = ALIASES.get(word, word)
    if verb not in VERBS:
        if word in HABITS:
            raise UsageError(f"detente has no command `{word}`", hint=HABITS[word])
        near = overview.nearest(word, [*VERBS, *ALIASES])
        raise UsageError(
            f"detente has no command `{word}`",
            hint=f"did you mean: detente {near}" if near else "detente --help lists the commands",
        )
    return _run(verb, [*before, *rest])


def _run(verb: str, argv: list[str]) -> int:
    from importlib import import_module

    from detente.cli import options

    module = import_module(f"detente.cli.commands.{VERBS[verb].module}")
    parser = options.Parser(verb, VERBS[verb].summary, os.environ)
    module.configure(parser)
    try:
        parsed = parser.parse(argv)
    except SystemExit as end:  # argparse has printed the help
        return int(end.code or 0)
    return int(module.run(parsed, options.Invocation(verb, argv, parsed)))


def _open_standard_streams() -> None:
    """Put /dev/null where cron or a daemon gave us nothing, before a file of ours gets that number."""
    while True:
        fd = os.open(os.devnull, os.O_RDWR)
        if fd > 2:
            os.close(fd)
            break
        os.set_inheritable(fd, True)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _prepare_streams() -> None:
    """Let odd file names through as the bytes they are, and never fail on what a terminal cannot show."""
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors=errors)


def _listen_for_signals() -> None:
    """Make the first interrupt an exception; a second one ends us at once (state is whole at every moment)."""
    import signal

    def on_signal(number: int, _frame: FrameType | None) -> None:
        changes = sys.modules.get("detente.host.signals")  # where nothing changes, it is not even loaded
        if changes is not None and changes.done():
            changes.remember(number)
            return
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, lambda again, _: os._exit(128 + again))
        sys.unraisablehook = lambda _: None  # a thread that was just starting has nothing to tell any more
        raise Interrupted(number)

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup(1)
        signal.signal(signal.SIGHUP, on_signal)


def _failed(err: DetenteError, argv: list[str]) -> int:
    from detente.cli.output import show_error

    verb = next((word for word in argv if word in VERBS or word in ALIASES), "")
    json = "--json" in argv or os.environ.get("DETENTE_JSON", "").lower() in ("1", "true", "yes", "on")
    show_error(err, json_to=ALIASES.get(verb, verb) if json else None)
    return err.exit_status


def _bug(argv: list[str]) -> int:
    from detente.cli.output import show_bug

    show_bug(argv)
    return BUG


def _leave(status: int) -> int:
    """End: no interrupt counts any more, and threads that are still at work hold nothing that matters."""
    import signal

    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)
    return status
