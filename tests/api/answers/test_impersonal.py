"""Lists that are not a person's own: before any version, and without the version's files."""

import shutil

import numpy as np
import pytest

from api.answers.answer import Query
from api.answers.recommender import Recommender
from api.loop.publication import publish
from graphdb.answers.retrieval import NewEvent
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import save_relations
from graphdb.domain import parse_domain
from graphdb.events.events import save_events
from graphdb.filters import Condition
from graphdb.people.erasure import erase_person
from graphdb.people.people import fetch_people
from tests.api.versions import build_artifact
from tests.rows import event_row, item_row
from tests.ruled import TEXT
from training.artifact import ArtifactError

DRAMA = Condition("genres", "in", ("Drama",))
BLOCKING = parse_domain(TEXT.partition("[rules.lately]")[0], "blocking.toml")


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


@pytest.fixture
def outdated(graph, world, serving, tmp_path) -> Recommender:
    """Version v1 in memory while v2 serves, whose files this process cannot see."""
    serving.refresh()
    build_artifact(graph, tmp_path / "v2", seed=5)
    publish(graph, tmp_path / "v2")
    return Recommender(serving, BLOCKING)


@pytest.mark.faults
def test_an_older_version_in_memory_gives_way_to_what_is_in_the_graph(graph, outdated):
    hidden, blocked, kept = ids(outdated.recommend(Query("p0", k=3)))
    dramas = {str(n) for n in range(0, 40, 3)} - {hidden}
    rows = [item_row(item, genres=["Drama"]) for item in dramas]
    save_items(graph, BLOCKING, [*rows, item_row(hidden, hidden=True, genres=["Drama"])])
    block = {"type": "blocks", "start": "p0", "end": blocked, "weight": None}
    save_relations(graph, BLOCKING, [block])

    answer = outdated.recommend(Query("p0", k=3))
    filtered = outdated.recommend(Query("p0", k=3, filter=DRAMA))
    erase_person(graph, "p0")
    erased = outdated.recommend(Query("p0", k=3))

    assert (ids(answer)[0], answer.rules) == (kept, {"blocked": 1})
    assert not {hidden, blocked} & {*ids(answer), *ids(filtered)}
    assert set(ids(filtered)) < dramas
    answers = (answer, filtered, erased)
    assert [a.fallback for a in answers] == ["published", "published", "popular"]
    assert {(a.model_version, *a.degraded, len(a.items)) for a in answers} == {
        ("v2", "artifact", 3)
    }


def test_a_version_that_is_asked_for_by_name_is_stood_in_for_by_none(outdated):
    assert outdated.recommend(Query("p0", model_version="v1")).model_version == "v1"

    with pytest.raises(ArtifactError, match="version v2 cannot be read"):
        outdated.recommend(Query("p0", model_version="v2"))
