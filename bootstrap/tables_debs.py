"""What is really in a .deb: fetched from the mirror, kept in the cache directory, read by dpkg-deb."""

import io
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

from tables_source import fetched


def files(address: str, cache: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path (without its first slash) and bytes of each file in the .deb at `address`; of links b""."""
    kept = cache / "debs" / address.rpartition("/")[2]
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{kept.name}.{threading.get_ident()}")
        part.write_bytes(fetched(address))
        part.rename(kept)
    done = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(kept)], capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive:
            if not member.isdir():
                stream = archive.extractfile(member) if member.isfile() else None
                yield member.name.removeprefix("./"), stream.read() if stream is not None else b""
