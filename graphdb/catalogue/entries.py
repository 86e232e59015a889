"""Catalogue entries read back: one by its id, or a page of them in the order of their ids.

An entry is `{"id", "fields": {name: value}, "created_at", …}`, its fields as the domain names them
whether they are properties or nodes of their own. It never writes, and gives no vectors.
"""

from collections.abc import Callable, Sequence
from typing import Any

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.specs import FieldSpec

Run = Callable[..., list[dict[str, Any]]]
"""Runs a statement with parameters: a graph's read, or a transaction's."""

FETCH_ITEMS = """
UNWIND $ids AS id
MATCH (i:Item {id: id})
RETURN i.id AS id, [name IN $names | i[name]] AS properties,
       coalesce(i.hidden, false) AS hidden, i.expires_at AS expires_at, i.created_at AS created_at
ORDER BY id
"""


def read_items(run: Run, domain: Domain, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Those of `ids` that exist, by id, with `hidden`, `expires_at` and `created_at` besides."""
    fields = domain.item.fields
    rows = run(FETCH_ITEMS, ids=list(ids), names=_properties(fields))
    for row in rows:
        row["expires_at"] = row["expires_at"] and row["expires_at"].to_native()
    return _entries(run, "Item", fields, rows)


FETCH_USERS = """
UNWIND $ids AS id
MATCH (u:User {id: id})
OPTIONAL MATCH (u)-[:SAME_AS]->(known:User)
RETURN u.id AS id, [name IN $names | u[name]] AS properties,
       known.id AS same_as, u.created_at AS created_at
ORDER BY id
"""


def read_users(run: Run, domain: Domain, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Those of `ids` that exist, by id, with `same_as` (whom they were joined to) besides."""
    fields = domain.user.fields
    rows = run(FETCH_USERS, ids=list(ids), names=_properties(fields))
    return _entries(run, "User", fields, rows)


def fetch_item(graph: Graph, domain: Domain, item_id: str) -> dict[str, Any] | None:
    """One item, or None."""
    return next(iter(read_items(graph.read, domain, [item_id])), None)


def fetch_user(graph: Graph, domain: Domain, user_id: str) -> dict[str, Any] | None:
    """One user, or None."""
    return next(iter(read_users(graph.read, domain, [user_id])), None)


# The uniqueness constraint's index gives them in order: a page costs the same wherever it begins.
LIST_IDS = """
MATCH (n:<label>)
WHERE n.id > $after
RETURN n.id AS id
ORDER BY id
LIMIT $limit
"""


def list_items(graph: Graph, domain: Domain, after: str, limit: int) -> list[dict[str, Any]]:
    """At most `limit` items whose ids come after `after`, by id."""
    rows = graph.read(render(LIST_IDS, label="Item"), after=after, limit=limit)
    return read_items(graph.read, domain, [row["id"] for row in rows])


def list_users(graph: Graph, domain: Domain, after: str, limit: int) -> list[dict[str, Any]]:
    """At most `limit` users whose ids come after `after`, by id."""
    rows = graph.read(render(LIST_IDS, label="User"), after=after, limit=limit)
    return read_users(graph.read, domain, [row["id"] for row in rows])


FETCH_ATTRIBUTES = """
UNWIND $ids AS id
MATCH (n:<owner> {id: id})-[:<relationship>]->(a:<label>)
RETURN id, collect(a.id) AS attributes
"""


def _entries(
    run: Run, owner: str, fields: dict[str, FieldSpec], rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    names = _properties(fields)
    for row in rows:
        row["created_at"] = row["created_at"] and row["created_at"].to_native()
        values = zip(names, row.pop("properties"), strict=True)
        row["fields"] = {name: value for name, value in values if value is not None}
    by_id = {row["id"]: row["fields"] for row in rows}
    for name, spec in fields.items():
        if spec.node is None or not rows:
            continue
        node = {"label": spec.node.label, "relationship": spec.node.relationship}
        for found in run(render(FETCH_ATTRIBUTES, owner=owner, **node), ids=list(by_id)):
            values = sorted(found["attributes"])
            by_id[found["id"]][name] = values if spec.type == "strings" else values[0]
    for row in rows:
        row["fields"] = {name: row["fields"][name] for name in fields if name in row["fields"]}
    return rows


def _properties(fields: dict[str, FieldSpec]) -> list[str]:
    return [name for name, spec in fields.items() if not spec.node]
