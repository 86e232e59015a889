"""What a bulk load leaves on people instead of the short lists."""

from graphdb.answers.retrieval import fetch_person
from graphdb.events.events import save_events
from graphdb.events.recent import RECENT_LOADS
from tests.rows import NOON, event_row

LOADS = "MATCH (u:User) RETURN u.id AS id, u.recent_loads AS loads, u.recent_items AS items"

JOIN = """
MATCH (ann:User {id: 'ann'}), (anonymous:User {id: 'anonymous:a'})
CREATE (anonymous)-[:SAME_AS]->(ann)
"""


def load(graph, domain, source, *rows):
    return save_events(graph, domain, source, rows, bulk=True)


def test_events_of_a_load_count_until_the_version_has_them(graph, domain):
    load(graph, domain, "import:x", event_row("ann", "1"), event_row("ann", "2"))
    save_events(graph, domain, "api", [event_row("ann", "3")])

    def items(cut):
        return {e.item_id for e in fetch_person(graph, domain, "ann", cut, NOON).events}

    assert items({}) == {"1", "2", "3"}
    assert items({"import:x": 0}) == {"2", "3"}
    assert items({"import:x": 1}) == {"3"}
    assert items({"import:x": 1, "api": 0}) == set()
    assert graph.read(LOADS) == [{"id": "ann", "loads": ["import:x"], "items": ["3"]}]


def test_a_load_of_a_joined_person_counts_for_whom_they_are(graph, domain):
    load(graph, domain, "import:x", event_row("anonymous:a", "1"))
    save_events(graph, domain, "api", [event_row("ann", "2")])
    graph.write(
        "MATCH (a:User {id: 'anonymous:a'}), (b:User {id: 'ann'}) CREATE (a)-[:SAME_AS]->(b)"
    )

    person = fetch_person(graph, domain, "ann", {"api": 0}, NOON)

    assert [e.item_id for e in person.events] == ["1"]


def test_the_last_loads_are_kept_and_none_twice(graph, domain):
    for n in range(RECENT_LOADS + 2):
        for half in (0, 1):
            row = event_row("ann", "1", event_id=f"{n}-{half}")
            load(graph, domain, f"import:{n}", row)

    last = [f"import:{n}" for n in range(2, RECENT_LOADS + 2)]
    assert graph.read(LOADS) == [{"id": "ann", "loads": last, "items": None}]
