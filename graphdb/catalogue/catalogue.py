"""Items, users and their attribute nodes: saved whole, changed in part, and given text vectors.

    (:Item:Film {id, title, text, text_digest, text_vector})-[:HAS_GENRE]->(:Genre {id})
    (:User {id, key})

Saving replaces a node's fields and attribute relationships; what is not a field of the domain
(vectors, events) stays. Rows are validated before they come here.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, LiteralString

from neo4j import ManagedTransaction

from graphdb.catalogue.entries import read_items, read_users
from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.people.erasure import ERASED, ErasedError, with_erased
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
    """Save items `{"id", "fields": {name: value}, "hidden": bool, "expires_at": time or None}`,
    each replaced whole."""
    graph.transaction(lambda tx: _save_items(tx, domain, rows))


def save_users(graph: Graph, domain: Domain, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Save users `{"id", "fields": {name: value}}`, each replaced whole.

    Returns the positions of rows of erased people: nothing of them is saved.
    """

    def work(tx: ManagedTransaction, erased: set[str]) -> list[int]:
        _save_users(tx, domain, [row for row in rows if row["id"] not in erased])
        return [n for n, row in enumerate(rows) if row["id"] in erased]

    return with_erased(graph, (row["id"] for row in rows), work)


# The SET takes the lock before the fields are read: isolation is read-committed.
LOCK_ENTRY = """
MATCH (n:<label> {id: $id})
SET n.locked = true
REMOVE n.locked
RETURN n.id AS id
"""


def patch_item(graph: Graph, domain: Domain, row: dict[str, Any]) -> dict[str, Any] | None:
    """Change what `row` holds of an item (null removes a field); the item as it is then, or None
    when there is no such item."""

    def work(tx: ManagedTransaction) -> dict[str, Any] | None:
        found = _locked(tx, "Item", read_items, domain, row["id"])
        if found is None:
            return None
        merged = {**found, **row, "fields": found["fields"] | row["fields"]}
        # Attribute nodes have no order: a text made from them again would seem to be another.
        retold = any(domain.item.fields[name].text for name in row["fields"])
        _save_items(tx, domain, [merged], texts=retold)
        return merged

    return graph.transaction(work)


def patch_user(graph: Graph, domain: Domain, row: dict[str, Any]) -> bool:
    """Change what `row` holds of a user (null removes a field); whether there is such a user.

    Raises ErasedError.
    """

    def work(tx: ManagedTransaction, erased: set[str]) -> bool:
        if erased:
            raise ErasedError(ERASED)
        found = _locked(tx, "User", read_users, domain, row["id"])
        if found:
            _save_users(tx, domain, [{**row, "fields": found["fields"] | row["fields"]}])
        return found is not None

    return with_erased(graph, [row["id"]], work)


def _locked(
    tx: ManagedTransaction, label: str, read, domain: Domain, entry_id: str
) -> dict[str, Any] | None:
    tx.run(render(LOCK_ENTRY, label=label), id=entry_id).consume()

    def run(statement: LiteralString, **parameters: Any) -> list[dict[str, Any]]:
        return [dict(record) for record in tx.run(statement, parameters)]

    return next(iter(read(run, domain, [entry_id])), None)


def _save_items(
    tx: ManagedTransaction, domain: Domain, rows: Sequence[dict[str, Any]], *, texts: bool = True
) -> None:
    fields = domain.item.fields
    rows = sorted(rows, key=lambda row: row["id"])
    prepared = [
        {
            "id": row["id"],
            "properties": {
                **_properties(fields, row["fields"]),
                **(_text(domain.item_text(row["fields"])) if texts else {}),
                "hidden": True if row.get("hidden") else None,
                "expires_at": row.get("expires_at"),
            },
        }
        for row in rows
    ]
    tx.run(render(SAVE_ITEMS, label=domain.item.label), rows=prepared).consume()
    _link(tx, "Item", fields, rows)


def _save_users(tx: ManagedTransaction, domain: Domain, rows: Sequence[dict[str, Any]]) -> None:
    fields = domain.user.fields
    rows = sorted(rows, key=lambda row: row["id"])
    prepared = [{"id": row["id"], "properties": _properties(fields, row["fields"])} for row in rows]
    tx.run(SAVE_USERS, rows=prepared).consume()
    _link(tx, "User", fields, rows)


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
