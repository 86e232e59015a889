"""Loading a data set into the real graph: once, again, and with a bad row."""

from dataclasses import replace

import pytest

from ingest.datasets.dataset import load
from ingest.datasets.generator import generate
from ingest.errors import DatasetError

COUNTS = """
MATCH (u:User) WITH count(u) AS users
MATCH (i:Item:Film) WITH users, count(i) AS items
MATCH ()-[r:RATED|WATCHED]->()
RETURN users, items, count(r) AS events, count(DISTINCT r.seq) AS seqs, max(r.seq) AS last
"""
GENRES = "MATCH (:Film {id: $id})-[:HAS_GENRE]->(g:Genre) RETURN g.id AS genre"
SOURCES = "MATCH (s:Source) RETURN s.id AS id, s.name AS name, s.offset AS offset, s.events AS n"


@pytest.fixture
def example():
    return generate(items=60, users=80)


def test_a_data_set_is_loaded_once_however_often_it_is_given(graph, domain, example):
    steps = []
    first = load(graph, domain, example, lambda *step: steps.append(step))
    count = len(example.events)
    assert count > 2200
    assert (first.users, first.items, first.events, first.duplicates) == (80, 60, count, 0)
    expected = {"users": 80, "items": 60, "events": count, "seqs": count, "last": count - 1}
    assert graph.read(COUNTS) == [expected]
    assert steps[-1] == ("events", count, count)

    again = load(graph, domain, example)
    assert (again.events, again.duplicates) == (0, count)
    assert graph.read(COUNTS) == [expected]
    [source] = graph.read(SOURCES)
    assert source["id"].startswith("import:")
    assert source["name"] == example.name
    assert (source["offset"], source["n"]) == (count - 1, count)


def test_attributes_are_nodes(graph, domain, example):
    load(graph, domain, replace(example, events=[]))
    item = example.items[0]
    found = {row["genre"] for row in graph.read(GENRES, id=item["id"])}
    assert found == set(item["fields"]["genres"])


def test_a_bad_row_is_named_and_what_came_before_stays(graph, domain, example):
    events = [dict(event) for event in example.events]
    events[2100]["value"] = float("nan")
    with pytest.raises(DatasetError, match="events, row 2100: value: expected a finite number"):
        load(graph, domain, replace(example, events=events))
    assert graph.read(COUNTS)[0]["events"] == 2100
    assert load(graph, domain, example).duplicates == 2100

    other = [dict(event, item_id="another") for event in example.events]
    with pytest.raises(DatasetError, match="events, row 0: the graph has its event_id"):
        load(graph, domain, replace(example, events=other))
    items = [{"id": "x", "fields": {"titel": "Kolya"}}]
    with pytest.raises(DatasetError, match=r"items, row 0: fields\.titel: there is no such field"):
        load(graph, domain, replace(example, items=items))
