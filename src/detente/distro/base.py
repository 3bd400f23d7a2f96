"""What every backend offers: commands for the distro's package manager, and parsers of their answers.

A backend is a module; nothing runs in it. Each query takes many names, because each call costs tens of
milliseconds.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from detente.model import Command


class Backend(Protocol):
    """The contract of a backend module."""

    QUERY: str
    """Absolute path of the program that answers; its presence says that the distro is of this family."""

    def owners(self, paths: Sequence[str]) -> Command:
        """Return the command that asks which system package owns each of `paths`."""
        ...

    def parse_owners(self, text: str, paths: Sequence[str]) -> Mapping[str, str]:
        """Return path to system package for those of `paths` that the answer `text` names."""
        ...
