"""Which wheels an interpreter takes, worked out from what it said about itself (`probe_script.py`).

`packaging.tags` answers for the interpreter that it runs in; here the rules for CPython and others are its
own, and only the platforms, which it takes as an argument, are ours. A test compares both for each
interpreter of the machine.
"""

import re
from collections.abc import Mapping
from typing import Any

_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_MANYLINUX = {"x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64"}
_HARD_FLOAT = 0x05000400  # EABI version 5 and the hard-float flag of the ELF header
_ARM, _I386 = 40, 3


def platforms(facts: Mapping[str, Any], musl: str) -> list[str]:
    """Return the platform tags of an interpreter, best first.

    `facts` is the probe's answer, `musl` the version of its musl (`1.2.4`) or empty.
    """
    name = re.sub(r"[-. ]", "_", facts["platform"])
    if not name.startswith("linux_"):
        return [name]
    arch = name.removeprefix("linux_")
    if not facts["wide"]:
        arch = {"x86_64": "i686", "aarch64": "armv8l"}.get(arch, arch)
    archs = ["armv8l", "armv7l"] if arch == "armv8l" else [arch]
    found = [f"linux_{each}" for each in archs]
    if _has_manylinux_abi(archs, facts["elf"]):
        found += [tag for each in archs for tag in _manylinux(each, facts["glibc"], set(facts["refused"]))]
    numbers = _numbers(musl)
    if numbers:
        major, minor = numbers
        found += [f"musllinux_{major}_{lower}_{each}" for each in archs for lower in range(minor, -1, -1)]
    return found


def _has_manylinux_abi(archs: list[str], elf: list[int]) -> bool:
    width, order, machine, flags = elf
    small = width == 1 and order == 1
    if "armv7l" in archs:
        return small and machine == _ARM and flags & _HARD_FLOAT == _HARD_FLOAT
    if "i686" in archs:
        return small and machine == _I386
    return bool(_MANYLINUX.intersection(archs))


def _manylinux(arch: str, glibc: str, refused: set[int]) -> list[str]:
    numbers = _numbers(glibc)
    if not numbers or numbers[0] != 2:
        return []
    oldest = 5 if arch in ("x86_64", "i686") else 17
    found = []
    for minor in range(numbers[1], oldest - 1, -1):
        if minor in refused:
            continue
        found.append(f"manylinux_2_{minor}_{arch}")
        if minor in _LEGACY:
            found.append(f"{_LEGACY[minor]}_{arch}")
    return found


def _numbers(version: str) -> tuple[int, int] | None:
    match = re.match(r"(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2])) if match else None


def musl_version(answer: str) -> str:
    """Return the version in what musl's loader prints when run without a program, or an empty text."""
    match = re.search(r"^musl\b.*\n+Version (\d+\.\d+(?:\.\d+)?)", answer, re.MULTILINE)
    return match[1] if match else ""


def tags(facts: Mapping[str, Any], musl: str) -> tuple[str, ...]:
    """Return all wheel tags that the interpreter of `facts` takes, best first."""
    from packaging.tags import INTERPRETER_SHORT_NAMES, compatible_tags, cpython_tags, generic_tags

    major, minor = (int(number) for number in facts["version"].split(".")[:2])
    where = platforms(facts, musl)
    name = facts["implementation"]
    short = INTERPRETER_SHORT_NAMES.get(name, name)
    label = f"{short}{major}{minor}"
    if short == "cp":
        own = cpython_tags((major, minor), _cpython_abis(facts, label), where)
    else:
        own = generic_tags(label, _other_abis(facts["extension"]), where)
    rest = compatible_tags((major, minor), {"cp": label, "pp": "pp3"}.get(short), where)
    return tuple(dict.fromkeys(str(tag) for part in (own, rest) for tag in part))


def _cpython_abis(facts: Mapping[str, Any], name: str) -> list[str]:
    threads = "t" if facts["free_threaded"] else ""
    normal = name + threads
    return [normal + "d", normal] if facts["debug"] else [normal]


def _other_abis(extension: str) -> list[str]:
    """Return the ABI in an extension suffix such as `.pypy310-pp73-x86_64-linux-gnu.so`."""
    words = extension.split(".")
    if len(words) < 3 or not words[1]:
        return []
    parts = words[1].split("-")
    kept = 3 if parts[0].startswith("graalpy") else 2
    return ["_".join(parts[:kept])]
