"""Items, users and their attribute nodes: saved whole, read back, and given text vectors.

    (:Item:Film {id, title, text, text_digest, text_vector})-[:HAS_GENRE]->(:Genre {id})
    (:User {id, key})

Saving replaces a node's fields and attribute relationships; what is not a field of the domain
(vectors, events) stays. Rows are validated before they come here.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from neo4j import ManagedTransaction

from graphdb.connection import Graph
from graphdb.domain import Domain, render
from graphdb.specs import FieldSpec

SAVE_ITEMS = """
UNWIND $rows AS row
MERGE (i:Item {id: row.id})
ON CREATE SET i.created_at = datetime()
SET i:<label>
SET i += row.properties
"""

SAVE_USERS = """
UNWIND $rows AS row
MERGE (u:User {id: row.id})
ON CREATE SET u.key = randomUUID(), u.created_at = datetime()
SET u += row.properties
"""

# (:Item)-[:HAS_GENRE]->(:Genre): an attribute node exists once, whatever the number of items.
SAVE_ATTRIBUTES = """
UNWIND $values AS value
MERGE (:<label> {id: value})
"""

CLEAR_ATTRIBUTES = """
UNWIND $rows AS row
MATCH (n:<owner> {id: row.id})-[r:<relationship>]->(a:<label>)
WHERE NOT a.id IN row.values
DELETE r
"""

LINK_ATTRIBUTES = """
UNWIND $rows AS row
MATCH (n:<owner> {id: row.id})
UNWIND row.values AS value
MATCH (a:<label> {id: value})
MERGE (n)-[:<relationship>]->(a)
"""


def save_items(graph: Graph, domain: Domain, rows: Sequence[dict[str, Any]]) -> None:
    """Save items `{"id", "fields": {name: value}, "hidden": bool}`, each replaced whole."""
    fields, statement = domain.item.fields, render(SAVE_ITEMS, label=domain.item.label)
    rows = sorted(rows, key=lambda row: row["id"])
    prepared = [
        {
            "id": row["id"],
            "properties": {
                **_properties(fields, row["fields"]),
                **_text(domain.item_text(row["fields"])),
                "hidden": True if row.get("hidden") else None,
            },
        }
        for row in rows
    ]

    def work(tx: ManagedTransaction) -> None:
        tx.run(statement, rows=prepared).consume()
        _link(tx, "Item", fields, rows)

    graph.transaction(work)


def save_users(graph: Graph, domain: Domain, rows: Sequence[dict[str, Any]]) -> None:
    """Save users `{"id", "fields": {name: value}}`, each replaced whole."""
    fields = domain.user.fields
    rows = sorted(rows, key=lambda row: row["id"])
    prepared = [{"id": row["id"], "properties": _properties(fields, row["fields"])} for row in rows]

    def work(tx: ManagedTransaction) -> None:
        tx.run(SAVE_USERS, rows=prepared).consume()
        _link(tx, "User", fields, rows)

    graph.transaction(work)


# An item is encoded again only when its text or the encoder has changed.
LIST_UNENCODED = """
MATCH (i:Item)
WHERE i.text IS NOT NULL
  AND (i.text_vector IS NULL OR i.text_vector_of <> i.text_digest OR i.text_encoder <> $encoder)
RETURN i.id AS id, i.text AS text, i.text_digest AS digest
LIMIT $limit
"""


def list_unencoded(graph: Graph, encoder: str, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` items `{"id", "text", "digest"}` without a vector of this encoder and text."""
    return graph.read(LIST_UNENCODED, encoder=encoder, limit=limit)


COUNT_UNENCODED = """
MATCH (i:Item)
WHERE i.text IS NOT NULL
  AND (i.text_vector IS NULL OR i.text_vector_of <> i.text_digest OR i.text_encoder <> $encoder)
RETURN count(i) AS count
"""


def count_unencoded(graph: Graph, encoder: str) -> int:
    """How many items `list_unencoded` would list without a limit."""
    return graph.read(COUNT_UNENCODED, encoder=encoder)[0]["count"]


SAVE_TEXT_VECTORS = """
UNWIND $rows AS row
MATCH (i:Item {id: row.id})
WHERE i.text_digest = row.digest
SET i.text_vector = row.vector, i.text_vector_of = row.digest, i.text_encoder = $encoder
"""


def save_text_vectors(graph: Graph, encoder: str, rows: Sequence[dict[str, Any]]) -> None:
    """Store vectors `{"id", "digest", "vector"}`; a text that changed meanwhile keeps waiting."""
    graph.write(SAVE_TEXT_VECTORS, rows=list(rows), encoder=encoder)


def _link(tx: ManagedTransaction, owner: str, fields: dict[str, FieldSpec], rows) -> None:
    for name, spec in fields.items():
        if spec.node is None:
            continue
        names = {"label": spec.node.label, "relationship": spec.node.relationship}
        links = [{"id": row["id"], "values": _values(row["fields"].get(name))} for row in rows]
        values = sorted({value for link in links for value in link["values"]})
        tx.run(render(SAVE_ATTRIBUTES, label=spec.node.label), values=values).consume()
        tx.run(render(CLEAR_ATTRIBUTES, owner=owner, **names), rows=links).consume()
        tx.run(render(LINK_ATTRIBUTES, owner=owner, **names), rows=links).consume()


def _properties(specs: dict[str, FieldSpec], fields: dict[str, Any]) -> dict[str, Any]:
    """Every property of the domain, null where the row has none: `+=` then removes it."""
    return {name: fields.get(name) for name, spec in specs.items() if not spec.node}


def _text(text: str) -> dict[str, str | None]:
    digest = hashlib.sha256(text.encode()).hexdigest() if text else None
    return {"text": text or None, "text_digest": digest}


def _values(value: Any) -> list[str]:
    if value is None:
        return []
    return list(dict.fromkeys(value)) if isinstance(value, list) else [value]
