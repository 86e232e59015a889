"""Reasons that are the score: each of the person's events with the share it carries.

    score = Σ events + general taste

Contributions are signed and add up to the score; shares are of the positive contributions alone.
It turns the scorer's numbers into reasons and knows neither HTTP nor the graph.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from api.mapped import History, MappedVersion


@dataclass(frozen=True)
class Reason:
    """One part of a score. kind: event (item_id says which), other_events, or general_taste."""

    kind: str
    contribution: float
    share: float
    item_id: str | None = None
    event_type: str | None = None
    at: str | None = None
    title: str | None = None
    count: int | None = None


def reasons_for(
    version: MappedVersion, history: History, rows: np.ndarray, limit: int
) -> list[tuple[float, list[Reason]]]:
    """For each item row its exact score and reasons: the `limit` strongest events by size, the
    others together, and general taste."""
    events, taste = version.artifact.scorer.contributions(history.row, history.residual, rows)
    ids = [version.artifact.item_ids[row] for row in history.row.indices]
    return [
        (float(parts.sum() + rest), _reasons(parts, float(rest), ids, history, limit))
        for parts, rest in zip(events, taste, strict=True)
    ]


def _reasons(
    parts: np.ndarray, taste: float, ids: list[str], history: History, limit: int
) -> list[Reason]:
    positive = float(np.maximum(parts, 0).sum()) + max(taste, 0.0)

    def share(value: float) -> float:
        return value / positive if positive > 0 else 0.0

    order = np.argsort(-np.abs(parts), kind="stable")
    named, others = order[:limit], order[limit:]
    reasons = [
        Reason(
            "event",
            float(parts[n]),
            share(max(float(parts[n]), 0.0)),
            item_id=ids[n],
            event_type=history.types.get(int(history.row.indices[n])),
        )
        for n in named
    ]
    if len(others):
        kept = parts[others]
        carried = float(np.maximum(kept, 0).sum())
        reasons.append(Reason("other_events", float(kept.sum()), share(carried), count=len(others)))
    if history.residual is not None:
        reasons.append(Reason("general_taste", taste, share(max(taste, 0.0))))
    return reasons


def named(
    reason: Reason,
    latest: Mapping[str, tuple[str, str]],
    fields: Mapping[str, Mapping[str, Any]],
    title: str | None,
) -> Reason:
    """The reason with its event's type and time (`latest`), and its item's title."""
    if reason.item_id is None:
        return reason
    event_type, at = latest.get(reason.item_id, (reason.event_type, None))
    name = fields.get(reason.item_id, {}).get(title) if title else None
    return replace(reason, event_type=event_type, at=at, title=name)
