"""Boosts: what passes a filter counts several times as much, or a part of it; order follows that.

A positive score is multiplied by the factor, a negative one divided, so that a factor above 1
always moves up. What else must be looked for to be right is said here; how, in
api.answers.candidates.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from api.answers.answer import Query
from api.answers.candidates import Pool, pool_in_graph
from api.answers.ordering import made_by
from api.reasons.reasons import Reason
from api.serving.mapped import History, MappedVersion
from graphdb.answers.filtering import Predicate, compile_filter, find_passing
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.filters import All, Boost, Not


def boosted_pool(
    graph: Graph,
    domain: Domain,
    version: MappedVersion,
    history: History,
    query: Query,
    barred: Collection[int],
    brought: Mapping[str, Sequence[str]] = MappingProxyType({}),
    reach: int = 0,
) -> Pool:
    """The candidates that pass the query's filter, in the order that its boosts and the factors of
    the domain's sources give them, `brought` and `reach` being pool_in_graph's; the best makers of
    a group that is to be exposed are among them."""
    pools = [
        pool_in_graph(graph, version, history, query, barred, passing, brought, reach)
        for passing in _restrictions(domain, query, version.indexed)
    ]
    counted_more = {
        name: source.factor
        for name, source in domain.sources.items()
        if source.factor > 1 and brought.get(name)
    }
    if len(pools) == 1 and not counted_more:
        return pools[0]
    rows = np.concatenate([pool.rows for pool in pools])
    scores = np.concatenate([pool.scores for pool in pools])
    rows, first = np.unique(rows, return_index=True)
    ids = [version.artifact.item_ids[row] for row in rows]
    found = {
        source: set().union(*(pool.found.get(source, ()) for pool in pools))
        for source in dict.fromkeys(source for pool in pools for source in pool.found)
    }
    factors = _factors(graph, domain, query.boosts, ids)
    for source, factor in counted_more.items():
        factors[[int(row) in found[source] for row in rows]] *= factor
    counted = np.where(scores[first] > 0, scores[first] * factors, scores[first] / factors)
    order = np.argsort(-counted, kind="stable")
    by_row = dict(zip(rows.tolist(), factors.tolist(), strict=True))
    return Pool(rows[order], counted[order], found, by_row)


def scaled(score: float, reasons: Sequence[Reason], factor: float) -> tuple[float, list[Reason]]:
    """A score as it counts, and reasons that add up to it; their shares stay."""
    scale = factor if score > 0 else 1 / factor
    moved = [
        replace(r, contribution=r.contribution * scale, walked=r.walked * scale) for r in reasons
    ]
    return score * scale, moved


def _restrictions(domain: Domain, query: Query, indexed: frozenset[str]) -> list[Predicate]:
    """What passes the filter and, for each boost, the part of that which gains by it: the best of
    a boosted list are among the best of these. So are those of a group of makers."""
    whole = compile_filter(domain, query.filter, indexed)
    gaining = [b.passing if b.factor > 1 else Not(b.passing) for b in query.boosts]
    exposed = [made_by(domain, group) for group in query.dials.shares]
    parts = [All((query.filter, p)) if query.filter else p for p in [*gaining, *exposed]]
    return [whole, *(compile_filter(domain, part, indexed) for part in parts)]


def _factors(
    graph: Graph, domain: Domain, boosts: Sequence[Boost], ids: Sequence[str]
) -> np.ndarray:
    """The factor of each of `ids`: the product of those of the boosts that it passes."""
    factors = np.ones(len(ids))
    for boost in boosts:
        passing = find_passing(graph, compile_filter(domain, boost.passing), ids)
        factors[[item in passing for item in ids]] *= boost.factor
    return factors
