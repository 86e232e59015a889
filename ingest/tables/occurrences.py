"""How often the same row stood in a file before: the number that keeps equal rows apart.

Two equal rows are two events (the same thing scanned twice), and reading the file again must
number them alike. Memory is bounded: a bitmap knows what may have been there, and only what may
have been is counted exactly. That a new row is taken for a second one now and then only gives it
another number, the same one whenever the file is read.
"""

from collections.abc import Sequence

BITS = 1 << 29


class Occurrences:
    """Numbers rows by what they are; give it all rows of a file in order."""

    def __init__(self) -> None:
        import numpy as np

        self._bits = np.zeros(BITS // 8, dtype=np.uint8)
        self._next: dict[int, int] = {}

    def numbers(self, digests: Sequence[bytes]) -> dict[int, int]:
        """By position, how often this digest (16 bytes) came before; 0 is left out."""
        import numpy as np

        if not digests:
            return {}
        words = np.frombuffer(b"".join(digests), dtype=np.uint64).reshape(-1, 2)
        places = words % np.uint64(BITS)
        seen = (self._bits[places >> 3] >> (places & 7).astype(np.uint8) & 1).all(axis=1)
        np.bitwise_or.at(self._bits, places >> 3, (1 << (places & 7)).astype(np.uint8))
        _, inverse, counts = np.unique(words[:, 0], return_inverse=True, return_counts=True)
        found = {}
        for position in np.flatnonzero(seen | (counts[inverse] > 1)).tolist():
            key = int.from_bytes(digests[position][:8], "little")
            number = self._next.get(key, 1 if seen[position] else 0)
            self._next[key] = number + 1
            if number:
                found[position] = number
        return found
