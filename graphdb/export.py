"""The graph into a snapshot: a clean cut, read while others write, proven complete.

It reads the committed offsets first, then exports what lies at or below them; what it exported of
each source must add up to the count that stands beside the offset. People leave under their keys.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from graphdb.connection import Graph
from graphdb.domain import Domain, render
from graphdb.errors import PathlightError
from graphdb.snapshot import EDGES, EVENTS, Manifest, write_snapshot
from graphdb.specs import FieldSpec

PAGE = 500
"""People whose events are read by one statement: memory is bounded by their histories."""


class ExportError(PathlightError):
    """What was exported does not add up to what the graph had counted."""


FETCH_OFFSETS = """
MATCH (s:Source)
RETURN s.id AS source, s.offset AS offset, s.events AS events
"""


def fetch_cut(graph: Graph) -> dict[str, int]:
    """The offset of every source: what a snapshot taken now would hold."""
    return {row["source"]: row["offset"] for row in graph.read(FETCH_OFFSETS)}


FETCH_CLOCK = "RETURN datetime.realtime().epochMillis AS now"

LIST_ITEMS = """
MATCH (i:Item)
RETURN i.id AS id, i.text AS text, i.text_vector AS vector, i.text_encoder AS encoder,
       [name IN $names | i[name]] AS fields
ORDER BY i.id
"""

LIST_EDGES = """
MATCH (i:Item)-[:<relationship>]->(a:<label>)
RETURN i.id AS item, collect(a.id) AS nodes
"""

# Pages by key, each person's events collected: five times as fast as a row an event.
LIST_HISTORIES = """
MATCH (u:User)
WHERE u.key > $after
WITH u ORDER BY u.key LIMIT $page
RETURN u.key AS key, [name IN $names | u[name]] AS fields,
       COLLECT {
         MATCH (u)-[r]->(i:Item)
         WHERE type(r) IN $types AND r.seq <= coalesce($cut[r.source], -1)
         RETURN [i.id, type(r), r.at.epochSeconds * 1000000 + r.at.microsecond, r.value, r.source]
       } AS events
ORDER BY key
"""


@dataclass
class _Reading:
    """What accumulates while the histories stream by."""

    domain: Domain
    rows: dict[str, int]
    as_of: datetime
    keys: list[str] = field(default_factory=list)
    fields: list[list[Any]] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)


def export_snapshot(graph: Graph, domain: Domain, directory: Path) -> Manifest:
    """Write the graph as it is now to the snapshot `directory`.

    Raises ExportError when events that the offsets promise are missing, FileExistsError when the
    directory is there.
    """
    sources = graph.read(FETCH_OFFSETS)
    cut = {row["source"]: row["offset"] for row in sources}
    as_of = datetime.fromtimestamp(graph.read(FETCH_CLOCK)[0]["now"] / 1000, UTC)
    items, encoder = _items(graph, domain)
    rows = {item: row for row, item in enumerate(items["id"].to_pylist())}
    reading = _Reading(domain, rows, as_of)
    # The events stream to memory in Arrow form: the users' table is known only at their end.
    batches = list(_histories(graph, reading, cut))
    for source in sources:
        found = reading.counted.get(source["source"], 0)
        if found != source["events"]:
            raise ExportError(
                f"source {source['source']!r}: {source['events']} events were counted up to"
                f" {source['offset']}, {found} were read; run pathlight audit"
            )
    return write_snapshot(
        directory,
        users=_table("key", reading.keys, domain.user.fields, reading.fields),
        items=items,
        events=batches,
        edges=_edges(graph, domain, rows),
        domain=domain.name,
        domain_hash=domain.digest,
        cut=cut,
        as_of=as_of,
        text_encoder=encoder,
        weight_cap=domain.weight_cap,
    )


def _items(graph: Graph, domain: Domain) -> tuple[pa.Table, str | None]:
    names = _property_names(domain.item.fields)
    records = list(graph.stream(LIST_ITEMS, names=names))
    table = _table(
        "id", [r["id"] for r in records], domain.item.fields, [r["fields"] for r in records]
    )
    encoders = {r["encoder"] for r in records if r["vector"] is not None}
    if len(encoders) > 1:
        raise ExportError(
            f"item texts were encoded by {len(encoders)} different encoders; run pathlight encode"
        )
    vectors = pa.array([r["vector"] for r in records], pa.list_(pa.float32()))
    table = table.append_column("text", pa.array([r["text"] for r in records], pa.string()))
    return table.append_column("text_vector", vectors), next(iter(encoders), None)


def _histories(graph: Graph, reading: _Reading, cut: dict[str, int]) -> Iterator[pa.RecordBatch]:
    types = {spec.relationship: name for name, spec in reading.domain.events.items()}
    names = _property_names(reading.domain.user.fields)
    after = ""
    while True:
        page = graph.read(
            LIST_HISTORIES, after=after, page=PAGE, names=names, types=list(types), cut=cut
        )
        if not page:
            return
        yield _batch(page, types, reading)
        after = page[-1]["key"]


def _batch(page: list[dict], types: dict[str, str], reading: _Reading) -> pa.RecordBatch:
    domain = reading.domain
    columns: dict[str, list] = {name: [] for name in EVENTS.names}
    for person in page:
        user = len(reading.keys)
        reading.keys.append(person["key"])
        reading.fields.append(person["fields"])
        for item, relationship, micros, value, source in sorted(
            person["events"], key=lambda e: (e[2], e[0], e[1])
        ):
            event_type = types[relationship]
            at = datetime.fromtimestamp(micros / 1e6, UTC)
            weight = domain.event_weight(event_type, value, at, reading.as_of)
            reading.counted[source] = reading.counted.get(source, 0) + 1
            columns["user"].append(user)
            columns["item"].append(reading.rows[item])
            columns["type"].append(event_type)
            columns["at"].append(micros)
            columns["value"].append(value)
            columns["weight"].append(weight if math.isfinite(weight) else 0.0)
            columns["seen"].append(domain.events[event_type].seen)
    arrays = [
        pa.array(columns[f.name], pa.string()).dictionary_encode().cast(f.type)
        if f.name == "type"
        else pa.array(columns[f.name], f.type)
        for f in EVENTS
    ]
    return pa.record_batch(arrays, schema=EVENTS)


def _edges(graph: Graph, domain: Domain, rows: dict[str, int]) -> dict[str, pa.Table]:
    edges = {}
    for spec in domain.item.fields.values():
        if spec.node:
            statement = render(
                LIST_EDGES, relationship=spec.node.relationship, label=spec.node.label
            )
            pairs = [
                (rows[record["item"]], node)
                for record in graph.stream(statement)
                if record["item"] in rows
                for node in sorted(record["nodes"])
            ]
            pairs.sort()
            edges[spec.node.relationship] = pa.table(
                {"item": [i for i, _ in pairs], "node": [n for _, n in pairs]}, schema=EDGES
            )
    return edges


ARROW = {
    "string": pa.string(),
    "strings": pa.list_(pa.string()),
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
}


def _table(
    identity: str, ids: list[str], fields: dict[str, FieldSpec], values: list[list[Any]]
) -> pa.Table:
    columns = {identity: pa.array(ids, pa.string())}
    for position, name in enumerate(_property_names(fields)):
        columns[name] = pa.array([row[position] for row in values], ARROW[fields[name].type])
    return pa.table(columns)


def _property_names(fields: dict[str, FieldSpec]) -> list[str]:
    return [name for name, spec in fields.items() if not spec.node]
