"""Reasons that are the score: each of the person's events with the share it carries.

    score = Σ events + general taste

Contributions are signed and add up to the score; shares are of the positive contributions alone.
It turns the scorer's numbers into reasons and knows neither HTTP nor the graph.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from api.serving.mapped import History, MappedVersion


@dataclass(frozen=True)
class Reason:
    """One part of a score. kind: event (item_id says which), other_events, or general_taste.

    walked: the part of the contribution that the item–item weight carries. Not of the score, and
    told where it was asked for: knowledge, path, cypher and attention.
    """

    kind: str
    contribution: float
    share: float
    item_id: str | None = None
    event_type: str | None = None
    at: str | None = None
    title: str | None = None
    count: int | None = None
    walked: float = 0.0
    knowledge: list[dict[str, Any]] | None = None
    path: dict[str, Any] | None = None
    cypher: dict[str, Any] | None = None
    attention: dict[str, Any] | None = None


def reasons_for(
    version: MappedVersion, history: History, rows: np.ndarray, limit: int
) -> list[tuple[float, list[Reason]]]:
    """For each item row its exact score and reasons: the `limit` strongest events by size, the
    others together, and general taste."""
    near, walked, taste = version.artifact.scorer.contributions(history.row, history.residual, rows)
    ids = [version.artifact.item_ids[row] for row in history.row.indices]
    return [
        (float(parts.sum() + rest), _reasons(parts, steps, float(rest), ids, history, limit))
        for parts, steps, rest in zip(near + walked, walked, taste, strict=True)
    ]


def _reasons(
    parts: np.ndarray,
    walked: np.ndarray,
    taste: float,
    ids: list[str],
    history: History,
    limit: int,
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
            walked=float(walked[n]),
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
