"""A list as it is told: the chosen rows as items, each with its score, sources and reasons.

It keeps the order that it is given; names, times and fields are one read for the whole list.
"""

from collections.abc import Sequence
from dataclasses import replace

from api.answers.answer import Query, Recommended
from api.answers.boosts import scaled
from api.answers.candidates import Pool
from api.reasons.evidence import beside
from api.reasons.reasons import reasons_for
from api.serving.mapped import History, MappedVersion
from graphdb.answers.paths import UNREAD, Known
from graphdb.connection import Graph
from graphdb.domain import Domain


def listed(
    version: MappedVersion, history: History, query: Query, chosen: Pool
) -> list[Recommended]:
    """The chosen rows, ranked as they come, with reasons that add up to their scores if asked."""
    rows = chosen.rows
    factors = [chosen.factors.get(int(row), 1.0) for row in rows]
    items = [
        Recommended(
            version.artifact.item_ids[row], rank, float(score), chosen.sources(row), boost=factor
        )
        for rank, (row, score, factor) in enumerate(
            zip(rows, chosen.scores, factors, strict=True), 1
        )
    ]
    if not query.reasons or not items:
        return items
    explained = reasons_for(version, history, rows, query.reasons)
    counted = (
        scaled(score, reasons, factor)
        for (score, reasons), factor in zip(explained, factors, strict=True)
    )
    return [
        replace(item, score=score, reasons=reasons)
        for item, (score, reasons) in zip(items, counted, strict=True)
    ]


def with_evidence(
    graph: Graph,
    domain: Domain,
    query: Query,
    items: Sequence[Recommended],
    version: MappedVersion | None = None,
    known: Known = UNREAD,
) -> list[Recommended]:
    """Fields for items; for reasons names, times and what the query wants told of them. version:
    the one that the reasons are by; known: what was read of the person before."""
    told = query.told if query.reasons else ()
    reasons = {item.id: item.reasons for item in items}
    shown = [*reasons] if query.fields else []
    found = beside(graph, domain, version, query.user_id, told, reasons, shown, known)
    return [
        replace(
            item,
            reasons=found.of_reasons(item.id, item.reasons),
            knowledge=found.of_item(item.id),
            item=found.fields.get(item.id, {}) if query.fields else None,
        )
        for item in items
    ]
