"""The catalogue as Arrow tables: people, items, and the edges of the knowledge graph between them.

It reads what is there now; events are graphdb.export.histories' affair.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, LiteralString

import pyarrow as pa

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.export.earlier import Member
from graphdb.export.histories import ExportError, transposed
from graphdb.snapshot import EDGES
from graphdb.specs import FieldSpec

PEOPLE_PAGE = 10_000
ITEMS_PAGE = 2_000
"""Items have vectors."""

ARROW = {
    "string": pa.string(),
    "strings": pa.list_(pa.string()),
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
}

LIST_JOINED = """
MATCH (anonymous:User)-[:SAME_AS]->(known:User)
RETURN anonymous.key AS key, known.key AS known
"""

# A row a page, as all long lists here: rows of their own take the driver several times as long.
LIST_PEOPLE = """
MATCH (u:User)
WHERE u.key > $after
WITH u ORDER BY u.key LIMIT $page
RETURN collect(u.key) AS key, collect([name IN $names | u[name]]) AS fields,
       collect(COUNT { (u)-[:<types>]->() }) AS event_count,
       collect(coalesce(u.removed, 0)) AS removed_count
"""


class People:
    """Everybody in the graph: `users` (a table, ordered by key), the members of each, and `rows`,
    the user's row of every member's key."""

    def __init__(self, graph: Graph, domain: Domain) -> None:
        joined = {row["key"]: row["known"] for row in graph.read(LIST_JOINED)}
        types = [spec.relationship for spec in domain.events.values()]
        statement = render(LIST_PEOPLE, types=types)
        names = property_names(domain.user.fields)
        schema = _schema("key", domain.user.fields)
        batches: list[pa.RecordBatch] = []
        self.members: list[list[Member]] = []
        self.rows: dict[str, int] = {}
        aside: list[Member] = []
        for rows in _pages(graph, statement, "key", PEOPLE_PAGE, names):
            own = []
            for row in rows:
                member = Member(row["key"], row["event_count"], row["removed_count"])
                if member.key in joined:
                    aside.append(member)
                    continue
                self.rows[member.key] = len(self.members)
                self.members.append([member])
                own.append(row)
            batches.append(_record_batch(schema, "key", own))
        # Whoever was joined with somebody who is gone since leaves with him.
        for member in aside:
            row = self.rows.get(joined[member.key])
            if row is not None:
                self.rows[member.key] = row
                self.members[row].append(member)
        self.users = pa.Table.from_batches(batches, schema)


LIST_ITEMS = """
MATCH (i:Item)
WHERE i.id > $after
WITH i ORDER BY i.id LIMIT $page
RETURN collect(i.id) AS id, collect([i.text, i.text_vector, i.text_encoder]) AS text,
       collect([name IN $names | i[name]]) AS fields
"""


def read_items(graph: Graph, domain: Domain) -> tuple[pa.Table, str | None]:
    """All items, ordered by id, and the text encoder of their vectors."""
    schema = _schema("id", domain.item.fields)
    schema = schema.append(pa.field("text", pa.string()))
    schema = schema.append(pa.field("text_vector", pa.list_(pa.float32())))
    batches, encoders = [], set()
    names = property_names(domain.item.fields)
    for rows in _pages(graph, LIST_ITEMS, "id", ITEMS_PAGE, names):
        texts = [row["text"] for row in rows]
        encoders |= {encoder for _, vector, encoder in texts if vector is not None}
        further = [[text for text, _, _ in texts], [vector for _, vector, _ in texts]]
        batches.append(_record_batch(schema, "id", rows, further))
    if len(encoders) > 1:
        raise ExportError(
            f"item texts were encoded by {len(encoders)} different encoders; run pathlight encode"
        )
    return pa.Table.from_batches(batches, schema), next(iter(encoders), None)


# A node at a time: an aggregation over all of them would stand in the server's memory.
LIST_EDGES = """
MATCH (a:<owner>)
WHERE EXISTS { (a)-[:<relationship>]->(:<label>) }
RETURN a.<identity> AS start,
       COLLECT { MATCH (a)-[:<relationship>]->(b:<label>) RETURN b.<end> } AS ends
"""


def read_edges(
    graph: Graph, domain: Domain, user_rows: dict[str, int], item_rows: dict[str, int]
) -> dict[str, pa.Table]:
    """The edges of each relationship type, ordered; a person's are those of who joined him too."""
    rows = {"user": user_rows, "item": item_rows}
    found: dict[str, set[tuple[str, int, str, int | None, str | None]]] = defaultdict(set)
    for owner, relationship, end, label in _edge_kinds(domain):
        edges = found[relationship]
        for start, to in _read_pairs(graph, owner, relationship, end, label):
            start_row = rows[owner].get(start)
            if start_row is None:
                continue
            if end not in rows:
                edges.add((owner, start_row, label, None, to))
            elif to in rows[end]:
                edges.add((owner, start_row, end, rows[end][to], None))
    return {name: _edge_table(edges) for name, edges in sorted(found.items())}


def _edge_kinds(domain: Domain) -> Iterator[tuple[str, str, str, str]]:
    """(start, relationship, end, the end's label) of every kind of edge, ends as in a relation."""
    for owner, fields in (("user", domain.user.fields), ("item", domain.item.fields)):
        for name, spec in fields.items():
            if spec.node:
                yield owner, spec.node.relationship, name, spec.node.label
    for relation in domain.relations.values():
        yield relation.from_, relation.relationship, relation.to, domain.nodes[relation.to]


def _read_pairs(
    graph: Graph, owner: str, relationship: str, end: str, label: str
) -> Iterator[tuple[str, str]]:
    statement = render(
        LIST_EDGES,
        owner=owner.capitalize(),
        relationship=relationship,
        label=label,
        identity=_identity(owner),
        end=_identity(end),
    )
    for row in graph.stream(statement):
        for to in row["ends"]:
            yield row["start"], to


def _identity(kind: str) -> LiteralString:
    """What names a node in files: of a person the key alone."""
    return "key" if kind == "user" else "id"


def _edge_table(edges: Iterable[tuple[str, int, str, int | None, str | None]]) -> pa.Table:
    ordered = sorted(edges, key=lambda e: (e[0], e[1], e[2], e[3] or 0, e[4] or ""))
    columns = list(zip(*ordered, strict=True)) or [[]] * len(EDGES)
    arrays = [
        pa.array(column, pa.string()).dictionary_encode().cast(field.type)
        if pa.types.is_dictionary(field.type)
        else pa.array(column, field.type)
        for column, field in zip(columns, EDGES, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=EDGES)


def property_names(fields: dict[str, FieldSpec]) -> list[str]:
    """The fields that are properties; the others are nodes."""
    return [name for name, spec in fields.items() if not spec.node]


def _schema(identity: str, fields: dict[str, FieldSpec]) -> pa.Schema:
    columns = [(name, ARROW[fields[name].type]) for name in property_names(fields)]
    return pa.schema([(identity, pa.string()), *columns])


def _record_batch(
    schema: pa.Schema, identity: str, rows: list[dict[str, Any]], further: Iterable[list] = ()
) -> pa.RecordBatch:
    """`schema`'s first column is the identity, then come the fields, then `further` columns."""
    further = list(further)
    width = len(schema) - 1 - len(further)
    fields = [[row["fields"][place] for row in rows] for place in range(width)]
    columns = [[row[identity] for row in rows], *fields, *further]
    arrays = [pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)


def _pages(
    graph: Graph, statement: LiteralString, identity: str, page: int, names: list[str]
) -> Iterator[list[dict[str, Any]]]:
    after = ""
    while rows := transposed(graph.read(statement, after=after, page=page, names=names)[0]):
        yield rows
        after = rows[-1][identity]
