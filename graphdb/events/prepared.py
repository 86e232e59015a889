"""Rows of events with all that writing them takes, made while the graph is busy with others.

It knows neither sources nor transactions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from graphdb.domain import Domain
from graphdb.events.event_row import EPOCH, KEPT, EventRow, event_digest
from graphdb.events.precedence import Key, Rank


@dataclass(frozen=True)
class PreparedEvents:
    """Parallel lists: rows, their keys and ranks, and `{"user_id", "item_id", "type", "at",
    "received_at", "event": properties}` as statements take them; a source and a number are still
    to come into the properties."""

    rows: Sequence[EventRow]
    keys: list[Key]
    ranks: list[Rank]
    events: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.rows)


def prepare_events(domain: Domain, rows: Sequence[EventRow]) -> PreparedEvents:
    """Digests and properties of validated rows."""
    types = {name: spec.relationship for name, spec in domain.events.items()}
    digests = [event_digest(row) for row in rows]
    return PreparedEvents(
        rows,
        [(row["event_type"], row["event_id"]) for row in rows],
        [(row["received_at"], digest) for row, digest in zip(rows, digests, strict=True)],
        [
            {
                "user_id": row["user_id"],
                "item_id": row["item_id"],
                "type": types[row["event_type"]],
                "at": row["at"],
                "received_at": row["received_at"],
                "event": _properties(row, digest),
            }
            for row, digest in zip(rows, digests, strict=True)
        ],
    )


def _properties(row: EventRow, digest: str) -> dict[str, Any]:
    kept: dict[str, Any] = {name: row[name] for name in KEPT if row[name] is not None}
    if row["at"] != row["occurred_at"]:
        kept["clock_skew"] = True
        kept["occurred_at"] = EPOCH + timedelta(microseconds=row["occurred_at"])
    kept["digest"] = digest
    return kept
