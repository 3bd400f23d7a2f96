"""`detente install`: have applications."""

import argparse
import os

from detente.api import Outcome
from detente.cli import afterwards, asking, changes, ways
from detente.cli.options import Invocation, Parser
from detente.cli.output import show_error
from detente.errors import Interrupted
from detente.front import Front
from detente.names import is_name
from detente.plan.request import Install


def configure(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument("requirements", nargs="*", metavar="REQUIREMENT", help="a name, 'name>=1', URL, path or wheel")
    parser.option("-r", "--requirement", action="append", metavar="FILE", help="every line of a requirements file")
    parser.option("-e", "--editable", action="append", metavar="PATH", help="a project of yours, run from its source")
    ways.declare(parser)
    sources(parser)
    parser.option("--as", dest="suffix", metavar="SUFFIX", help="a second one beside: its commands end in SUFFIX")
    parser.option("--force", action="store_true", help="expose commands over those that others own")
    parser.changing()
    parser.examples(
        ("detente install httpie", "the newest release"),
        ("detente install httpie --from distro", "the distribution's, by its own package manager"),
        ("detente install 'black==24.4.2' --as @24", "an older one beside, as black@24"),
        ("detente install jupyterlab --with ipympl", "with a plugin in its environment"),
        ("detente install ansible --commands-from ansible-core", "with the commands of a dependency"),
        ("detente install -e ./mytool", "your own project, live"),
        ("detente install git+https://example.org/me/tool.git", "from a repository"),
    )


def sources(parser: Parser) -> None:
    """Declare what says which distributions, from where, on which Python: `run` has it too."""
    parser.option("--with", dest="added", action="append", metavar="REQUIREMENT", help="add to its environment")
    parser.option(
        "--with-distro", action="append", metavar="MODULE", help="add modules of the distribution's Python: gi,dbus,apt"
    )
    parser.option("--python", metavar="WISH", help="3.12, python3.12 or a path; default: the distribution's own")
    parser.option("--pre", action="store_true", help="pre-releases too")
    parser.option(
        "--commands-from", action="append", metavar="NAME", help="expose the commands of this dependency as well"
    )
    parser.option("-i", "--index-url", metavar="URL", help="the index to use")
    parser.option("--extra-index-url", action="append", metavar="URL", help="a further index, asked first")
    parser.option("-f", "--find-links", action="append", metavar="PLACE", help="a directory or page with files")
    parser.option(
        "--only-binary", action="append", metavar="NAME", help="no source of it, wheels alone; :all: or :none: for all"
    )
    parser.option("--no-build", action="store_true", help="build nothing: as --only-binary :all:")
    parser.option(
        "--build-confinement",
        choices=("auto", "bubblewrap", "namespaces", "landlock", "none"),
        default="auto",
        help="what keeps code that builds sources to itself; none: it may do what you may",
    )
    parser.option("--build-network", action="store_true", help="let code that builds sources use the network")
    parser.option("--build-timeout", type=int, default=60, metavar="MINUTES", help="for one build; default: 60")
    parser.option("--offline", action="store_true", help="use what is here already, ask nobody")


def run(parsed: argparse.Namespace, invocation: Invocation) -> int:
    """Do it and say what came of it."""
    request = Install(asking.asked(parsed), parsed.force)
    for word in parsed.requirements:
        if is_name(word) and os.path.exists(os.path.join(word, "pyproject.toml")):
            invocation.output.note(f"note: {word} is taken for a name on the index; the directory is ./{word}")
    choice = ways.choice(parsed, request.asked, invocation)
    with changes.working_as(Front, invocation, parsed) as front:
        result = front.obtain(request, choice)
    if parsed.dry_run:
        changes.show_plan(invocation, result.outcome.plan)
        ways.show(invocation, result, planned=True)
        return changes.status(result.outcome)
    changes.show_outcome(invocation, result.outcome, ways.data(result), result.failures)
    _present(invocation, result.outcome)
    ways.show(invocation, result)
    changes.check_path(invocation, front.paths, result.outcome)
    for failure in result.failures:
        show_error(failure, json_to=None)
    if not any(isinstance(failure, Interrupted) for failure in result.failures):
        afterwards.finish(invocation, front, result.outcome.plan)
    return ways.status(result)


def _present(invocation: Invocation, outcome: Outcome) -> None:
    changed = {effect.key for effect in outcome.plan.effects}
    for key, item in sorted(outcome.applications.items()):
        if key not in changed:
            invocation.output.tell(f"{key} {item.version} is installed already")
