"""The list's order: which of a person's scored candidates are shown, and at which place.

It chooses from a pool that is best first; where candidates come from, what a score is made of and
how an item is told are not known here.
"""

import numpy as np

from api.answer import Query
from api.candidates import Pool
from api.mapped import History, MappedVersion
from graphdb.connection import Graph
from graphdb.domain import Domain


def ordered(
    graph: Graph | None,
    domain: Domain,
    version: MappedVersion,
    history: History,
    query: Query,
    pool: Pool,
) -> Pool:
    """At most k of the pool, in the list's order; graph: None while it does not answer."""
    return pool.taken(np.arange(min(query.k, len(pool.rows))))
