"""Dead letters: whole, once, bounded without loss, and sent again the way of every event."""

import pytest

from ingest.event import read_events
from ingest.stream.dead_letters import (
    DeadLetter,
    DeadLetters,
    DeadLettersFullError,
    as_sent,
    letter_of,
    replay,
)
from tests.rows import NOON, event_row


def letter(name: str, row=None, reason: str = "poison") -> DeadLetter:
    row = row or event_row("ann", name)
    return DeadLetter(name, as_sent(row), reason, "because", "stream:1:0", NOON.isoformat())


def test_letters_come_back_whole_in_the_order_in_which_they_came(letters):
    put = [letter(name) for name in ("1-9-x", "c", "a", "b", "1-3-y")]

    letters.put(put[:2])
    letters.put(put)

    assert letters.list_letters() == put
    assert letters.list_letters(2, start=1) == put[1:3]
    assert letters.count() == 5
    assert letters.by_partition() == {1: 2, -1: 3}


def test_a_full_store_refuses_all_of_what_comes_and_keeps_what_it_has(stream):
    small = DeadLetters(stream, 3)
    small.put([letter("a"), letter("b")])

    with pytest.raises(DeadLettersFullError, match="replay or drop some"):
        small.put([letter("c"), letter("d")])
    small.put([letter("a"), letter("c")])

    assert [x.name for x in small.list_letters()] == ["a", "b", "c"]
    assert small.remove(["a", "nothing"]) == 1
    small.put([letter("d")])
    assert [x.name for x in small.list_letters()] == ["b", "c", "d"]


def test_letters_about_a_person_are_found(letters):
    letters.put([letter("1"), letter("2", event_row("bob", "1"))])
    letters.put([letter("3", event_row("anonymous:x", "1"))])

    assert letters.of_person("bob") == ["2"]
    assert letters.of_person("anonymous:x") == ["3"]


def test_a_row_is_written_as_its_sender_would(domain):
    told = {"context": '{"a":1}', "impressions": ["1"], "value": 2.0, "position": 1}
    for row in (
        event_row("ann", "1", **told),
        event_row("anonymous:x", "1", event_id="e"),
    ):
        batch = read_events(domain, [as_sent(row)], NOON)

        assert batch.rejected == []
        same = {k: v for k, v in batch.rows[0].items() if k not in ("at", "received_at")}
        assert same == {k: row[k] for k in same}


def test_replayed_letters_are_in_the_stream_and_those_refused_again_stay(domain, stream, letters):
    old = event_row("ann", "old", -60 * 24 * 365 * 20)
    letters.put([letter("good"), letter("old", old), letter("good too")])

    done = replay(domain, stream, letters, letters.list_letters())

    assert (done.replayed, list(done.kept)) == (2, ["old"])
    assert "horizon" in done.kept["old"]
    assert [x.name for x in letters.list_letters()] == ["old"]
    assert sum(backlog.appended for backlog in stream.backlog()) == 2


def test_a_row_without_a_place_is_one_letter_for_each_content(letters):
    rows = [event_row("ann", "1", event_id="e", value=value) for value in (1.0, 2.0, 1.0)]

    for row in rows:
        letters.put([letter_of(row, "conflict", "was received later", "graph", NOON)])

    found = letters.list_letters()
    assert [(x.row["event_id"], x.row["value"]) for x in found] == [("e", 1.0), ("e", 2.0)]
    assert letters.by_partition() == {-1: 2}
