"""Plain values for tests of the planner: every part has a default, so a test names only what it is about."""

import hashlib
from collections.abc import Iterable, Mapping

from detente.model import EMPTY_GENERATION, Application, Artifact, Generation, Interpreter, StoreEntry, Wish
from detente.plan.facts import Facts, Resolution, slot
from detente.plan.plan import Compile, Link, Plan, Switch

PYTHON = Interpreter(
    "/usr/bin/python3.11", "3.11.2", "cpython", "cpython-311", "lib/python3.11/site-packages", "linux-x86_64"
)
NEWER_PYTHON = Interpreter(
    "/usr/bin/python3.13", "3.13.1", "cpython", "cpython-313", "lib/python3.13/site-packages", "linux-x86_64"
)


def digest(text: str) -> str:
    """A SHA-256 that belongs to `text`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def an_artifact(name: str = "demo", version: str = "1.0", *, kind: str = "wheel", editable: bool = False) -> Artifact:
    filename = f"{name}-{version}" + ("-py3-none-any.whl" if kind == "wheel" else ".tar.gz")
    return Artifact(
        kind=kind,
        name=name,
        version=version,
        location=f"https://files.example.org/{filename}",
        filename=filename,
        sha256=digest(filename),
        size=1000,
        editable=editable,
    )


def an_entry(
    name: str = "demo",
    version: str = "1.0",
    *,
    commands: Iterable[str] | None = None,
    scripts: Mapping[str, bool] | None = None,
    startup: Mapping[str, str] | None = None,
) -> StoreEntry:
    """A store entry; its one command is called like the distribution unless `commands` says otherwise."""
    names = [name] if commands is None else list(commands)
    return StoreEntry(
        directory=f"{name}-{version}-py3-none-any-{digest(name + version)[:16]}",
        name=name,
        version=version,
        tag="py3-none-any",
        sha256=digest(name + version),
        commands=dict.fromkeys(names, f"{name}:main"),
        scripts=dict(scripts or {}),
        startup=dict(startup or {}),
        real="",
        data=False,
        files=3,
        size=1000,
    )


def a_resolution(
    name: str = "demo",
    version: str = "1.0",
    *,
    wish: Wish | None = None,
    others: Iterable[Artifact] = (),
    interpreter: Interpreter = PYTHON,
    kind: str = "wheel",
) -> Resolution:
    """`name` resolved to one artifact of its own and `others` after it."""
    artifacts = (an_artifact(name, version, kind=kind), *others)
    lock = "".join(f"{item.name}=={item.version}\n" for item in artifacts)
    return Resolution(name, wish or Wish(name), interpreter, artifacts, lock)


def an_application(
    name: str = "demo",
    version: str = "1.0",
    *,
    suffix: str = "",
    requirement: str = "",
    commands: Iterable[str] | None = None,
    since: int = 1,
    **wish: object,
) -> Application:
    key = name + suffix
    names = [name] if commands is None else list(commands)
    return Application(
        name=name,
        version=version,
        wish=Wish(requirement or name, suffix=suffix, **wish),  # type: ignore[arg-type]
        python=PYTHON.version,
        interpreter=PYTHON.path,
        environment=f"{key}-{digest(key + version)[:16]}",
        commands={command + suffix: f"launch/{command}" for command in names},
        files={},
        startup={},
        since=since,
    )


def a_generation(
    number: int = 1, *applications: Application, parent: int | None = None, origin: int | None = None
) -> Generation:
    return Generation(
        number=number,
        parent=number - 1 if parent is None else parent,
        origin=number if origin is None else origin,
        time="2026-01-02T03:04:05Z",
        user="anna",
        command=("install",),
        applications={item.key: item for item in applications},
    )


def facts(
    *history: Generation,
    resolutions: Iterable[Resolution] = (),
    entries: Iterable[StoreEntry] | None = None,
    highest: int | None = None,
    compiled: bool = True,
    **more: object,
) -> Facts:
    """The facts after `history` (oldest first). `entries` are in the store; by default all that is resolved."""
    resolved = tuple(resolutions)
    current = history[-1] if history else EMPTY_GENERATION
    wanted = {slot(artifact, item.interpreter): artifact for item in resolved for artifact in item.artifacts}
    if entries is None:
        entries = [an_entry(artifact.name, artifact.version) for artifact in wanted.values()]
    by_name = {(entry.name, entry.version): entry for entry in entries}
    found = {
        place: by_name[artifact.name, artifact.version]
        for place, artifact in wanted.items()
        if (artifact.name, artifact.version) in by_name
    }
    tags = {item.interpreter.cache_tag for item in resolved}
    pairs = frozenset((entry.directory, tag) for entry in by_name.values() for tag in tags)
    settings: dict[str, object] = {
        "basis": f"basis-{current.number}",
        "data": "/home/anna/.local/share/detente",
        "generation": current,
        "history": tuple(reversed(history)),
        "highest": max((item.number for item in history), default=0) if highest is None else highest,
        "resolutions": resolved,
        "entries": found,
        "compiled": pairs if compiled else frozenset(),
        "bin": "/home/anna/.local/bin",
        "now": "2026-02-03T04:05:06Z",
        "user": "anna",
        "command": ("install", "demo"),
    }
    return Facts(**(settings | more))  # type: ignore[arg-type]


def switched(plan: Plan) -> Generation:
    """The generation that `plan` switches to."""
    (step,) = (step for step in plan.steps if isinstance(step, Switch))
    return step.generation


def applied(plan: Plan, before: Facts) -> Facts:
    """The facts once `plan`, made for `before`, has run: what the executor would leave behind."""
    after = before
    for step in plan.steps:
        if isinstance(step, Compile):
            more = {(entry, step.interpreter.cache_tag) for entry in step.entries}
            after = after._replace(compiled=after.compiled | more)
        elif isinstance(step, Link):
            after = after._replace(environments=after.environments | {step.environment.directory})
        elif isinstance(step, Switch):
            after = after._replace(
                basis=f"basis-{step.generation.number}",
                generation=step.generation,
                history=(step.generation, *after.history),
                highest=max(after.highest, step.generation.number),
                foreign={name: path for name, path in after.foreign.items() if name not in step.over},
            )
    return after
