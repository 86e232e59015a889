"""Events by pages of people: within the cut, counted, refused where one lacks its time."""

import pytest

from graphdb.events.events import save_events
from graphdb.export.histories import ExportError, HistoryReader, lock_cut
from tests.rows import event_row

KEYS = "MATCH (u:User) RETURN u.id AS id, u.key AS key"


def test_with_a_cut_what_lies_beyond_it_is_left_out(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1")])
    cut = lock_cut(graph)
    save_events(graph, domain, "api", [event_row("ann", "2"), event_row("bob", "3")])
    keys = {row["id"]: row["key"] for row in graph.read(KEYS)}
    pages = [[keys["ann"]], [], [keys["bob"], "nobody"]]

    everything = list(HistoryReader(graph, domain).pages(pages))
    within = list(HistoryReader(graph, domain, cut).pages(pages))

    assert (cut.offsets, cut.events, cut.removed) == ({"api": 0}, 1, {"api": 0})
    assert sorted(everything[0][keys["ann"]]["items"]) == ["1", "2"]
    assert (within[0][keys["ann"]]["items"], within[0][keys["ann"]]["event_count"]) == (["1"], 2)
    assert [list(page) for page in within] == [[keys["ann"]], [], [keys["bob"]]]
    assert within[2][keys["bob"]]["items"] == []


def test_an_event_without_a_time_is_refused(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1"), event_row("ann", "2")])
    graph.write("MATCH ()-[r:RATED {event_id: 'ann-2'}]->() REMOVE r.at")
    keys = [row["key"] for row in graph.read(KEYS)]

    with pytest.raises(ExportError, match="run pathlight audit"):
        list(HistoryReader(graph, domain).pages([keys]))
