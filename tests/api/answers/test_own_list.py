"""A list of the caller's own: ranked with and without the graph, and what is left out of it."""

import shutil
from functools import partial

import pytest

from api.answers.answer import Answer, Query
from api.answers.own_list import rank
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.removal import delete_item
from graphdb.errors import GraphUnavailableError
from graphdb.events.events import save_events
from tests.rows import event_row, item_row

GIVEN = ["unknown", *(str(n) for n in range(20))]


@pytest.fixture
def ranked(serving, recommender, domain) -> partial[Answer]:
    return partial(rank, serving, recommender, domain)


def ids(answer: Answer) -> list[str]:
    return [item.id for item in answer.items]


def down(*_, **__):
    raise GraphUnavailableError("down")


def test_memory_ranks_as_the_graph_does_without_what_is_hidden(
    graph, domain, world, ranked, serving, monkeypatch
):
    serving.refresh()
    fresh = ranked(Query("p0"), GIVEN)
    save_items(graph, domain, [item_row("3", hidden=True)])
    serving.withhold({"3": 0.0})
    hidden = ranked(Query("p0"), GIVEN)
    monkeypatch.setattr(serving.breaker, "call", down)

    memory = ranked(Query("p0"), GIVEN)
    stranger = ranked(Query("nobody"), GIVEN)

    assert ids(fresh)[-1] == "unknown"
    assert ids(memory) == ids(hidden) == [item for item in ids(fresh) if item != "3"]
    assert (fresh.fallback, memory.fallback, stranger.fallback) == (None, "published", "popular")
    assert (fresh.degraded, memory.degraded) == ([], ["graph"])


def test_a_deleted_item_is_ranked_no_more_until_an_event_brings_it_back(
    graph, domain, world, ranked
):
    given = ["never heard of", "3", "4"]
    delete_item(graph, "3")

    gone = ranked(Query("p0"), given)
    save_events(graph, domain, "api", [event_row("p1", "3", event_id="again")])

    assert ids(gone) == ["4", "never heard of"]
    assert set(ids(ranked(Query("p0"), given))) == set(given)


def test_before_any_version_a_list_stays_as_it_came(graph, domain, ranked):
    save_items(graph, domain, [item_row("3", hidden=True)])

    answer = ranked(Query("p0"), GIVEN)

    assert ids(answer) == [item for item in GIVEN if item != "3"]
    assert (answer.fallback, answer.degraded) == ("given", [])


def test_without_the_files_a_list_stays_as_it_came(graph, domain, world, ranked, artifacts):
    save_items(graph, domain, [item_row("3", hidden=True)])
    shutil.rmtree(artifacts / "v1")

    answer = ranked(Query("p0"), GIVEN)

    assert ids(answer) == [item for item in GIVEN if item != "3"]
    assert (answer.fallback, answer.degraded) == ("given", ["artifact"])
