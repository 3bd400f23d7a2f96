"""How work in progress is told. This base says nothing; `cli.output` has the one that draws on a terminal."""


class Progress:
    """Told by whoever works, from any thread. Every call is optional to show."""

    def phase(self, text: str) -> None:
        """A new phase begins, for example `resolving`."""

    def expect(self, files: int, size: int) -> None:
        """So many files, of so many bytes together (0 where unknown), will be fetched."""

    def received(self, size: int) -> None:
        """`size` more bytes came in."""

    def completed(self, name: str) -> None:
        """The file or build of `name` is done."""

    def say(self, text: str) -> None:
        """A sentence that a person should read even where no progress is shown."""

    def detail(self, text: str) -> None:
        """A sentence for those who asked for more (`-v`)."""

    def end(self) -> None:
        """Take away what is drawn."""


def size(number: float) -> str:
    """Return a size of `number` bytes for a person (powers of 1000)."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
