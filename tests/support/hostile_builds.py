"""Source distributions whose builds do what a test says, and a look at who is left of them."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from support import backend as in_tree
from support.wheels import make_sdist

_C = """
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *args) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_speed", "", -1, methods};
PyMODINIT_FUNC PyInit__speed(void) { return PyModule_Create(&module); }
"""
_COMPILE = f"""import subprocess, sysconfig
    with open("speed.c", "w") as file:
        file.write({_C!r})
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-I", sysconfig.get_path("include"), "speed.c", "-o",
                    "src/quick/_speed" + sysconfig.get_config_var("EXT_SUFFIX")], check=True)
"""


def _leaves(name: str) -> str:
    return f"open(wheel_directory + '/{name}', 'w').close(); return {name!r}"


LINKED = "os.symlink('/etc/passwd', wheel_directory + '/demo-1.0-py3-none-any.whl'); return 'demo-1.0-py3-none-any.whl'"


PIPE = "os.mkfifo(wheel_directory + '/demo-1.0-py3-none-any.whl'); return 'demo-1.0-py3-none-any.whl'"


def _answers(action: str) -> str:
    return f"import sys; answer = sys.argv[2] + '/output.json'; {action}; os._exit(0)"


# What a backend's hook does, and what the error then says.
MISBEHAVIOURS = [
    (PIPE, "no such file"),
    (_answers("os.symlink('/etc/passwd', answer)"), "gave no answer"),
    (_answers("os.mkfifo(answer)"), "gave no answer"),
    (_answers("os.mkdir(answer)"), "gave no answer"),
    (_answers("open(answer, 'w').write('[' * 100000)"), "gave no answer"),
    (_answers("open(answer, 'w').write('[]')"), "gave no answer"),
    (_answers("open(answer, 'w').write(' ' * 2000000 + '{}')"), "gave no answer"),
    (_answers("""open(answer, 'w').write('{"no_backend": 1, "traceback": 7}')"""), "cannot be imported"),
    ("raise RuntimeError('boom')", "building demo 1.0 failed"),
    ("os._exit(0)", "gave no answer to build_wheel"),
    ("import signal; os.kill(os.getpid(), signal.SIGKILL)", "it was killed"),
    ("return 7", "senseless answer"),
    ("return 'demo-1.0-py3-none-any.whl'", "there is no such file"),
    ("return '../../outside-1.0-py3-none-any.whl'", "there is no such file"),
    (LINKED, "no such file"),
    (_leaves("demo.whl"), "not named as a wheel"),
    (_leaves("other-1.0-py3-none-any.whl"), "something else: other 1.0"),
    (_leaves("demo-1.1-py3-none-any.whl"), "something else: demo 1.1"),
]


def text_of(body: str, hook: str = "build_wheel") -> str:
    """Return the text of a build backend whose `hook` runs `body` (indented by four) first, and then builds."""
    text = Path(in_tree.__file__).read_text("utf-8")
    return (
        f"{text}\n\n_real_{hook} = {hook}\n\n\n"
        f"def {hook}(wheel_directory, config_settings=None, metadata_directory=None):\n"
        f"    {body.strip()}\n    return _real_{hook}(wheel_directory)\n"
    )


def make_compiled(folder: Path) -> Path:
    """Write quick-1.0.tar.gz into `folder`: a C extension, whose command prints the 42 that it answers."""
    modules = {"quick/__init__.py": "def main():\n    from quick._speed import answer\n    print(answer())\n"}
    return make_sdist(folder, "quick", "1.0", commands=["quick"], files=modules, backend_text=text_of(_COMPILE))


def running(words: str) -> list[int]:
    """Return the processes of this machine whose command line has `words`."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if words.encode() in place.read_bytes():
                found.append(int(place.parent.name))
    return found


def soon(true: Callable[[], bool], seconds: float) -> bool:
    """Say whether `true` becomes so within `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False
