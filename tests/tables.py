"""Counting what a set of tables holds, as an import would take it."""

from collections import Counter
from datetime import UTC, datetime

from graphdb.domain import Domain
from ingest.datasets.table_set import TableSet


def counted(found: TableSet, domain: Domain) -> dict[str, object]:
    """Events by type, people, things, rejected rows by field and code, catalogue rows."""
    types, rejected, ids = Counter(), Counter(), set()
    people, things = set(), set()
    for batch in found.events.batches(domain, datetime.now(UTC)):
        types.update(row["event_type"] for row in batch.rows)
        people.update(row["user_id"] for row in batch.rows)
        things.update(row["item_id"] for row in batch.rows)
        ids.update(row["event_id"] for row in batch.rows)
        rejected.update((row["field"], row["code"]) for row in batch.rejected)
    assert len(ids) == types.total()
    catalogue = Counter()
    for table in (*found.items, *found.users):
        for batch in table.batches(domain):
            catalogue[table.what] += len(batch.rows)
            rejected.update((row["field"], row["code"]) for row in batch.rejected)
    return {
        "types": dict(types),
        "people": len(people),
        "things": len(things),
        "rejected": dict(rejected),
        "catalogue": dict(catalogue),
    }
