"""Lists that are not a person's own: before any version, and without the version's files."""

import shutil

import numpy as np

from api.answers.answer import Query
from graphdb.answers.filtering import Condition
from graphdb.answers.retrieval import NewEvent
from graphdb.catalogue.catalogue import save_items
from graphdb.events.events import save_events
from graphdb.people.people import fetch_people
from tests.rows import event_row, item_row

DRAMA = Condition("genres", "in", ("Drama",))


def ids(answer) -> list[str]:
    return [item.id for item in answer.items]


def test_before_the_first_publication_the_popular_list_is_the_graphs(graph, domain, recommender):
    save_events(graph, domain, "api", [event_row(u, i) for u, i in ("a1", "b1", "b2")])

    answer = recommender.recommend(Query("a", k=5, exclude_seen=False))

    assert (ids(answer), answer.fallback) == (["1", "2"], "popular")
    assert ids(recommender.recommend(Query("a", k=5))) == ["2"]


def test_before_the_first_publication_the_popular_list_is_filtered(graph, domain, recommender):
    save_events(graph, domain, "api", [event_row(u, i) for u, i in ("a1", "b1", "b2")])
    save_items(graph, domain, [item_row("2", genres=["Drama"])])

    answer = recommender.recommend(Query("a", k=5, filter=DRAMA))

    assert (ids(answer), answer.fallback) == (["2"], "popular")


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
