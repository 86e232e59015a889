"""The chain: the first link names the answer, the next ones fill it, nothing is twice."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.answers.answer import NothingPublishedError, Query
from api.answers.fallback import PAGE, allowed, fill, ranked
from api.answers.rankings import Rankings
from api.answers.recommender import Recommender
from api.serving.breaker import GraphBreaker
from api.serving.serving import Serving
from graphdb.answers.retrieval import NewEvent
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import save_relations
from graphdb.errors import GraphUnavailableError
from graphdb.events.events import save_events
from tests.related import RELATED
from tests.rows import event_row, item_row


def links(*given):
    return [(name, lambda rows=rows: iter(rows)) for name, rows in given]


def test_the_first_link_that_gives_anything_names_the_answer_and_the_next_fill_it():
    chain = links(("a", []), ("b", [("1", 9.0), ("2", 8.0)]), ("c", [("2", 5.0), ("3", 4.0)]))

    items, link = fill(chain, 3, {"1"})

    assert link == "b"
    assert [(i.id, i.rank, i.score, i.sources) for i in items] == [
        ("2", 1, 8.0, ["b"]),
        ("3", 2, 4.0, ["c"]),
    ]


def test_a_link_that_is_not_needed_is_not_asked():
    def never():
        pytest.fail("asked")

    items, link = fill([*links(("a", [("1", 1.0)])), ("b", never)], 1, ())

    assert ([item.id for item in items], link) == (["1"], "a")


def test_a_chain_that_gives_nothing_is_named_by_its_end():
    assert fill(links(("a", []), ("b", [("1", 1.0)])), 2, {"1"}) == ([], "b")


def test_a_long_list_is_held_against_what_may_be_shown_by_the_page():
    rows = [(str(n), 0.0) for n in range(2 * PAGE + 5)]
    asked = []

    def odd(ids: list[str]) -> set[str]:
        asked.append(len(ids))
        return {id for id in ids if int(id) % 2}

    assert [id for id, _ in allowed(rows, odd)] == [id for id, _ in rows if int(id) % 2]
    assert asked == [PAGE, PAGE, 5]


def test_what_trends_comes_before_what_is_popular(domain, tmp_path):
    rankings = Rankings(domain, tmp_path / "rankings.json")
    rankings._lists = {"trending": [("t", 2.0)], "popular": [("t", 9.0), ("p", 8.0)]}

    items, link = fill(ranked(rankings, None, set), 5, ())

    assert ([(i.id, i.sources) for i in items], link) == (
        [("t", ["trending"]), ("p", ["popular"])],
        "trending",
    )


def ids(answer) -> list[str]:
    return [item.id for item in answer.items]


def test_without_events_the_profile_answers_then_what_trends(graph, world, serving):
    recommender = Recommender(serving, RELATED)
    save_items(graph, RELATED, [item_row("7", genres=["Noir"])])
    likes = {"type": "likes_genre", "start": "cold", "end": "Noir", "weight": None}
    save_relations(graph, RELATED, [likes])
    now = datetime.now(UTC)
    save_events(graph, RELATED, "api", [event_row(u, "9", at=now) for u in ("p0", "p1")])
    recommender.rankings.renew(graph)

    profiled = recommender.recommend(Query("cold", k=3))
    stranger = recommender.recommend(Query("stranger", k=2))

    assert (profiled.fallback, ids(profiled)[:2]) == ("profile", ["7", "9"])
    assert [item.sources for item in profiled.items] == [["profile"], ["trending"], ["popular"]]
    assert (stranger.fallback, ids(stranger)[0]) == ("trending", "9")
    barred = recommender.recommend(Query("stranger", k=2, exclude_ids=frozenset({"9"})))
    assert barred.fallback == "popular"


def test_with_neither_graph_nor_version_the_list_in_memory_answers(
    graph, world, recommender, serving, monkeypatch
):
    monkeypatch.setattr(serving.breaker, "call", down)
    with pytest.raises(NothingPublishedError):
        recommender.recommend(Query("p0", k=3))

    recommender.rankings.renew(graph)
    answer = recommender.recommend(Query("p0", k=3))

    assert (answer.fallback, answer.degraded, answer.model_version) == ("static", ["graph"], None)
    assert len(answer.items) == 3


def test_a_start_without_graph_and_files_shows_nothing_that_is_withheld_or_seen(
    graph, domain, world, recommender, serving, artifacts, monkeypatch
):
    recommender.rankings.renew(graph)
    hidden, seen, *rest = ids(recommender.ranking("popular", Query("", k=5)))
    save_items(graph, domain, [item_row(hidden, hidden=True)])
    serving.refresh()
    shutil.rmtree(artifacts / "v1")
    later = Serving(graph, artifacts, GraphBreaker())
    monkeypatch.setattr(later.breaker, "call", down)
    session = (NewEvent(seen, "rated", 1.0, True),)
    asked = Query("", k=3, session=session)

    again = Recommender(later, domain)

    answer = again.recommend(asked)
    assert (answer.fallback, ids(answer)) == ("static", rest)
    assert ids(again.recommend(replace(asked, exclude_seen=False))) == [seen, *rest[:2]]
    assert ids(again.ranking("popular", Query("", k=3))) == [seen, *rest[:2]]


def test_from_memory_what_was_bought_and_returned_was_seen_all_the_same(
    world, recommender, serving, monkeypatch
):
    serving.refresh()
    first, second = ids(recommender.recommend(Query("stranger", k=2)))
    monkeypatch.setattr(serving.breaker, "call", down)
    session = (NewEvent(first, "rated", 1.0, True), NewEvent(first, "", -1.0, False))
    asked = Query("", k=1, session=session)

    answer = recommender.recommend(asked)

    assert (answer.fallback, ids(answer)) == ("popular", [second])
    assert ids(recommender.recommend(replace(asked, exclude_seen=False))) == [first]


def test_without_the_graph_memory_says_which_link_it_is(
    graph, world, recommender, serving, monkeypatch
):
    serving.refresh()
    fresh = recommender.recommend(Query("p0", k=5))
    monkeypatch.setattr(serving.breaker, "call", down)
    session = (NewEvent("3", "rated", 1.0, True),)

    known = recommender.recommend(Query("p0", k=5))
    asked = recommender.recommend(Query("", k=5, session=session))
    stranger = recommender.recommend(Query("stranger", k=5))

    assert ids(known) == ids(fresh)
    assert [a.fallback for a in (fresh, known, asked, stranger)] == [
        None,
        "published",
        None,
        "popular",
    ]
    assert "3" not in ids(asked)


def test_a_ranking_leaves_out_what_was_hidden_a_moment_ago(
    graph, domain, world, recommender, monkeypatch
):
    recommender.rankings.renew(graph)
    before = recommender.ranking("popular", Query("", k=3, fields=True))
    save_items(graph, domain, [item_row(before.items[0].id, hidden=True)])

    after = recommender.ranking("popular", Query("", k=3))

    assert before.items[0].item == {"title": f"Film {before.items[0].id}"}
    assert ids(after)[:2] == ids(before)[1:]
    assert after.items[0].sources == ["popular"]
    assert after.as_of == recommender.rankings.as_of
    monkeypatch.setattr(recommender._serving.breaker, "call", down)
    assert recommender.ranking("popular", Query("", k=3)).degraded == ["graph"]


def down(*_, **__):
    raise GraphUnavailableError("down")
