"""Candidates: what each source finds, as one pool of item rows that the one scorer scores whole.

The sources are the version's vector index, a walk over its item–item weights, and what others
bring (the domain's walks, sources and rules); without the graph it is the whole catalogue in
memory. Its pool is best first and not cut: what comes next chooses from it. It knows neither who
asks beyond their history, nor how a list is put together.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from api.answers.answer import Query
from api.serving.index_space import query_vector
from api.serving.mapped import History, MappedVersion
from graphdb.answers.candidates import fetch_candidates
from graphdb.answers.filtering import EVERYTHING, Predicate, list_passing
from graphdb.connection import Graph
from graphdb.errors import GraphUnavailableError, IndexLostError
from training.scorer import Folded

NEAR, WALKED = 100, 200
"""Candidates asked of each half beyond what was seen and k: of Gowalla's people, with a truncated
SVD and ItemKNN for halves, the union of 30 and 100 lost none of the best ten, and an index asked
for 130 finds .998 of the nearest ten, for 230 .999."""
NEAR_CHOOSING = 200
"""The same of the first half where a filter or dials choose from more than the best k."""
WALKED_PASSING = 1_000
"""The same of the second half where what it finds must pass a filter, which most of it may not."""
EXACT, UNDIRECTED = "exact", "catalogue"
"""The sources of everything there is: for want of an index, and of a vector to ask it with."""
LOOKED_AT = 2_000
"""Candidates beyond k that are looked at where rules leave a list short, and no more: what a
list costs has a bound, however long it is and however large the catalogue."""
SPARE = 100
"""Beyond k so many of a pool must pass a filter: with fewer the best that pass may lie outside it,
and all that pass are scored."""


@dataclass(frozen=True)
class Pool:
    """Item rows, best first, with their scores; found: which rows each source came up with;
    factors: by row, how many times its score is counted where there are boosts."""

    rows: np.ndarray
    scores: np.ndarray
    found: Mapping[str, Collection[int]]
    factors: Mapping[int, float] = field(default_factory=dict)

    def taken(self, places: np.ndarray) -> "Pool":
        """The rows at these places, in this order."""
        return replace(self, rows=self.rows[places], scores=self.scores[places])

    def followed(self, rest: "Pool") -> "Pool":
        """These rows, then those of `rest`, another part of the same pool."""
        rows, scores = [self.rows, rest.rows], [self.scores, rest.scores]
        return replace(self, rows=np.concatenate(rows), scores=np.concatenate(scores))

    def sources(self, row: int) -> list[str]:
        """The sources that found a row."""
        return [source for source, rows in self.found.items() if row in rows]


def barred_rows(version: MappedVersion, history: History, query: Query) -> set[int]:
    """Item rows that must not be shown to this person."""
    rows = {version.item_rows[i] for i in query.exclude_ids if i in version.item_rows}
    return rows | history.seen if query.exclude_seen else rows


def pool_in_graph(
    graph: Graph,
    version: MappedVersion,
    history: History,
    query: Query,
    barred: Collection[int],
    passing: Predicate = EVERYTHING,
    brought: Mapping[str, Sequence[str]] = MappingProxyType({}),
    reach: int = 0,
) -> Pool:
    """At least k candidates that may be shown and pass, if there are so many; brought: by source,
    items that the domain's sources and rules came up with; reach: so many beyond k are looked for
    where that is further than usual. Without the vector index, and for a person whose events have
    no direction, all that may be shown and pass are candidates."""
    person = version.artifact.scorer.folded(history.row, history.residual)
    vector = query_vector(person.user, version.artifact.model.similarity)
    if not any(vector):
        return _whole(graph, version, person, barred, passing, brought, UNDIRECTED)
    catalogue = len(version.artifact.item_ids)
    choosing = passing is not EVERYTHING or query.dials.turned()
    near_count = max(NEAR_CHOOSING if choosing else NEAR, reach) + len(barred) + query.k
    walk_count = max(WALKED if passing is EVERYTHING else WALKED_PASSING, reach) + query.k
    walk = _walk(person, barred)
    others = {id for ids in brought.values() for id in ids if id in version.item_rows}
    longest = version.longest.nearest(person.user, walk_count, barred)
    long = [version.artifact.item_ids[row] for row in longest]
    others.update(long)
    while True:
        walked = [version.artifact.item_ids[row] for row in walk[:walk_count]]
        try:
            found = fetch_candidates(
                graph,
                version.id,
                version.slot,
                vector,
                min(near_count, max(catalogue, 1)),
                [*walked, *others.difference(walked)],
                passing,
            )
        except IndexLostError:
            return _whole(graph, version, person, barred, passing, brought, EXACT)
        if found is None:  # flipped away and its slot taken since the person was read
            raise GraphUnavailableError(f"version {version.id} is gone")
        near, shown = found
        by_source = {"vector": [*near, *set(long).intersection(shown)]}
        for source, ids in [("similar", walked), *brought.items()]:
            by_source[source] = [*set(ids).intersection(shown)]
        pool = _score(version, person, barred, by_source)
        if passing is not EVERYTHING and len(pool.rows) < query.k + SPARE:
            by_source["filter"] = list_passing(graph, passing)
            return _score(version, person, barred, by_source)
        if len(pool.rows) >= query.k or near_count >= catalogue:
            return pool
        near_count, walk_count = 4 * near_count, 4 * walk_count


def pool_in_memory(version: MappedVersion, history: History, barred: Collection[int]) -> Pool:
    """The whole catalogue that may be shown, without the graph."""
    withheld = version.withheld.now()
    shown = [item for item in version.artifact.item_ids if item not in withheld]
    person = version.artifact.scorer.folded(history.row, history.residual)
    return _score(version, person, barred, {"memory": shown})


def pool_of(version: MappedVersion, history: History, given: Sequence[str]) -> Pool:
    """The given items that the version knows."""
    person = version.artifact.scorer.folded(history.row, history.residual)
    return _score(version, person, (), {"given": given})


def by_popularity(version: MappedVersion, history: History, given: Sequence[str]) -> Pool:
    """The given items that the version knows, scored by popularity: for want of a history."""
    rows = np.array([version.item_rows[i] for i in given if i in version.item_rows], np.int64)
    scores = version.artifact.popularity[rows]
    order = np.argsort(-scores, kind="stable")
    return Pool(rows[order], scores[order], {"given": set(rows.tolist())})


def _whole(
    graph: Graph,
    version: MappedVersion,
    person: Folded,
    barred: Collection[int],
    passing: Predicate,
    brought: Mapping[str, Sequence[str]],
    source: str,
) -> Pool:
    """Everything that may be shown and passes, as what this source found."""
    everything = set(list_passing(graph, passing))
    found = {name: everything.intersection(ids) for name, ids in brought.items()}
    return _score(version, person, barred, {source: everything, **found})


def _walk(person: Folded, barred: Collection[int]) -> np.ndarray:
    """Item rows reached by the version's item–item weights, strongest first."""
    order = np.argsort(-person.reached, kind="stable")
    rows = person.rows[order][person.reached[order] > 0]
    return rows[~np.isin(rows, list(barred))]


def _score(
    version: MappedVersion,
    person: Folded,
    barred: Collection[int],
    found: Mapping[str, Collection[str]],
) -> Pool:
    """The union of what was found and is not barred, scored whole, best first."""
    row_of = version.item_rows.get
    by_source = {
        source: {row for row in map(row_of, ids) if row is not None}
        for source, ids in found.items()
    }
    union = set().union(*by_source.values()) - set(barred)
    rows = np.array(sorted(union), dtype=np.int64)
    scores = version.artifact.scorer.scores_of(person, rows)
    order = np.argsort(-scores, kind="stable")
    return Pool(rows[order], scores[order], by_source)
