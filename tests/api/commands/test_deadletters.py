"""`pathlight deadletters` on the suite's servers."""

import json

import pytest

from graphdb.events.partitions import open_partitions
from ingest.stream.dead_letters import DeadLetter, DeadLetters, as_sent
from ingest.stream.stream import EventStream
from tests.api.pathlight import Run, refused
from tests.rows import NOON, event_row


@pytest.fixture
def letters(empty_stream):
    stream = EventStream(empty_stream)
    letters = DeadLetters(stream)
    letters.put(
        [
            DeadLetter(
                f"0-{n}-x",
                as_sent(event_row("ann", str(n))),
                "poison",
                f"bad {n}",
                "stream:1:0",
                NOON.isoformat(),
            )
            for n in range(3)
        ]
    )
    yield letters
    stream.close()


def test_letters_are_listed_replayed_and_dropped(on_graph: Run, letters, graph):
    open_partitions(graph, 4)
    listed = json.loads(on_graph("deadletters", "list", "--json").stdout)
    table = on_graph("deadletters", "list").stdout
    status = json.loads(on_graph("status", "--json").stdout)
    replayed = json.loads(on_graph("deadletters", "replay", "0-1-x", "--json").stdout)
    dropped = on_graph("deadletters", "drop", "--all").stdout

    assert [(x["name"], x["reason"], x["row"]["item_id"]) for x in listed] == [
        (f"0-{n}-x", "poison", str(n)) for n in range(3)
    ]
    assert "bad 2" in table
    rows = {row["part"]: row for row in status if row["part"].startswith("partition")}
    assert rows == {}  # nothing was ever appended
    assert replayed == {"replayed": 1, "kept": {}}
    assert dropped == "2 dropped\n"
    assert on_graph("deadletters", "list").stdout == "no dead letters\n"
    (waits,) = [
        row for row in json.loads(on_graph("status", "--json").stdout) if row.get("waiting")
    ]
    assert (waits["state"], waits["waiting"], waits["dead_letters"]) == ("unread", 1, 0)


def test_which_letters_are_meant_must_be_said_and_they_must_be_there(on_graph: Run, letters):
    assert refused(on_graph("deadletters", "drop")) == "name the dead letters, or say --all"
    assert refused(on_graph("deadletters", "replay", "nine")) == "there is no dead letter 'nine'"
    assert letters.count() == 3
