"""How torch's threads wait for one another. It loads no torch: who is to be told reads it then."""

import os

SPINS = 2_000
"""Looks at what a thread waits for before it sleeps; about 20 µs.

A step of LightGCN is hundreds of operations that two threads share. On Gowalla, 2 cores, batches of
2,048, one hop, it takes 74 ms where they sleep at once, 45 ms with so many looks and 38 ms with
OpenMP's own 300,000; one thread alone takes 60 ms. Beside a busy process OpenMP's own made an epoch
of ML-100K up to 20 times slower (130 s against 6.7 s), and these make a step of Gowalla's 1.2 times
slower than sleep.
"""


def wait_briefly() -> None:
    """Have threads that wait look a few times, then sleep; before torch is first imported.

    What the environment says of it already stands.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
