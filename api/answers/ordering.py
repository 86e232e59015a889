"""The list's order: which of a person's scored candidates are shown, and at which place.

It chooses from a pool that is best first, as the query's dials say; where candidates come from,
what a score is made of and how an item is told are not known here. The arithmetic is
training.reranking's, as is that of `pathlight evaluate --dial`.
"""

import hashlib
import time
from collections.abc import Collection

import numpy as np

from api.answers.answer import Query
from api.answers.candidates import LOOKED_AT, Pool
from api.serving.mapped import History, MappedVersion
from graphdb.catalogue.field_values import list_field_values
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.filters import Condition
from training.judging.metrics import unit_rows
from training.reranking import (
    Bounds,
    Candidates,
    draws,
    heaviest,
    kind_shares,
    relevant,
    reranked,
    shortlisted,
    taste_of,
)

ROTATION_S = 3600
"""How long a list is the same for the same person: a page that is loaded again does not jump."""


def ordered(
    graph: Graph | None,
    domain: Domain,
    version: MappedVersion,
    history: History,
    query: Query,
    pool: Pool,
) -> Pool:
    """At most k of the pool, in the list's order; graph: None while it does not answer, when the
    order is that of the scores."""
    if graph is None or not query.dials.turned() or not len(pool.rows):
        return pool.taken(np.arange(min(query.k, len(pool.rows))))
    bounds = _exposure(graph, domain, version, query, pool)
    places = shortlisted(len(pool.rows), query.k, bounds.members)
    kept = Bounds(bounds.members[places], bounds.least)
    found = _candidates(graph, domain, version, history, query, pool.taken(places))
    return pool.taken(places[reranked(found, query.dials, query.k, kept)])


def ordered_on(
    graph: Graph,
    domain: Domain,
    version: MappedVersion,
    history: History,
    query: Query,
    pool: Pool,
    kept: Collection[int],
) -> Pool:
    """The list as `ordered` has it and, for rules that hold some of it back, what follows: by score
    alone, as relevant as is asked, LOOKED_AT at most and the rows of `kept`."""
    first = ordered(graph, domain, version, history, query, pool)
    rest = relevant(pool.scores, query.dials.min_relevance) & ~np.isin(pool.rows, first.rows)
    rest &= (np.cumsum(rest) <= LOOKED_AT) | np.isin(pool.rows, list(kept))
    return first.followed(pool.taken(np.flatnonzero(rest)))


def made_by(domain: Domain, group: str) -> Condition:
    """What the makers of a group of the domain's make."""
    return Condition(domain.item.makers or "", "in", tuple(domain.groups[group].makers))


def _candidates(
    graph: Graph,
    domain: Domain,
    version: MappedVersion,
    history: History,
    query: Query,
    pool: Pool,
) -> Candidates:
    artifact = version.artifact
    found = Candidates(
        scores=pool.scores,
        vectors=np.asarray(unit_rows(artifact.scorer.item_vectors[pool.rows])),
        popularity=artifact.popularity[pool.rows],
        draws=draws(_seed(query), pool.rows),
    )
    if not query.dials.calibration or domain.item.categories is None:
        return found
    mine, weights = heaviest(history.row, artifact.scorer.weight_cap)
    rows = np.concatenate([mine, pool.rows])
    ids = [artifact.item_ids[row] for row in rows]
    held = list_field_values(graph, domain, domain.item.categories, ids)
    names = sorted({value for values in held.values() for value in values})
    kinds = kind_shares(np.array([[n in held.get(id, ()) for n in names] for id in ids], bool))
    return Candidates(
        scores=found.scores,
        vectors=found.vectors,
        popularity=found.popularity,
        draws=found.draws,
        kinds=kinds[len(mine) :],
        taste=taste_of(weights, kinds[: len(mine)]),
    )


def _exposure(
    graph: Graph, domain: Domain, version: MappedVersion, query: Query, pool: Pool
) -> Bounds:
    """The least shares of groups of makers that the query asks for."""
    shares = query.dials.shares
    if not shares or domain.item.makers is None:
        return Bounds.none(len(pool.rows))
    ids = [version.artifact.item_ids[row] for row in pool.rows]
    makers = list_field_values(graph, domain, domain.item.makers, ids)
    groups = [set(domain.groups[group].makers) for group in shares]
    members = [[not group.isdisjoint(makers.get(id, ())) for group in groups] for id in ids]
    return Bounds(np.array(members, bool), np.array(list(shares.values())))


def _seed(query: Query) -> int:
    """Of what rotation draws: of who asks, and of the hour."""
    who = query.user_id or " ".join(event.item_id for event in query.session[:1])
    told = f"{int(time.time() // ROTATION_S)} {who}".encode()
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest())
