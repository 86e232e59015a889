"""What a person's events on an item weigh together, where the domain does not count each of them.

Then a new event does not add to what was there: it may replace it, or change nothing. All events of
such a pair are read and weighed as an export weighs them.
"""

from collections.abc import Sequence

import numpy as np

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.events.weights import counted, event_weights

# From both ends: the server then looks at the one that has fewer relationships.
FETCH_PAIRS = """
UNWIND $keys AS key
MATCH (u:User {key: key})
UNWIND $items AS item
MATCH (i:Item {id: item})
MATCH (u)-[r:<types>]->(i)
RETURN collect(i.id) AS items, collect(type(r)) AS types,
       collect(coalesce(r.value, 0.0 / 0.0)) AS values,
       collect(r.at.epochSeconds * 1000000 + r.at.microsecond) AS times
"""


def fetch_totals(
    graph: Graph, domain: Domain, keys: Sequence[str], items: Sequence[str], as_of: int
) -> dict[str, float]:
    """By item the weight of all events of these keys together, who are one person.

    as_of: microseconds since 1970, at which the events' ages are taken.
    """
    kind_of = {spec.relationship: n for n, spec in enumerate(domain.events.values())}
    statement = render(FETCH_PAIRS, types=list(kind_of))
    found = graph.read(statement, keys=list(keys), items=list(items))[0]
    ids, pair = np.unique(np.array(found["items"], dtype=object), return_inverse=True)
    kind = np.array([kind_of[name] for name in found["types"]], np.intp)
    at = np.array(found["times"], np.int64)
    weight = event_weights(domain.events, kind, np.array(found["values"], float), at, as_of)
    weight = counted(domain.events, pair, kind, at, weight)
    sums = np.bincount(pair, weight, minlength=len(ids))
    return dict(zip(ids.tolist(), sums.tolist(), strict=True))
