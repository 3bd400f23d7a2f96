"""Run the proofs of this checkout (called by ../prove) in the checks' environment, beside peers of their own."""

import os
import sys

sys.dont_write_bytecode = True  # the checkout stays clean
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bootstrap
import check
import pinned


def main(arguments: list[str]) -> int:
    """Become `python -m proof` of the checkout, with everything that it measures at hand."""
    os.chdir(bootstrap.CHECKOUT)
    environment = pinned.have_environment("check", check.SERVED)
    peers = pinned.have_environment("peers")
    check.have_tools()
    places = [os.path.join(bootstrap.CHECKOUT, name) for name in ("src", "tests")]
    os.environ |= {
        "DETENTE_TEST_WHEELS": os.path.join(environment, "served"),
        "DETENTE_UV": os.path.join(environment, "bin", "uv"),
        "DETENTE_PEERS": os.path.join(peers, "bin"),
        "PYTHONPATH": os.pathsep.join(places),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    python = os.path.join(environment, "bin", "python")
    os.execv(python, [python, "-m", "proof", *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
