"""Between the distro and the index: which of them serves what was asked for, by which rule. Pure."""

import shlex
from typing import NamedTuple

from detente.errors import DetenteError, NotFound, Refused, ResolutionError, UsageError
from detente.model import Wish
from detente.plan.request import Asked, is_bare, is_direct, requirement_name

INDEX, DISTRO, INSTALLED = "index", "distro", "installed"
WAYS = (INDEX, DISTRO)
# The rules, in the order in which they are tried: JSON and `why` name them so.
FLAG, ONLY_INDEX, OURS, OVERRIDE, THERE, PREFERENCE, DEFAULT = (
    "flag", "only-index", "ours", "override", "installed", "preference", "default"
)  # fmt: skip

PLAIN = "the index is the default"  # the reason of which nothing need be said

# What a wish can say that no system package can fulfil, in the words of the command line.
_ONLY_INDEX = {
    "added": "--with", "with_distro": "--with-distro", "python": "--python", "suffix": "--as", "prerelease": "--pre",
    "commands_from": "--commands-from", "index_url": "--index-url", "extra_index_urls": "--extra-index-url",
    "find_links": "--find-links", "only_binary": "--only-binary",
}  # fmt: skip


class SystemOffer(NamedTuple):
    """What the distro has of one distribution: the system package to install, and its versions.

    `title` is the distro's, "Debian 12". `identity` is `same`, `other`, `absent` or `unproved` (`distro.base` says
    what they mean). `installed` and `candidate` are versions in the distro's spelling, "" where there is none, the
    upstream ones are PEP 440 versions, "" where not known. `application`: it has commands. `manual`: a person asked
    for it. `supported`: its candidate gets the distro's security support. `modules` are those that the distro's Python
    imports already, since it is installed.
    """

    title: str
    package: str
    identity: str
    application: bool = False
    installed: str = ""
    candidate: str = ""
    upstream_installed: str = ""
    upstream_candidate: str = ""
    manual: bool = False
    supported: bool = False
    modules: tuple[str, ...] = ()


class Told(NamedTuple):
    """What was said of the way: `flag` by --from, `override` by the configuration for this very name, else `prefer`."""

    flag: str = ""
    override: str = ""
    prefer: str = INDEX


class Route(NamedTuple):
    """The way that a wish takes, by which rule, why in one sentence, and the other possibility ("" where none is).

    `package` is the system package of the ways `distro` and `installed`; `remark` is worth saying when it is taken.
    """

    way: str
    rule: str
    reason: str
    alternative: str = ""
    package: str = ""
    remark: str = ""


def route(asked: Asked, offer: SystemOffer | None, told: Told, *, title: str = "", ours: bool = False) -> Route:
    """Return the way of `asked`, which holds what was typed, without what the configuration adds.

    `title` names the distro ("" where there is none), `ours` says that it is an application of ours already.
    Raise UsageError, NotFound, ResolutionError or Refused where the distro was demanded and cannot serve it.
    """
    special = only_index(asked)
    if told.flag == DISTRO:
        return _demanded(asked, offer, title, special, FLAG, "as asked: --from distro")
    other = alternative(asked, offer) if not special else ""
    if told.flag == INDEX:
        return Route(INDEX, FLAG, "as asked: --from index", other)
    if special:
        reason = f"only the index can do that: {special}"
        return Route(INDEX, ONLY_INDEX, reason, remark=_in_spite(asked, special, told))
    if ours:
        return Route(INDEX, OURS, "an application of détente already")
    name = requirement_name(asked.requirement)
    if told.override == INDEX:
        return Route(INDEX, OVERRIDE, f"the configuration says so: {name} from the index", other)
    if told.override == DISTRO and title:  # on another distro the configuration's word cannot hold
        return _demanded(asked, offer, title, "", OVERRIDE, f"the configuration says so: {name} from the distro")
    if offer is None:
        reason = f"{title} has no {name}" if title and told.prefer == DISTRO else PLAIN
        return Route(INDEX, DEFAULT, reason)
    if offer.identity == "same":
        there = offer.installed and satisfies(asked.requirement, offer.upstream_installed)
        if there and (offer.application or told.prefer == DISTRO):
            return _there(asked, offer, THERE)
        if told.prefer == DISTRO and offer.candidate and satisfies(asked.requirement, offer.upstream_candidate):
            reason = f"the distro is preferred, and {offer.title} has {_version(offer)}"
            return Route(DISTRO, PREFERENCE, reason, from_index(asked), offer.package)
    reason = _why_not(asked, offer) if told.prefer == DISTRO else PLAIN
    return Route(INDEX, DEFAULT, reason, other, remark=_another(offer))


def only_index(asked: Wish) -> str:
    """Return what of `asked` only the index can do, as a person typed it; "" where the distro could do all of it."""
    if asked.editable:
        return "a project's directory"
    if is_direct(asked.requirement) or " @ " in asked.requirement:
        return "a path or URL"
    if "[" in asked.requirement.partition(";")[0]:
        return "an extra"
    if ";" in asked.requirement:
        return "a marker"
    plain = Wish("")
    for field, words in _ONLY_INDEX.items():
        if getattr(asked, field) != getattr(plain, field):
            return words
    return ""


def satisfies(requirement: str, version: str) -> bool:
    """Say whether PEP 440 `version` is one that `requirement` allows; an unknown one satisfies only a bare name."""
    if is_bare(requirement):
        return True
    from packaging.requirements import Requirement

    if not version:
        return False
    try:
        return Requirement(requirement).specifier.contains(version, prereleases=True)
    except ValueError:  # what is no version, and numbers of thousands of digits
        return False


def _demanded(asked: Asked, offer: SystemOffer | None, title: str, special: str, rule: str, reason: str) -> Route:
    """Return the way to the distro where a person, or their configuration, demands it; raise where there is none."""
    name = requirement_name(asked.requirement)
    if special:
        again = f"detente install {'-e ' if asked.editable else ''}{_quoted(asked)}{_options(asked)} --from index"
        raise UsageError(f"{special} works only with the index", hint=again)
    if not title:
        raise Refused(
            "détente does not know this distro's package manager, so nothing comes from there",
            hint=from_index(asked),
        )
    if offer is None:
        raise NotFound(f"{title} has no {name}", hint=f"{from_index(asked)} asks the index")
    if offer.identity == "other":
        raise Refused(
            f"{offer.title}'s {offer.package} is another project than the index's {name}",
            context=[reason] if rule == OVERRIDE else (),
            hint=f"for {offer.title}'s: sudo apt install {offer.package}; for the index's: {from_index(asked)}",
        )
    if offer.installed and satisfies(asked.requirement, offer.upstream_installed):
        if offer.manual:
            return _there(asked, offer, rule)
        reason += f"; {offer.package} came along with another so far, and stays from now on"
    elif not satisfies(asked.requirement, offer.upstream_candidate):
        raise _unsatisfied(asked, offer)
    return Route(DISTRO, rule, reason, from_index(asked), offer.package, _doubt(offer, name))


def _unsatisfied(asked: Asked, offer: SystemOffer) -> DetenteError:
    if offer.candidate and not offer.upstream_candidate:
        had = f"which upstream version {offer.package} {offer.candidate} of {offer.title} is, is not known"
    elif offer.candidate:
        had = f"{offer.title} has {offer.upstream_candidate}"
    else:
        had = f"{offer.title} offers no version of {offer.package} at the moment"
    return ResolutionError(f"{had}, and {asked.requirement} was asked for", hint=from_index(asked))


def _there(asked: Asked, offer: SystemOffer, rule: str) -> Route:
    reason = f"{offer.package} {offer.installed} is installed already (system package, {offer.title})"
    if not offer.manual:
        reason += f", since another brought it along; to keep it for yourself: {from_distro(asked)}"
    return Route(INSTALLED, rule, reason, f"the index's beside it: {from_index(asked)}", offer.package)


def alternative(asked: Asked, offer: SystemOffer | None) -> str:
    """Return what the distro has for `asked`, in one line with its command; "" where that would be no answer to it."""
    if offer is None or offer.identity == "other" or not offer.candidate:
        return ""
    if not satisfies(asked.requirement, offer.upstream_candidate):
        return ""
    support = ", with its security support" if offer.supported else ""
    maybe = {"same": "", "absent": ""}.get(offer.identity, ", if that is the same project")
    return f"{offer.title} has {_called(asked, offer)}{support}{maybe}: {from_distro(asked)}"


def from_distro(asked: Asked) -> str:
    """Return the command that has `asked` from the distro."""
    return f"detente install {_quoted(asked)} --from distro"


def from_index(asked: Asked) -> str:
    """Return the command that has `asked` from the index."""
    return f"detente install {_quoted(asked)} --from index"


def _options(asked: Asked) -> str:
    """Return the options of `asked` that only the index understands, as they are typed."""
    words = []
    for field, flag in _ONLY_INDEX.items():
        value = getattr(asked, field)
        for each in value if isinstance(value, tuple) else [value]:
            if each is True:
                words.append(f" {flag}")
            elif each:
                words.append(f" {flag}={shlex.quote(each)}" if each.startswith("-") else f" {flag} {shlex.quote(each)}")
    return "".join(words)


def _quoted(asked: Asked) -> str:
    return shlex.quote(asked.requirement)


def _called(asked: Asked, offer: SystemOffer) -> str:
    name = requirement_name(asked.requirement)
    if offer.package == name:
        return f"{name} {_version(offer)}"
    if offer.upstream_candidate:  # docker of the index is python3-docker, and Debian's own docker something else
        return f"{name} {offer.upstream_candidate} ({offer.package})"
    return f"{offer.package} {offer.candidate}"


def _version(offer: SystemOffer) -> str:
    return offer.upstream_candidate or offer.candidate


def _doubt(offer: SystemOffer, name: str) -> str:
    if offer.identity == "absent":
        return f"the index has no project {name}: {offer.package} comes from {offer.title} alone"
    if offer.identity == "unproved":
        return (
            f"nothing shows that {offer.title}'s {offer.package} is the index's {name}; it is taken because you say so"
        )
    return ""


def _another(offer: SystemOffer) -> str:
    """Return where the distro's project is, if it is another one of that name; "" where it is the same."""
    if offer.identity != "other" or not offer.candidate:
        return ""
    return f"{offer.title}'s {offer.package} is another project; for that one: sudo apt install {offer.package}"


def _in_spite(asked: Asked, special: str, told: Told) -> str:
    """Return why the index serves `asked` although the distro is wanted, where that may surprise."""
    if told.override == INDEX or DISTRO not in (told.override, told.prefer) or not special.startswith("--"):
        return ""
    own = special in ("--with", "--with-distro", "--python", "--as", "--commands-from")
    why = "needs an environment of its own" if own else "is nothing that a system package can do"
    return f"{requirement_name(asked.requirement)} from the index: {special} {why}"


def _why_not(asked: Asked, offer: SystemOffer) -> str:
    """Return why a distro that is preferred does not serve `asked`."""
    name = requirement_name(asked.requirement)
    if offer.identity == "other":
        return f"{offer.title}'s {offer.package} is another project than the index's {name}"
    if offer.identity != "same":
        return f"nothing shows that {offer.title}'s {offer.package} is the index's {name}"
    if not offer.candidate:
        return f"{offer.title} offers no version of {offer.package} at the moment"
    return f"{offer.title} has {_version(offer)}, and {asked.requirement} was asked for"
