"""Equal rows are numbered apart, alike whenever they are read, however they are batched."""

import random
from collections import Counter
from hashlib import blake2b

from ingest.tables.occurrences import Occurrences


def digests(values):
    return [blake2b(str(value).encode(), digest_size=16).digest() for value in values]


def numbered(values, size):
    occurrences, found = Occurrences(), []
    for start in range(0, len(values), size):
        batch = digests(values[start : start + size])
        numbers = occurrences.numbers(batch)
        found += [numbers.get(n, 0) for n in range(len(batch))]
    return found


def test_equal_rows_get_their_count():
    values = random.Random(1).choices(range(300), k=2000)
    seen, expected = Counter(), []
    for value in values:
        expected.append(seen[value])
        seen[value] += 1

    for size in (1, 7, 500, 5000):
        assert numbered(values, size) == expected
    assert Occurrences().numbers([]) == {}
