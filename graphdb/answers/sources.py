"""Analysts' own sources of candidates: reviewed Cypher of the domain file, read-only and bounded.

A source is explained before it is ever asked, runs in READ mode, and gives at most its rows within
its time. It may use `$person` (an id, or '' for a session), `$recent` (ids of the items that count
for them, newest known first) and `$rows`, and returns a column `id`.
"""

from collections.abc import Sequence
from typing import Any

from neo4j.exceptions import DriverError, Neo4jError

from graphdb.connection import Graph
from graphdb.errors import PathlightError
from graphdb.exploration import check_reading
from graphdb.specs import SourceSpec

PLANNING_S = 10.0
"""Seconds that the first time may take: the server has to plan the statement."""


class SourceError(PathlightError):
    """A source that cannot be asked, or that failed, with the reason."""


def check_source(graph: Graph, source: SourceSpec) -> None:
    """Have the server plan a source, and ask it for nobody. Raises ExplorationError or
    SourceError."""
    check_reading(graph, source.cypher, _parameters(source, "", ()), PLANNING_S)
    _ids(graph, source, "", (), PLANNING_S)


def fetch_source(graph: Graph, source: SourceSpec, person: str, recent: Sequence[str]) -> list[str]:
    """Ids of what a checked source finds. Raises SourceError."""
    return _ids(graph, source, person, recent, source.timeout_ms / 1000)


def _ids(
    graph: Graph, source: SourceSpec, person: str, recent: Sequence[str], timeout: float
) -> list[str]:
    given = _parameters(source, person, recent)
    try:
        columns, rows = graph.explore(source.cypher, given, timeout, source.rows)
    except (Neo4jError, DriverError) as error:
        raise SourceError(f"Neo4j refused it: {type(error).__name__}") from error
    if "id" not in columns:
        raise SourceError(f"it returns {', '.join(columns)}; expected a column id")
    ids = [row[columns.index("id")] for row in rows]
    if not all(isinstance(found, str) for found in ids):
        raise SourceError("its column id holds what is no text; expected the ids of items")
    return list(dict.fromkeys(ids))


def _parameters(source: SourceSpec, person: str, recent: Sequence[str]) -> dict[str, Any]:
    return {"person": person, "recent": list(recent), "rows": source.rows}
