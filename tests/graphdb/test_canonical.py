"""A hash of what the graph says: equal for the same said otherwise, another for anything else."""

import pytest

from graphdb.canonical import LEASES, hash_graph
from graphdb.catalogue.catalogue import save_items, save_users
from graphdb.catalogue.relations import save_relations
from graphdb.events.events import save_events
from graphdb.events.retraction import retract_event
from graphdb.people.people import join_people
from tests.related import RELATED
from tests.rows import NOON, event_row, item_row
from tests.wiping import wipe

ROWS = [event_row(f"u{n % 3}", str(n % 4), n, event_id=str(n), value=float(n)) for n in range(12)]
FOLLOWS = {"type": "follows", "start": "u0", "end": "u1", "weight": 2.0}


def fill(graph, rows, source: str, chunk: int) -> str:
    save_items(graph, RELATED, [item_row("1", genres=["Drama"], title="One")])
    for start in range(0, len(rows), chunk):
        save_events(graph, RELATED, source, rows[start : start + chunk])
    save_users(graph, RELATED, [{"id": "u0", "fields": {"age": 41}}])
    save_relations(graph, RELATED, [FOLLOWS])
    join_people(graph, "u1", "u2")
    retract_event(graph, RELATED, "rated", "3")
    return hash_graph(graph)


def test_the_way_in_does_not_count(graph):
    first = fill(graph, ROWS, "api", 12)
    leases = hash_graph(graph, LEASES)
    wipe(graph)
    again = fill(graph, [*ROWS[::-1], *ROWS], "stream:1:0", 5)

    assert first == again
    assert leases != hash_graph(graph, LEASES)


@pytest.mark.parametrize(
    "change",
    [
        "MATCH ()-[r:RATED {event_id: '5'}]->() SET r.value = 5.5",
        "MATCH ()-[r:RATED {event_id: '5'}]->() SET r.at = r.at + duration('PT0.000001S')",
        "MATCH ()-[r:RATED {event_id: '5'}]->() DELETE r",
        "MATCH (a)-[r:RATED {event_id: '5'}]->(b) CREATE (a)-[s:RATED]->(b) SET s.event_id = '99'",
        "MATCH (a)-[r:RATED {event_id: '5'}]->() SET a.age = 3",
        "MATCH (:User)-[r:SAME_AS]->(:User) DELETE r",
        "MATCH (:Item)-[r:HAS_GENRE]->(g) DELETE r",
        "MATCH (a:User)-[r:FOLLOWS]->(b:User) DELETE r CREATE (b)-[:FOLLOWS {weight: 2.0}]->(a)",
        "MATCH (t:Tombstone) DELETE t",
        "MERGE (:Item {id: 'bare'})",
    ],
)
def test_everything_that_is_said_counts(graph, change):
    before = fill(graph, ROWS, "api", 12)

    graph.write(change)

    assert hash_graph(graph) != before


def test_what_training_wrote_does_not_count(graph):
    before = fill(graph, ROWS, "api", 12)

    graph.write("MATCH (u:User) SET u.vector_a = [1.0, 2.0]")
    graph.write("MATCH (a:Item {id: '1'}), (b:Item {id: '2'}) CREATE (a)-[:SIMILAR_A]->(b)")
    graph.write("MERGE (:Serving {id: 'serving'})-[:SERVES]->(:ModelVersion {id: 'v'})")

    assert hash_graph(graph) == before


def test_the_hash_of_an_empty_graph_is_zero(graph):
    assert hash_graph(graph) == "0" * 64
    save_events(graph, RELATED, "api", [event_row("ann", "1", received_at=NOON)])
    assert len(hash_graph(graph).strip("0")) > 50
