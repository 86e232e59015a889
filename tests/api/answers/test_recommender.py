"""Answers: exactly the scorer's ranking of what may be shown, fresh, with reasons that add up."""

import numpy as np
import pytest
import scipy.sparse as sp

from api.answers.answer import Query
from api.answers.recommender import Recommender
from api.loop.publication import publish
from api.serving.breaker import GraphBreaker
from api.serving.serving import Serving
from graphdb.answers import retrieval
from graphdb.answers.retrieval import NewEvent
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import save_relations
from graphdb.connection import SERVING, Graph
from graphdb.domain import parse_domain
from graphdb.events.events import save_events
from graphdb.filters import Condition
from graphdb.people.people import fetch_people, join_people
from graphdb.versions.versions import rollback
from tests.api.versions import PEOPLE, build_artifact, fill_graph
from tests.related import TEXT
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


WALKED = parse_domain(
    TEXT.replace("[social]\n", "[social]\nleast_people = 2\n")
    + '[walks]\nknowledge = ["people"]\nsocial = ["follows"]\n',
    "walked.toml",
)


def test_walks_are_sources_that_change_no_score(graph, world, serving, recommender):
    chosen = {p: items_of(world, fetch_people(graph)[p]) for p in ("p0", "p1", "p2")}
    liked, disliked, *_ = chosen["p0"]
    first, second, *_ = ids(recommender.recommend(Query("p0", k=2)))
    shared = [(liked, "Her"), (first, "Her"), (disliked, "Him"), (second, "Him")]
    save_items(graph, WALKED, [item_row(item, people=[who]) for item, who in shared])
    save_events(graph, WALKED, "api", [event_row("p0", disliked, event_type="dismissed")])
    follows = [{"type": "follows", "start": "p0", "end": p, "weight": None} for p in ("p1", "p2")]
    save_relations(graph, WALKED, follows)
    plain = recommender.recommend(Query("p0", k=30))

    answer = Recommender(serving, WALKED).recommend(Query("p0", k=30))

    assert [(i.id, i.score) for i in answer.items] == [(i.id, i.score) for i in plain.items]
    found = {s: {i.id for i in answer.items if s in i.sources} for s in ("knowledge", "social")}
    both = set(chosen["p1"]).intersection(chosen["p2"]).difference(chosen["p0"])
    assert found == {"knowledge": {first}, "social": both}
    assert both


def items_of(world, key: str) -> list[str]:
    return [world.item_ids[row] for row in world.history[world.user_keys.index(key)].indices]


def test_an_unknown_person_gets_the_popular_list(world, recommender):
    answer = recommender.recommend(Query("nobody", k=5))

    order = np.argsort(-world.popularity, kind="stable")[:5]
    assert ids(answer) == [world.item_ids[i] for i in order]
    assert (answer.fallback, answer.model_version) == ("popular", "v1")


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


def test_reasons_are_no_round_trip_more_unless_there_are_many_events(
    graph, world, recommender, monkeypatch
):
    asked, trips, read = Query("p4", k=5, reasons=3), [], graph.read
    recommender.recommend(asked)
    monkeypatch.setattr(graph, "read", lambda *a, **named: trips.append(a) or read(*a, **named))

    few = recommender.recommend(asked)
    taken = len(trips)
    monkeypatch.setattr(retrieval, "TOLD_EVENTS", 0)
    many = recommender.recommend(asked)

    assert (taken, len(trips) - taken) == (2, 3)
    assert few == many


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


@pytest.mark.faults
def test_without_the_vector_index_everything_is_scored_and_the_answer_says_so(
    graph, world, recommender
):
    graph.define("DROP INDEX item_vector_a")
    key = fetch_people(graph)["p0"]

    answer = recommender.recommend(Query("p0", k=10))

    assert ids(answer) == expected(world, key, 10)
    assert answer.degraded == ["index"]
    assert all("exact" in item.sources for item in answer.items)


DRAMA = Condition("genres", "in", ("Drama",))


@pytest.fixture
def dramas(graph, domain, world) -> set[str]:
    """Items of a genre in the small world, one of them hidden."""
    rows = [item_row(str(n), genres=["Drama"], title=f"Film {n}") for n in range(0, 40, 3)]
    save_items(graph, domain, [*rows, item_row("1", hidden=True, genres=["Drama"])])
    return {row["id"] for row in rows}


def test_a_filter_leaves_what_passes_in_the_order_it_had(graph, dramas, world, recommender):
    key = fetch_people(graph)["p1"]

    answer = recommender.recommend(Query("p1", k=5, filter=DRAMA))

    assert ids(answer) == [i for i in expected(world, key, 40) if i in dramas][:5]
    assert len(answer.items) == 5


@pytest.mark.parametrize("person", ["p1", "nobody"])
def test_a_filter_that_leaves_nothing_says_why(graph, dramas, recommender, person):
    none = recommender.recommend(Query(person, filter=Condition("year", ">", (2000,))))
    excluded = recommender.recommend(Query(person, filter=DRAMA, exclude_ids=frozenset(dramas)))

    assert (none.items, excluded.items) == ([], [])
    assert none.empty == "no item that may be shown passes the filter"
    assert excluded.empty is not None
    assert excluded.empty.startswith("of the 14 items that pass the filter each was seen")


def test_a_strangers_popular_list_is_filtered(dramas, world, recommender):
    answer = recommender.recommend(Query("nobody", k=4, filter=DRAMA))

    order = [world.item_ids[i] for i in np.argsort(-world.popularity, kind="stable")]
    assert ids(answer) == [item for item in order if item in dramas][:4]
    assert answer.fallback == "popular"


def test_from_memory_nothing_is_shown_that_is_not_known_to_pass(dramas, serving, artifacts, domain):
    serving.refresh()
    with Graph("bolt://127.0.0.1:9", "nobody listens", patience=SERVING) as nowhere:
        alone = Serving(nowhere, artifacts, GraphBreaker(deadline=30))
        alone.version = serving.version
        recommender = Recommender(alone, domain)

        for person in ("p1", "nobody"):
            answer = recommender.recommend(Query(person, filter=DRAMA))

            assert (answer.items, answer.degraded) == ([], ["graph", "filter"])
            assert answer.empty == "what passes the filter cannot be told from memory"
        assert len(recommender.recommend(Query("p1", k=5)).items) == 5
        alone.breaker.close()
