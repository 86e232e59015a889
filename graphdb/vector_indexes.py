"""Vector indexes: made, dropped, and whether they are ready to be asked.

Quantisation is off: by default it loses a tenth of the true neighbours.
"""

from collections.abc import Sequence
from typing import Any, LiteralString

from graphdb.connection import Graph
from graphdb.cypher import render

CREATE_VECTOR_INDEX = """
<language>CREATE VECTOR INDEX <index> IF NOT EXISTS FOR (n:<label>) ON n.<vector><beside>
OPTIONS {indexConfig: {
  `vector.dimensions`: toInteger($dimensions), `vector.similarity_function`: 'cosine',
  `vector.quantization.enabled`: false, `vector.hnsw.m`: 32, `vector.hnsw.ef_construction`: 200
}}
"""


def create_vector_index(
    graph: Graph,
    index: str,
    label: str,
    vector: str,
    dimensions: int,
    *,
    fields: Sequence[str] = (),
) -> None:
    """Index the property `vector` of nodes, by cosine; filled in the server's own time.

    fields: held beside the vectors, to filter by inside the index; only where `holds_fields`.
    """
    names = {"index": index, "label": label, "vector": vector}
    statement = _holding(CREATE_VECTOR_INDEX, fields)
    graph.define(render(statement, **names), dimensions=dimensions)


def _holding(statement: LiteralString, fields: Sequence[str]) -> LiteralString:
    held = ", ".join(render("n.<field>", field=field) for field in fields)
    language, beside = ("CYPHER 25 ", f" WITH [{held}]") if fields else ("", "")
    return statement.replace("<language>", language).replace("<beside>", beside)


DROP_INDEX = "DROP INDEX <index> IF EXISTS"


def drop_index(graph: Graph, index: str) -> None:
    """Drop an index, if it is there."""
    graph.define(render(DROP_INDEX, index=index))


# The row is there from 2026.x on, whose vector indexes can hold properties and filter by them.
LIST_LANGUAGES = """
CALL dbms.components() YIELD name, versions
WHERE name = 'Cypher'
RETURN versions
"""


def holds_fields(graph: Graph) -> bool:
    """Whether the server can filter inside a vector index."""
    languages = graph.read(LIST_LANGUAGES)
    return bool(languages) and "25" in languages[0]["versions"]


LIST_PROPERTIES = """
SHOW VECTOR INDEXES YIELD name, properties
WHERE name = $index
RETURN properties
"""


def list_fields(graph: Graph, index: str) -> frozenset[str]:
    """The fields that an index holds beside its vectors; none where it is not there."""
    found = graph.read(LIST_PROPERTIES, index=index)
    return frozenset(name for row in found for name in row["properties"][1:])


FETCH_INDEX = """
SHOW VECTOR INDEXES YIELD name, state, populationPercent
WHERE name = $index
RETURN state, populationPercent AS percent
"""


def fetch_index(graph: Graph, index: str) -> dict[str, Any] | None:
    """The `state` of an index and the `percent` of it that is filled; None where it is absent."""
    found = graph.read(FETCH_INDEX, index=index)
    return found[0] if found else None


def is_online(graph: Graph, index: str) -> bool:
    """Whether an index is there and answers."""
    found = fetch_index(graph, index)
    return found is not None and found["state"] == "ONLINE"


AWAIT_INDEX = "CALL db.awaitIndex($index, 600)"


def await_index(graph: Graph, index: str) -> bool:
    """Wait until an index is full; whether it then can be asked for all there is."""
    graph.read(AWAIT_INDEX, index=index)
    found = fetch_index(graph, index)
    return found is not None and found["state"] == "ONLINE" and found["percent"] >= 100
