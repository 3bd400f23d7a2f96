"""uv's command lines, and its version. Nothing runs here: `host.proc` runs what these return.

uv must answer for the interpreter and the sources that it is given and nothing else, so what would point it to
another environment, project or Python is taken from the child's variables. URLs travel in variables, never in
arguments: those can be read by every user of the machine, and URLs can hold passwords.
Run the commands in a directory without project files above it (`/`): uv reads `uv.toml` and `pyproject.toml` there.
"""

import math
import re
from collections.abc import Mapping, Sequence

from detente.engine.sources import NOTHING, Sources, without_credentials
from detente.errors import ToolError, UsageError
from detente.model import Command, Completed

OLDEST = (0, 13)
_RETRIES = "2"  # uv's own 3 wait seven to ten seconds before a dead name server is reported
_CONNECT_TIMEOUT = "5"
_TIMEOUT = "6"  # seconds without a byte; three tries end within `Sources.patience`
_REDIRECTING = frozenset(
    {
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "CONDA_DEFAULT_ENV",
        "UV_PYTHON",
        "UV_PROJECT",
        "UV_PROJECT_ENVIRONMENT",
        "UV_NO_PROJECT",
        "UV_WORKING_DIR",
        "UV_WORKING_DIRECTORY",
        "UV_SYSTEM_PYTHON",
        "UV_BREAK_SYSTEM_PACKAGES",
        "UV_MANAGED_PYTHON",
        "UV_NO_MANAGED_PYTHON",
        "UV_PYTHON_PREFERENCE",
        "UV_CUSTOM_COMPILE_COMMAND",
        "UV_COMPILE_BYTECODE",
        "UV_NO_BUILD_ISOLATION",
        "UV_NO_BUILD_ISOLATION_PACKAGE",
        "UV_LINK_MODE",
        "UV_VENV_SEED",
        "UV_VENV_CLEAR",
        "UV_VENV_RELOCATABLE",
        "UV_ISOLATED",
        "UV_PREVIEW",
        "UV_PREVIEW_FEATURES",
        "UV_SHOW_RESOLUTION",
        "UV_REQUIRE_HASHES",
        "UV_ENV_FILE",
        "UV_INTERNAL__PARENT_INTERPRETER",
        "FORCE_COLOR",
        "CLICOLOR_FORCE",
        "RUST_LOG",
        "RUST_BACKTRACE",
        "UV_LOG_CONTEXT",
    }
)
_TIMEOUTS = ("UV_HTTP_TIMEOUT", "UV_REQUEST_TIMEOUT", "HTTP_TIMEOUT")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
_LINE = re.compile(r"(?:-[ercb] +\S|[^-\s])[^\r\n\0]*\Z")


def version(uv: str) -> Command:
    """Return the command that asks `uv` which version it is; `parsed_version` reads the answer."""
    return Command((uv, "--version"), timeout=10)


def parsed_version(answer: Completed) -> str:
    """Return uv's version from the answer to `version`; raise ToolError for another program, or one too old."""
    match = re.match(r"uv ((\d+)\.(\d+)\S*)", answer.stdout)
    if answer.returncode != 0 or match is None:
        raise ToolError("the uv found here does not answer as uv does", hint="look at it: uv --version")
    if (int(match[2]), int(match[3])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise ToolError(
            f"uv {match[1]} is too old, {oldest} is needed",
            hint="let DETENTE_UV name a newer one, or set detente up again from its checkout",
        )
    return match[1]


def environment(environ: Mapping[str, str], sources: Sources = NOTHING, *, cache: str = "") -> dict[str, str]:
    """Return the variables for uv: the person's own without what would redirect it, and `sources` on top."""
    child = {
        name: value
        for name, value in environ.items()
        if name not in _REDIRECTING and (not name.startswith("PYTHON") or name.startswith("PYTHON_"))
    }
    child.update(UV_NO_PROGRESS="1", NO_COLOR="1", UV_PYTHON_DOWNLOADS="never", UV_LINK_MODE="copy")
    child.setdefault("GIT_TERMINAL_PROMPT", "0")
    if cache:
        child["UV_CACHE_DIR"] = environ.get("UV_CACHE_DIR") or cache
    _index_variables(child, sources)
    _network_variables(child, sources)
    return child


def _index_variables(child: dict[str, str], sources: Sources) -> None:
    if sources.index_url:
        child.pop("UV_INDEX_URL", None)
        child["UV_DEFAULT_INDEX"] = sources.index_url
    if sources.extra_index_urls:
        child.pop("UV_EXTRA_INDEX_URL", None)
        child["UV_INDEX"] = " ".join(sources.extra_index_urls)
    if sources.find_links:
        child["UV_FIND_LINKS"] = ",".join(map(_without_comma, sources.find_links))
    if sources.keyring:
        child["UV_KEYRING_PROVIDER"] = sources.keyring


def _without_comma(link: str) -> str:
    """Return `link` as a URL where it holds the character that separates links in uv's variable."""
    if "," not in link:
        return link
    from urllib.parse import quote

    return link.replace(",", "%2C") if "://" in link else f"file://{quote(link)}".replace(",", "%2C")


def _network_variables(child: dict[str, str], sources: Sources) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT"):
        if child.get(name) == "":
            del child[name]  # uv would look for a file without a name
    if sources.certificate:
        child.pop("SSL_CERT_DIR", None)
        child["SSL_CERT_FILE"] = sources.certificate
    if "UV_NATIVE_TLS" not in child:
        child.setdefault("UV_SYSTEM_CERTS", "true")
    if sources.client_certificate:
        child["SSL_CLIENT_CERT"] = sources.client_certificate
    if sources.proxy:
        child.pop("ALL_PROXY", None)
        child.pop("all_proxy", None)
        proxy = sources.proxy if "://" in sources.proxy else f"http://{sources.proxy}"
        child.update(dict.fromkeys(_PROXIES, proxy))
    if sources.insecure_hosts:
        child["UV_INSECURE_HOST"] = " ".join(sources.insecure_hosts)
    if sources.timeout is not None:
        child["UV_HTTP_TIMEOUT"] = str(max(1, math.ceil(sources.timeout)))
    if not any(child.get(name) for name in _TIMEOUTS):
        child["UV_HTTP_TIMEOUT"] = _TIMEOUT
    child.setdefault("UV_HTTP_CONNECT_TIMEOUT", _CONNECT_TIMEOUT)
    if sources.retries is not None:
        child["UV_HTTP_RETRIES"] = str(sources.retries)
    child.setdefault("UV_HTTP_RETRIES", _RETRIES)


def resolve(
    uv: str,
    requirements: Sequence[str],
    *,
    interpreter: str,
    output: str,
    cache: str,
    sources: Sources,
    prerelease: bool,
    offline: bool,
    environ: Mapping[str, str],
    builds: bool = True,
    dependencies: bool = True,
) -> Command:
    """Return the command that writes the lock of `requirements` for `interpreter` to `output`.

    `output` must be named `pylock.toml` or `pylock.NAME.toml` and should not exist (uv keeps the versions of a lock
    that does). A requirement is one line as in a requirements file: PEP 508, an absolute path or a URL, also behind
    `-e `; a `-r `, `-c ` or `-b ` file. Without `builds`, what has no wheel counts as absent. Without `dependencies`
    uv needs no metadata of what names alone stand for, so it builds nothing. Raise UsageError for a requirement that
    uv could misread.
    """
    argv = [uv, "pip", "compile", "-", "--format", "pylock.toml", "--no-header", "-o", output, "--python", interpreter]
    argv.append("--build-isolation")  # whatever its configuration says: in an environment of ours nothing is built
    argv += _options(sources, prerelease=prerelease, offline=offline)
    if not builds:
        argv.append("--no-build")
    if not dependencies:
        argv.append("--no-deps")
    return Command(
        tuple(argv),
        environment=environment(environ, sources, cache=cache),
        cwd="/",
        stdin=_lines(requirements),
    )


def create_environment(uv: str, path: str, interpreter: str, *, cache: str, environ: Mapping[str, str]) -> Command:
    """Return the command that creates an environment at `path` (it must not exist), without installer in it."""
    argv = (uv, "venv", "--no-project", "--no-config", "--quiet", "--python", interpreter, "--", path)
    return Command(argv, environment=environment(environ, cache=cache), cwd="/", timeout=120)


def forget(uv: str, name: str, *, cache: str, environ: Mapping[str, str]) -> Command:
    """Return the command that removes from uv's cache what it knows of the distribution `name`."""
    argv = (uv, "cache", "clean", "--force", "--quiet", name)  # --force: others may go on using the cache meanwhile
    return Command(argv, environment=environment(environ, cache=cache), cwd="/", timeout=60)


def install_into(
    uv: str,
    environment_python: str,
    requirements: Sequence[str],
    *,
    cache: str,
    sources: Sources,
    offline: bool,
    environ: Mapping[str, str],
    prerelease: bool = False,
    dependencies: bool = True,
) -> Command:
    """Return the command that installs `requirements` where `environment_python` imports from, files copied.

    `requirements` as for `resolve`; without `dependencies` exactly these are installed.
    """
    argv = [uv, "pip", "install", "--python", environment_python, "--link-mode", "copy", "-r", "-"]
    argv += ["--build-isolation", "--no-compile-bytecode"]  # whatever its configuration says: nothing runs there
    argv += _options(sources, prerelease=prerelease, offline=offline)
    if not dependencies:
        argv.append("--no-deps")
    return Command(
        tuple(argv),
        environment=environment(environ, sources, cache=cache),
        cwd="/",
        stdin=_lines(requirements),
    )


def _options(sources: Sources, *, prerelease: bool, offline: bool) -> list[str]:
    """Return the arguments that hold no secret."""
    options: list[str] = []
    if prerelease or sources.prerelease:
        options += ["--prerelease", "allow"]
    if offline:
        options.append("--offline")
    if sources.no_index:
        options.append("--no-index")
    for option, values in (
        ("--no-binary", sources.no_binary),
        ("--only-binary", sources.only_binary),
        ("--constraints", sources.constraints),
        ("--build-constraints", sources.build_constraints),
    ):
        for value in values:
            options += [option, value]
    if sources.exclude_newer:
        options += ["--exclude-newer", sources.exclude_newer]
    return options


def _lines(requirements: Sequence[str]) -> str:
    for text in requirements:
        if _LINE.match(text) is None:
            raise UsageError(
                f"cannot understand the requirement {without_credentials(text)!r}",
                hint="write a name, name==version, an absolute path or a URL, for example: detente install 'black>=24'",
            )
        try:
            text.encode()
        except UnicodeEncodeError as err:
            shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            raise UsageError(
                f"the path {shown} is not UTF-8, and uv reads no other",
                hint="give it another name: ln -s PATH /tmp/short && detente install /tmp/short",
            ) from err
    return "".join(f"{text}\n" for text in requirements)
