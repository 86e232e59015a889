"""Consumers: a fair share each, a dead one's partitions taken over, one writer of a partition."""

from graphdb.partitions import list_partitions
from tests.ingest.conftest import until_written
from tests.rows import event_row

COUNT = "MATCH (:User)-[r]->(:Item) RETURN count(r) AS n, count(DISTINCT r.event_id) AS ids"
ADDED = "MATCH (s:Source) RETURN sum(s.events) AS n"


def rows(count, start=0):
    return [
        event_row(f"u{n % 20}", str(n % 50), n, event_id=str(n))
        for n in range(start, start + count)
    ]


def owners(graph):
    return [row["owner"] for row in list_partitions(graph)]


def test_what_was_appended_is_written_once_and_adds_up(graph, stream, consuming):
    stream.append(rows(2500))
    with consuming():
        until_written(graph, stream)
        stream.append(rows(3000))
        until_written(graph, stream)

    assert graph.read(COUNT) == [{"n": 3000, "ids": 3000}]
    assert graph.read(ADDED) == [{"n": 3000}]
    assert stream.counts() == {"written": 3000, "duplicates": 2500}
    assert owners(graph) == [None] * 4
