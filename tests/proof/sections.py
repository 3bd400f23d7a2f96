"""The sections in the order of the report. Each is a module here with `measure(lab) -> Iterable[Figure]`."""

SECTIONS = {
    "kill": "Killed, interrupted, refused by the kernel at any moment",
    "power": "Power cuts",
    "disk": "Full disks and odd file systems",
    "parallel": "Many at once",
    "tamper": "Tampering: `detente verify`",
    "wheels": "Hostile wheels",
    "names": "Commands and start-up code",
    "builds": "Confined builds",
    "network": "Hostile indexes and networks",
}
