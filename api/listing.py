"""A list as it is told: the chosen rows as items, each with its score, sources and reasons.

It keeps the order that it is given; names, times and fields are one read for the whole list.
"""

from collections.abc import Sequence
from dataclasses import replace

from api.answer import Query, Recommended
from api.boosts import scaled
from api.candidates import Pool
from api.mapped import History, MappedVersion
from api.reasons import named, reasons_for
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.paths import fetch_evidence


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
    graph: Graph, domain: Domain, query: Query, items: Sequence[Recommended]
) -> list[Recommended]:
    """Names and times for reasons, fields for items."""
    events = {r.item_id for item in items for r in item.reasons if r.item_id}
    shown = events | ({item.id for item in items} if query.fields else set())
    latest, fields = fetch_evidence(graph, domain, query.user_id, sorted(events), sorted(shown))
    title = domain.title_field
    return [
        replace(
            item,
            reasons=[named(r, latest, fields, title) for r in item.reasons],
            item=fields.get(item.id, {}) if query.fields else None,
        )
        for item in items
    ]
