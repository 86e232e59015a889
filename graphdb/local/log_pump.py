"""Copies standard input into a log file of bounded size; ends when its writer ends.

Run as a script beside every local child process, so that whatever the child prints (a traceback, a
JVM's last words) is kept and bounded. Knows only the standard library, to stay small in memory.
"""

import contextlib
import os
import sys
from pathlib import Path


class BoundedLog:
    """A log of at most `files` files (`x.log`, `x.log.1`, …) of about `max_bytes` bytes each."""

    def __init__(self, path: Path, max_bytes: int, files: int) -> None:
        self.path, self.max_bytes, self.files = path, max_bytes, files
        self._open()

    def write(self, chunk: bytes) -> None:
        """Append a chunk, starting a new file first where the present one would grow too long."""
        if self.file.tell() and self.file.tell() + len(chunk) > self.max_bytes:
            self.file.close()
            self._shift()
            self._open()
        self.file.write(chunk)

    def close(self) -> None:
        """Close the present file."""
        self.file.close()

    def _open(self) -> None:
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.file = os.fdopen(fd, "ab", buffering=0)
        self.file.seek(0, os.SEEK_END)

    def _shift(self) -> None:
        names = [self.path, *(Path(f"{self.path}.{n}") for n in range(1, self.files))]
        for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
            if newer.exists():
                newer.replace(older)
        self.path.unlink(missing_ok=True)


def main() -> None:
    """`log_pump.py PATH MAX_BYTES FILES`: copy until the end of the input, in the background."""
    # The one that goes on is nobody's child, so that no starter has to reap it.
    if os.fork():
        return
    log = BoundedLog(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    while chunk := os.read(0, 65536):
        # A full disk costs log lines, never the process that writes them.
        with contextlib.suppress(OSError):
            log.write(chunk)


if __name__ == "__main__":
    main()
