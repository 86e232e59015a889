"""The process's heap: what a version that serves no more had goes back to the system."""

import ctypes
from contextlib import suppress

M_MMAP_THRESHOLD = -3
LARGE = 128 * 1024
"""Bytes from which an allocation is a mapping of its own: glibc's own value at the start."""


def give_back_arrays() -> None:
    """Have large allocations returned as soon as they are freed, for as long as the process lives.

    With each large one that is freed glibc raises the size from which it maps one on its own, up to
    32 MB (mallopt(3)): the next version's arrays then lie between small objects that stay. Nothing
    is done where the C library has no mallopt.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
