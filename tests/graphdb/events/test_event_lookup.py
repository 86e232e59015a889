"""What is known of events and sources."""

from graphdb.events.event_lookup import fetch_source, find_events
from graphdb.events.event_row import event_digest
from graphdb.events.events import save_events
from tests.rows import event_row


def test_events_are_found_by_type_and_id_with_where_they_came_in(graph, domain):
    rated, watched = event_row("ann", "1"), event_row("ann", "1", event_type="watched")
    save_events(graph, domain, "api", [rated])
    save_events(graph, domain, "import:x", [watched], seqs=[7])

    found = find_events(graph, domain, [("rated", "ann-1"), ("watched", "ann-1"), ("rated", "no")])

    assert found == {
        ("rated", "ann-1"): ("api", 0, event_digest(rated)),
        ("watched", "ann-1"): ("import:x", 7, event_digest(watched)),
    }


def test_a_source_is_where_it_was_left(graph, domain):
    assert fetch_source(graph, "import:x") == (-1, None)

    save_events(graph, domain, "import:x", [], offset=4, token="half")

    assert fetch_source(graph, "import:x") == (4, "half")
