"""Fetch one commit of a git repository, with its history and tags but without the files of other commits.

Build backends read versions from tags (`git describe`), so a fetch of one commit alone would build another
version than the lock says; file contents of the past are what costs, and those are left out.
"""

import base64
import os
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from detente.engine.sources import without_credentials
from detente.errors import BuildError, DetenteError, NetworkError, ToolError
from detente.host import proc
from detente.model import Command

_TIMEOUT = 1800.0
_WHOLE = 2**31 - 1  # git's word for a history without end
_OURS = re.compile(r"GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|COMMON_DIR|NAMESPACE|PREFIX|CONFIG)\Z")
_CREDENTIALS = re.compile(r"([a-z][a-z0-9+.-]*://)([^/@\s]+)@(.*)", re.IGNORECASE | re.DOTALL)
_OFF = ("-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false", "-c", "gc.auto=0")


def checkout(url: str, commit: str, into: str, *, environ: Mapping[str, str], log: Callable[[str], None]) -> None:
    """Make the new directory `into` hold exactly `commit` of the repository at `url`, submodules included.

    `url` is what git understands, `git+` in front allowed. Raise ToolError where git is missing, NetworkError
    where the repository does not answer, BuildError where it has no such commit.
    """
    url = url.removeprefix("git+").partition("#")[0]
    shown = without_credentials(url) if _is_web(url) else url  # the user in ssh://git@host is no secret
    if re.fullmatch(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", commit) is None:
        raise BuildError(f"{commit!r} is not a full commit of {shown}", hint="make the lock again")
    environment = _environment(url, environ)

    def git(*words: str) -> str:
        answer = proc.run(Command(("git", *_OFF, *words), environment, into, timeout=_TIMEOUT))
        if answer.returncode != 0:
            lines = [without_credentials(line) for line in answer.stderr.splitlines() if line.strip()]
            raise NetworkError(
                f"git could not fetch {shown}",
                hint=f"see whether git can reach it: git ls-remote {shown}",
                context=tuple(lines[-5:]),
            )
        return answer.stdout.strip()

    if not _has_git(environment):
        raise ToolError("git is needed to fetch this source, and is not installed", hint="sudo apt install git")
    log(f"fetching {shown} at {commit}")
    os.mkdir(into, 0o755)
    git("init", "--quiet", "--template=", "--object-format=" + ("sha1" if len(commit) == 40 else "sha256"))
    git("remote", "add", "--", "origin", shown)
    fetch = ("fetch", "--quiet", "--no-recurse-submodules")
    tags = "+refs/tags/*:refs/tags/*"
    try:
        git(*fetch, "--depth=1", "origin", commit)
    except NetworkError:  # an old or plain file server: then the commit is below a branch or tag, or nowhere
        git(*fetch, "origin", "+refs/heads/*:refs/remotes/origin/*", tags)
    else:  # not in one go: with a filter, git 2.39 calls itself without end where the server serves plain files
        git(*fetch, f"--depth={_WHOLE}", "--filter=blob:none", "origin", commit, tags)
    said: tuple[str, ...] = ()
    try:
        git("checkout", "--quiet", "--detach", commit)
        found = git("rev-parse", "HEAD")
    except NetworkError as err:
        found, said = "", err.context
    if found != commit:
        raise BuildError(
            f"{shown} has no commit {commit}",
            hint="see which it has: git ls-remote " + shown,
            context=said,
        )
    if os.path.lexists(os.path.join(into, ".gitmodules")):
        git("submodule", "update", "--quiet", "--init", "--recursive")


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _has_git(environment: dict[str, str]) -> bool:
    try:
        return proc.run(Command(("git", "--version"), environment, "/", timeout=10)).returncode == 0
    except DetenteError:
        return False


def _environment(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the person's variables, for their keys and proxies, without what would redirect git or let it ask.

    Credentials in `url` travel as configuration in a variable: neither arguments, which everybody can read,
    nor the repository, which the build backend will read, hold them.
    """
    child = {name: value for name, value in environ.items() if not _OURS.match(name)}
    child.update(GIT_TERMINAL_PROMPT="0", LC_ALL="C.UTF-8")
    # A remote repository must not name files of this machine as its submodules (CVE-2022-39253).
    local = url.startswith(("/", "file:"))
    child["GIT_ALLOW_PROTOCOL"] = "file:git:http:https:ssh" if local else "git:http:https:ssh"
    match = _CREDENTIALS.match(url)
    if match and _is_web(url):
        name, _, password = match[2].partition(":")
        token = base64.b64encode(f"{unquote(name)}:{unquote(password)}".encode()).decode()
        count = environ.get("GIT_CONFIG_COUNT", "0")
        number = int(count) if count.isdecimal() else 0
        child["GIT_CONFIG_COUNT"] = str(number + 1)
        child[f"GIT_CONFIG_KEY_{number}"] = f"http.{match[1]}{match[3].partition('/')[0]}/.extraHeader"
        child[f"GIT_CONFIG_VALUE_{number}"] = f"Authorization: Basic {token}"
    return child
