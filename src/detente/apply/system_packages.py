"""Let the distro's package manager install: as root, before the person's eyes, to its own end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detente.distro import apt
from detente.host import escalate, proc

if TYPE_CHECKING:
    from detente.errors import DetenteError
    from detente.model import Command


def install(command: Command, typed: str, *, output: int | None = None) -> tuple[DetenteError | None, int]:
    """Run `command`, which has what gives it its privileges before it; `typed` is what a person would type as root.

    `output` is the descriptor that takes what it says (None: ours). Return the error that it ended with, None where
    it did its work, and the signal that came meanwhile, 0 where none did.
    """
    answer, signal = proc.attend(command, output=output)
    if answer.returncode == 0:
        return None, signal
    return escalate.denial(command, answer, typed) or apt.complaint(answer), signal
