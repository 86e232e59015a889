"""Candidates of an answer: what a slot's vector index finds and what is named by id, as far as it
may be shown and passes a filter.

A statement matches the version it is asked for: when its slot is gone it returns nothing, and the
caller asks again. It knows neither scores nor who asks.
"""

from collections.abc import Sequence
from typing import LiteralString

from graphdb.answers.filtering import EVERYTHING, Predicate, restricted
from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.versions.slots import index_name

NEAREST = "CALL db.index.vector.queryNodes($index, $k, $vector) YIELD node AS i"

SEARCH = "SEARCH i IN (VECTOR INDEX <index> FOR $vector WHERE <inside> LIMIT $k)"

# What may be shown is neither hidden nor expired. The hint: while an index is new, the server takes
# it for empty, and would begin with all items of a filter's field.
FETCH_CANDIDATES = """
MATCH (v:ModelVersion {id: $version})
WHERE v.state IN ['serving', 'standby']
CALL (v) {
  <nearest>
  WITH i
  WHERE i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true) AND <passes>
  RETURN collect(i.id) AS near
}
CALL (v) {
  UNWIND $walked AS id
  MATCH (i:Item {id: id}) USING INDEX SEEK i:Item(id)
  WHERE i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true) AND <passes>
  RETURN collect(i.id) AS walked
}
RETURN near, walked
"""


def fetch_candidates(
    graph: Graph,
    version: str,
    slot: str,
    vector: list[float],
    k: int,
    walked: Sequence[str],
    passing: Predicate = EVERYTHING,
) -> tuple[list[str], list[str]] | None:
    """Ids that may be shown and pass: of the k nearest to `vector`, and of `walked`. The nearest
    are those of all, or of what passes as far as the index itself can tell.

    None when the version's slot is gone: ask again with what serves now.
    """
    index = index_name("Item", slot)
    rows = graph.read(
        candidates_statement(index, passing),
        version=version,
        index=index,
        k=k,
        vector=vector,
        walked=list(walked),
        filter=list(passing.values),
    )
    return (rows[0]["near"], rows[0]["walked"]) if rows else None


def candidates_statement(index: str, passing: Predicate) -> LiteralString:
    """FETCH_CANDIDATES for what is to pass."""
    if not passing.inside:
        return restricted(FETCH_CANDIDATES.replace("<nearest>", NEAREST), passing)
    search = render(SEARCH, index=index).replace("<inside>", passing.inside)
    nearest = FETCH_CANDIDATES.replace("<nearest>", f"MATCH (i:Item) {search}")
    return "CYPHER 25" + restricted(nearest, passing)
