"""The short list on the user: written with the events, or once after many."""

from datetime import timedelta
from math import isnan

from graphdb.events import save_events
from graphdb.recent import RECENT, refresh_recent
from tests.rows import NOON, event_row

LISTS = """
MATCH (u:User) RETURN u.id AS id, u.recent_items AS items, u.recent_types AS types,
  [v IN u.recent_values | CASE WHEN v = v THEN v END] AS values, u.recent_at AS at,
  u.recent_sources AS sources, u.recent_seqs AS seqs ORDER BY id
"""


def test_refreshing_writes_what_writing_along_would_have(graph, domain):
    """Batches that come one after the other: order of arrival."""
    for start in range(0, 120, 20):
        came = NOON + timedelta(days=1, minutes=start)
        rows = [
            event_row(
                f"u{n % 2}",
                f"i{n}",
                100 - n,
                value=float(n) if n % 3 else None,
                received_at=came,
            )
            for n in range(start, start + 20)
        ]
        save_events(graph, domain, "api", rows)
    along = graph.read(LISTS)

    refresh_recent(graph, domain, ["u0", "u1", "nobody"])

    assert [len(person["items"]) for person in along] == [RECENT, RECENT]
    assert graph.read(LISTS) == along


def test_a_bulk_load_leaves_the_lists_to_its_end(graph, domain):
    save_events(graph, domain, "import:x", [event_row("ann", "1")], recent=False)
    before = graph.read(LISTS)

    refresh_recent(graph, domain, ["ann"])

    assert before[0]["items"] is None
    ann = graph.read("MATCH (u:User {id: 'ann'}) RETURN u.recent_values AS values")[0]
    assert [isnan(value) for value in ann["values"]] == [True]
    assert graph.read(LISTS)[0]["items"] == ["1"]
