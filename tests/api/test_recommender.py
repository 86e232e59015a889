"""Answers: exactly the scorer's ranking of what may be shown, fresh, with reasons that add up."""

import shutil
from datetime import UTC, datetime

import numpy as np
import pytest
import scipy.sparse as sp

from api.answer import NothingPublishedError, Query
from api.publication import publish
from api.recommender import Recommender
from graphdb.catalogue import save_items
from graphdb.errors import GraphUnavailableError
from graphdb.events import save_events
from graphdb.people import fetch_people, join_people
from graphdb.relations import save_relations
from graphdb.retrieval import NewEvent
from graphdb.versions import rollback
from tests.api.versions import PEOPLE, build_artifact, fill_graph
from tests.related import RELATED
from tests.rows import event_row, item_row


def expected(artifact, key: str, k: int, hidden: set[str] = frozenset(), added=()) -> list[str]:
    """The ranking that the scorer gives over the whole catalogue."""
    row = artifact.user_keys.index(key)
    history = artifact.history[row].toarray()
    for item, weight in added:
        history[0, artifact.item_ids.index(item)] += weight
    sparse = sp.csr_matrix(history)
    residuals = None if artifact.residuals is None else artifact.residuals[[row]]
    scores = artifact.scorer.scores(sparse, residuals)[0]
    order = np.argsort(-scores, kind="stable")
    barred = {artifact.item_ids[i] for i in np.flatnonzero(history[0])} | set(hidden)
    return [artifact.item_ids[i] for i in order if artifact.item_ids[i] not in barred][:k]


def ids(answer) -> list[str]:
    return [item.id for item in answer.items]


@pytest.mark.parametrize("similarity", ["cosine", "inner_product"])
@pytest.mark.parametrize("residual", [True, False])
def test_what_is_served_is_what_the_scorer_ranks(
    graph, domain, artifacts, recommender, similarity, residual
):
    fill_graph(graph, domain)
    artifact = build_artifact(graph, artifacts / "v", similarity=similarity, residual=residual)
    publish(graph, artifacts / "v")
    people = fetch_people(graph)

    for person, key in people.items():
        answer = recommender.recommend(Query(person, k=10))
        assert ids(answer) == expected(artifact, key, 10)
        assert (answer.model_version, answer.fallback, answer.degraded) == ("v", None, [])
    assert len(people) == PEOPLE


def test_a_new_event_counts_and_its_item_vanishes(graph, domain, world, recommender):
    key = fetch_people(graph)["p0"]
    first = ids(recommender.recommend(Query("p0", k=3)))[0]

    save_events(graph, domain, "api", [event_row("p0", first)])

    after = ids(recommender.recommend(Query("p0", k=10)))
    assert first not in after
    assert after == expected(world, key, 10, added=[(first, 1.0)])


def test_a_dismissed_item_vanishes_and_pushes_away(graph, domain, world, recommender):
    key = fetch_people(graph)["p0"]
    first = ids(recommender.recommend(Query("p0", k=1)))[0]

    save_events(graph, domain, "api", [event_row("p0", first, event_type="dismissed")])

    after = ids(recommender.recommend(Query("p0", k=10)))
    assert after == expected(world, key, 10, added=[(first, -1.0)])


def test_a_newcomer_with_events_is_folded_in(graph, domain, world, recommender):
    save_events(graph, domain, "api", [event_row("new", "3"), event_row("new", "5")])

    answer = recommender.recommend(Query("new", k=5))

    assert answer.fallback is None
    assert not {"3", "5"} & set(ids(answer))
    assert len(answer.items) == 5


def test_an_unknown_person_gets_the_popular_list(world, recommender):
    answer = recommender.recommend(Query("nobody", k=5))

    order = np.argsort(-world.popularity, kind="stable")[:5]
    assert ids(answer) == [world.item_ids[i] for i in order]
    assert (answer.fallback, answer.model_version) == ("popular", "v1")


def test_before_the_first_publication_the_popular_list_is_the_graphs(graph, domain, recommender):
    save_events(graph, domain, "api", [event_row(u, i) for u, i in ("a1", "b1", "b2")])

    answer = recommender.recommend(Query("a", k=5, exclude_seen=False))

    assert (ids(answer), answer.fallback) == (["1", "2"], "popular")
    assert ids(recommender.recommend(Query("a", k=5))) == ["2"]


def test_hidden_items_vanish_at_once_and_come_back(graph, domain, world, recommender):
    key = fetch_people(graph)["p1"]
    before = ids(recommender.recommend(Query("p1", k=5)))

    save_items(graph, domain, [item_row(before[0], hidden=True)])
    assert ids(recommender.recommend(Query("p1", k=5))) == expected(world, key, 5, {before[0]})

    save_items(graph, domain, [item_row(before[0])])
    assert ids(recommender.recommend(Query("p1", k=5))) == before


def test_excluded_ids_are_left_out_and_the_list_stays_full(world, recommender):
    before = ids(recommender.recommend(Query("p2", k=5)))

    after = recommender.recommend(Query("p2", k=5, exclude_ids=frozenset(before[:3])))

    assert len(after.items) == 5
    assert not set(before[:3]) & set(ids(after))


def test_seen_items_may_be_asked_for(world, recommender):
    everything = recommender.recommend(Query("p3", k=40, exclude_seen=False))
    unseen = recommender.recommend(Query("p3", k=40))

    assert len(everything.items) == 40
    assert len(unseen.items) == 30


def test_contributions_add_up_to_the_score_and_shares_to_one(world, recommender):
    plain = recommender.recommend(Query("p4", k=5))
    answer = recommender.recommend(Query("p4", k=5, reasons=3, fields=True))

    assert ids(answer) == ids(plain)
    for item, without in zip(answer.items, plain.items, strict=True):
        assert sum(r.contribution for r in item.reasons) == pytest.approx(item.score, abs=1e-6)
        assert item.score == pytest.approx(without.score, abs=1e-5)
        assert sum(r.share for r in item.reasons) == pytest.approx(1)
        kinds = [r.kind for r in item.reasons]
        assert kinds == ["event"] * 3 + ["other_events", "general_taste"]
        assert item.item == {"title": f"Film {item.id}"}
        for reason in item.reasons[:3]:
            assert reason.title == f"Film {reason.item_id}"
            assert reason.event_type == "rated"


def test_a_rollback_changes_the_version_of_the_next_answer(graph, world, artifacts, recommender):
    build_artifact(graph, artifacts / "v2", seed=5)
    publish(graph, artifacts / "v2")
    assert recommender.recommend(Query("p0")).model_version == "v2"

    rollback(graph)
    assert recommender.recommend(Query("p0")).model_version == "v1"

    rollback(graph)
    assert recommender.recommend(Query("p0")).model_version == "v2"


def test_warming_asks_for_nobody_and_changes_nothing(graph, world, serving, recommender):
    recommender.warm()
    count = "MATCH (n) RETURN count(n) AS n"
    before = graph.read(count)
    serving.refresh()

    recommender.warm()

    assert graph.read(count) == before


def test_text_that_looks_like_cypher_is_a_name_nobody_has(world, recommender):
    answer = recommender.recommend(Query("p0'}) DETACH DELETE n //", k=3))

    assert (answer.fallback, len(answer.items)) == ("popular", 3)


def test_a_session_is_folded_in_as_a_newcomers_events_are(graph, domain, world, recommender):
    save_events(graph, domain, "api", [event_row("new", "3"), event_row("new", "5")])
    session = tuple(NewEvent(item, "rated", 1.0, True) for item in ("3", "5"))

    known = recommender.recommend(Query("new", k=5, reasons=2))
    asked = recommender.recommend(Query("", k=5, reasons=2, session=session))

    assert [(i.id, i.score) for i in asked.items] == [(i.id, i.score) for i in known.items]
    assert (asked.fallback, asked.items[0].reasons[0].event_type) == (None, "rated")


def test_who_was_joined_is_answered_as_the_person_they_are(graph, domain, world, recommender):
    save_events(graph, domain, "api", [event_row("anonymous:x", "3")])
    stranger = recommender.recommend(Query("anonymous:x", k=5))

    join_people(graph, "p0", "anonymous:x")

    assert ids(recommender.recommend(Query("anonymous:x", k=5))) != ids(stranger)
    assert ids(recommender.recommend(Query("anonymous:x", k=5))) == ids(
        recommender.recommend(Query("p0", k=5))
    )


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


def test_without_files_what_was_published_answers_then_the_session(
    graph, domain, world, recommender, artifacts
):
    shutil.rmtree(artifacts / "v1")
    session = (NewEvent("3", "", 1.0, True),)

    published = recommender.recommend(Query("p0", k=5))
    walked = recommender.recommend(Query("", k=5, session=session))
    stranger = recommender.recommend(Query("stranger", k=5))

    row = world.user_keys.index(fetch_people(graph)["p0"])
    seen = {world.item_ids[n] for n in world.seen[row].indices}
    assert not seen & set(ids(published))
    weights = world.scorer.similar[world.item_ids.index("3")].toarray()[0]
    assert ids(walked) == [world.item_ids[n] for n in np.argsort(-weights)[:5]]
    answers = (published, walked, stranger)
    assert [a.fallback for a in answers] == ["published", "session", "popular"]
    assert {(a.model_version, *a.degraded, len(a.items)) for a in answers} == {
        ("v1", "artifact", 5)
    }


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


def test_a_list_is_ranked_from_memory_and_as_given_before_any_version(
    graph, domain, world, recommender, serving, artifacts, monkeypatch
):
    serving.refresh()
    given = ["unknown", *(str(n) for n in range(20))]
    fresh = recommender.rank(Query("p0"), given)
    save_items(graph, domain, [item_row("3", hidden=True)])
    serving.withhold({"3": 0.0})
    assert "3" not in ids(recommender.rank(Query("p0"), given))

    with monkeypatch.context() as patched:
        patched.setattr(serving.breaker, "call", down)
        memory = recommender.rank(Query("p0"), given)

    assert ids(fresh)[-1] == "unknown"
    assert ids(memory) == [item for item in ids(fresh) if item != "3"]
    assert (fresh.fallback, memory.fallback, memory.degraded) == (None, "published", ["graph"])
    shutil.rmtree(artifacts / "v1")
    serving.version = None
    told = recommender.rank(Query("p0"), given)
    assert ids(told) == [item for item in given if item != "3"]
    assert (told.fallback, told.degraded) == ("given", ["artifact"])
