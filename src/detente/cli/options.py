"""Options: one parser per call, shared flags, and every option also from the environment and configuration."""

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from detente import config
from detente.cli.output import Output
from detente.cli.overview import nearest
from detente.cli.table import OPTION_HABITS, OPTIONS, VERBS
from detente.errors import ConfigError, UsageError

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"", "0", "false", "no", "off"}


def _formatter(prog: str) -> argparse.RawDescriptionHelpFormatter:
    """Return argparse's formatter with a width of ours: to ask for one itself it would import `shutil`."""
    try:
        width = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size().columns
    except (ValueError, OSError):
        width = 100
    return argparse.RawDescriptionHelpFormatter(prog, width=max(width - 2, 20))


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are UsageErrors, and whose defaults come from DETENTE_… and the configuration."""

    def __init__(self, verb: str, summary: str, environ: Mapping[str, str]) -> None:
        super().__init__(
            prog=f"detente {verb}",
            description=summary[0].upper() + summary[1:] + ".",
            formatter_class=_formatter,
            allow_abbrev=False,
            add_help=False,
        )
        self._verb = verb
        self._environ = environ
        self._configured: dict[str, Any] = {}
        self.add_argument("-h", "--help", action="help", help="show this and end")

    def examples(self, *pairs: tuple[str, str]) -> None:
        """Show `pairs` of command and meaning below the options."""
        width = max(len(command) for command, _ in pairs)
        self.epilog = "examples:\n" + "\n".join(f"  {command:<{width}}  {what}" for command, what in pairs)

    def option(self, *flags: str, **settings: Any) -> None:
        """Add an option; its default is DETENTE_<NAME>, then the configuration's key, then `default`."""
        name = next(flag for flag in flags if flag.startswith("--"))[2:]
        action = settings.get("action")
        variable = "DETENTE_" + name.upper().replace("-", "_")
        text = self._environ.get(variable)
        where = f"the variable {variable}"
        value: Any = text
        if text is None:
            value, where = config.value(self._environ, self._verb, name)
        if value is not None:
            settings["default"] = _typed(value, where, action, settings.get("type"))
            self._configured[name.replace("-", "_")] = settings["default"]
            if "choices" in settings and settings["default"] not in settings["choices"]:
                raise ConfigError(
                    f"{where} cannot be `{value}`", hint=f"write one of: {', '.join(settings['choices'])}"
                )
        self.add_argument(*flags, **settings)

    def reading(self) -> None:
        """Add what every reading command has."""
        self.option("--json", action="store_true", help="print one JSON object and nothing else")
        self._always()

    def changing(self) -> None:
        """Add what every changing command has."""
        self.option("-n", "--dry-run", action="store_true", help="show the plan and change nothing")
        self.option("-y", "--yes", action="store_true", help="answer yes to every question")
        self.option("--json", action="store_true", help="print one JSON object: with -n the plan, else the result")
        self._always()

    def _always(self) -> None:
        self.option("-q", "--quiet", action="store_true", help="say nothing but errors")
        self.option("-v", "--verbose", action="store_true", help="say more")
        self.option("--color", choices=("auto", "always", "never"), default="auto", help="default: on a terminal")

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse `argv`, options and names in any order; raise UsageError where something is not understood.

        `configured` of the answer holds what variables and configuration say of options.
        """
        for word in argv:
            if word[:1] in "–—−" and word:
                raise UsageError(
                    f"`{word}` begins with a dash that is no hyphen", hint=f"type it as: --{word.lstrip('–—−-')}"
                )
        config.check_top(self._environ, VERBS, OPTIONS)
        config.check(
            self._environ, self._verb, {flag[2:] for action in self._actions for flag in action.option_strings}
        )
        parsed, unknown = self.parse_known_intermixed_args(argv) if self._mixes() else self.parse_known_args(argv)
        if unknown:
            word = unknown[0]
            known = [flag for action in self._actions for flag in action.option_strings]
            plain = word.partition("=")[0]
            near = nearest(plain, [flag for flag in known if flag.startswith("--")], 3)
            guess = f"did you mean {near}" if near else f"detente {self._verb} --help lists the options"
            raise UsageError(
                f"detente {self._verb} has no option {word}" if word.startswith("-") else f"`{word}` is too much here",
                hint=OPTION_HABITS.get(plain, guess),
            )
        parsed.configured = self._configured
        return parsed

    def _mixes(self) -> bool:
        return not any(action.nargs == argparse.REMAINDER for action in self._actions)

    def error(self, message: str) -> NoReturn:
        """Raise argparse's complaint as a UsageError."""
        raise UsageError(message, hint=f"detente {self._verb} --help shows how it is used")


def _typed(value: Any, where: str, action: str | None, kind: Any) -> Any:
    """Return `value`, from a variable or a TOML file, as the option wants it; raise ConfigError where it cannot be."""
    if action == "store_true":
        text = str(value).lower()
        if text not in _TRUE | _FALSE:
            raise ConfigError(f"{where} must be yes or no, not `{value}`", hint="write true or false")
        return text in _TRUE
    if action == "append":
        values = value.split() if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
            raise ConfigError(f"{where} must be a list of texts, not `{value}`", hint='write it as ["one", "two"]')
        return values
    if kind is int:
        text = "" if isinstance(value, bool) else str(value)
        if not text.isascii() or not text.isdigit():
            raise ConfigError(f"{where} cannot be `{value}`", hint="write a whole number")
        return int(text)
    if not isinstance(value, str):
        raise ConfigError(f"{where} must be text, not `{value}`", hint=f'put it in quotes: "{value}"')
    return value


class Invocation:
    """One call of a verb: its words as typed, and where it speaks."""

    def __init__(self, verb: str, argv: Sequence[str], parsed: argparse.Namespace) -> None:
        self.verb = verb
        self.command = (verb, *argv)
        self.environ = os.environ
        self.output = Output(
            verb,
            json=getattr(parsed, "json", False),
            quiet=getattr(parsed, "quiet", False),
            verbose=getattr(parsed, "verbose", False),
            color=getattr(parsed, "color", "auto"),
        )
