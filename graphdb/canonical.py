"""A hash of the graph: equal for two graphs that say the same, however they came to say it.

Left out is what tells when and by which way something came in, what a reader keeps for itself, what
was shown, and what training wrote, which can be published again. Two graphs in which the same
events, catalogue, relations, joins and retractions were written, in whatever order and by whomever,
are equal.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import Any

from graphdb.connection import Graph

BYTES = 32


@dataclass(frozen=True)
class LeftOut:
    """What does not count: nodes by label, relationships by the beginning of their type, properties
    by the beginning of `Label.name`, `TYPE.name`, `event.name` of every event, or `*.name`."""

    labels: frozenset[str] = frozenset()
    types: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()

    def keep(self, properties: dict[str, Any], owners: Iterable[str]) -> dict[str, Any]:
        """Those properties of an owner of these labels or type that count."""
        prefixes = [f"{owner}." for owner in (*owners, "*")]
        return {
            name: value
            for name, value in properties.items()
            if not any(f"{prefix}{name}".startswith(self.properties) for prefix in prefixes)
        }


ORIGIN = LeftOut(
    labels=frozenset({"Source", "Job", "Serving", "ModelVersion", "ServedList"}),
    types=("SIMILAR_", "ERASES"),
    properties=(
        *("event.received_at", "event.source", "event.seq", "event.attention_"),
        *("*.created_at", "Tombstone.at", "SAME_AS.at"),
        *("User.key", "User.removed", "User.recent_", "User.vector_"),
        *("Item.vector_", "Item.text_vector", "Item.text_encoder"),
    ),
)
"""What two graphs may differ in and say the same."""

LEASES = LeftOut(properties=("Source.owner", "Source.fence", "Source.lock", "Source.lease_until"))
"""What a consumer renews all the time, though it has nothing to do."""

READ_NODES = """
MATCH (n)
RETURN labels(n) AS labels, properties(n) AS properties
"""

# An end without an id is a person whose erasure is under way.
READ_RELATIONSHIPS = """
MATCH (a)-[r]->(b)
RETURN type(r) AS type, properties(r) AS properties,
       labels(a) AS start_labels, coalesce(a.id, a.key) AS start,
       labels(b) AS end_labels, coalesce(b.id, b.key) AS end
"""


def hash_graph(graph: Graph, left_out: LeftOut = ORIGIN) -> str:
    """64 hex digits over all nodes and relationships.

    They are read in a stream and their hashes added up: neither their order nor their number
    matters to the result or to memory. It is of one moment only where nobody writes meanwhile.
    """
    rows = chain(_nodes(graph, left_out), _relationships(graph, left_out))
    return (sum(map(_number, rows)) % 256**BYTES).to_bytes(BYTES).hex()


def _nodes(graph: Graph, left_out: LeftOut) -> Iterator[list[Any]]:
    for row in graph.stream(READ_NODES):
        labels = sorted(row["labels"])
        if left_out.labels.isdisjoint(labels):
            yield ["node", labels, left_out.keep(row["properties"], labels)]


def _relationships(graph: Graph, left_out: LeftOut) -> Iterator[list[Any]]:
    for row in graph.stream(READ_RELATIONSHIPS):
        start, end = (sorted(row[f"{side}_labels"]) for side in ("start", "end"))
        if left_out.labels.isdisjoint(start + end) and not row["type"].startswith(left_out.types):
            owners = [row["type"], *(["event"] if "event_id" in row["properties"] else [])]
            kept = left_out.keep(row["properties"], owners)
            yield [row["type"], start, row["start"], end, row["end"], kept]


def _number(row: list[Any]) -> int:
    text = json.dumps(row, sort_keys=True, default=str)
    return int.from_bytes(blake2b(text.encode(), digest_size=BYTES).digest())
