"""Every error a person can meet: a code, an exit status, one sentence, and what to do next.

Raise the subclass that fits; only `cli.main` catches. The message is one sentence without a full stop,
`context` holds further lines (a tool's own words, the owners of a path), `hint` says what to type next.
"""

from collections.abc import Sequence


class DetenteError(Exception):
    """Base of all expected errors.

    `hint` is required so that each raiser thinks of it; pass None where nothing can be done.
    """

    code = "error"
    exit_status = 1

    def __init__(self, message: str, *, hint: str | None, context: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = tuple(context)


class UsageError(DetenteError):
    """The command line cannot be understood."""

    code = "usage"
    exit_status = 2


class ConfigError(DetenteError):
    """A configuration file or variable cannot be used."""

    code = "configuration"
    exit_status = 2


class NotFound(DetenteError):
    """No distribution, application, generation or interpreter has that name."""

    code = "not-found"
    exit_status = 3


class ResolutionError(DetenteError):
    """The requirements cannot be satisfied together; the engine's explanation is in `context`."""

    code = "resolution"
    exit_status = 4


class Refused(DetenteError):
    """Possible, but not done: policy, privileges, or an answer is missing."""

    code = "refused"
    exit_status = 5


class Collision(Refused):
    """Two owners claim one path or command; both are named."""

    code = "collision"


class StalePlan(Refused):
    """The machine changed after the plan was made."""

    code = "stale-plan"


class IntegrityError(DetenteError):
    """Bytes differ from what a lock, a RECORD or the store promises."""

    code = "integrity"


class HostileWheel(IntegrityError):
    """A wheel that breaks the rules of the wheel format or of the store; `context` lists each breach."""

    code = "bad-wheel"


class NetworkError(DetenteError):
    """An index or file server could not be reached or answered badly."""

    code = "network"


class BuildError(DetenteError):
    """A source distribution could not be built; the backend's last words are in `context`.

    `distribution` is its normalized name where it came from an index, else "".
    """

    code = "build"
    distribution = ""


class ToolError(DetenteError):
    """A program that we called failed or is missing."""

    code = "tool"


class DiskError(DetenteError):
    """The file system refused: full, read-only, no permission."""

    code = "disk"


class Unprinted(DetenteError):
    """What was asked for is done, but the answer could not be written."""

    code = "unprinted"


class Interrupted(DetenteError):
    """The person pressed Ctrl-C, or a signal asked us to stop."""

    code = "interrupted"
    exit_status = 130

    def __init__(self, signal_number: int = 2, state: str = "nothing was changed") -> None:
        super().__init__(f"interrupted; {state}", hint=None)
        self.exit_status = 128 + signal_number
