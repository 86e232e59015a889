"""What is alike: items by weights, texts or knowledge, people by vectors, memory where it can."""

import numpy as np
import pytest

from api.answers.similar import similar, similar_people
from api.serving.breaker import GraphBreaker
from api.serving.serving import Serving
from graphdb.catalogue.catalogue import list_unencoded, save_items, save_text_vectors
from graphdb.errors import GraphUnavailableError
from graphdb.events.events import save_events
from graphdb.people.people import fetch_people
from tests.rows import event_row, item_row


class DownBreaker(GraphBreaker):
    """A graph that never answers."""

    def call(self, work, *args, **kwargs):
        raise GraphUnavailableError("down")


def ids(answer) -> list[str]:
    return [item.id for item in answer.items]


def test_they_are_the_largest_positive_weights(domain, world, serving):
    row = world.scorer.similar[world.item_ids.index("5")]
    order = sorted(zip(-row.data, row.indices, strict=True))
    best = [world.item_ids[i] for w, i in order if w < 0]

    answer = similar(serving, domain, "5", 4, frozenset({best[1]}))

    assert ids(answer) == [best[0], *best[2:5]]
    assert (answer.model_version, answer.items[0].sources) == ("v1", ["similar"])


def test_an_item_nobody_has_touched_is_compared_by_text(graph, domain, world, serving):
    save_items(graph, domain, [item_row("new", title="Film 3"), item_row("far", title="Opera")])
    vectors = {"Film 3": [1.0, 0.1], "Opera": [0.0, 1.0]}
    rows = [
        {"id": r["id"], "digest": r["digest"], "vector": vectors.get(r["text"], [1.0, 0.5])}
        for r in list_unencoded(graph, "e", 100)
    ]
    save_text_vectors(graph, "e", rows)

    answer = similar(serving, domain, "new", 50, frozenset())

    assert answer.items[0].sources == ["text"]
    assert ids(answer)[0] == "3"
    assert ids(answer)[-1] == "far"


def test_an_item_nobody_knows_is_none(domain, world, serving):
    assert similar(serving, domain, "nothing", 5, frozenset()) is None


def test_memory_gives_the_same_list_when_the_graph_is_down(
    graph, domain, world, serving, artifacts
):
    serving.refresh()
    online = similar(serving, domain, "5", 6, frozenset())
    down = Serving(graph, artifacts, GraphBreaker())
    down.refresh()
    down.breaker = DownBreaker()

    offline = similar(down, domain, "5", 6, frozenset())

    assert ids(offline) == ids(online)
    assert offline.degraded == ["graph"]
    assert similar(down, domain, "nothing", 5, frozenset()) is None
    for by in ("text", "knowledge"):
        with pytest.raises(GraphUnavailableError, match=by):
            similar(down, domain, "5", 6, frozenset(), by)


def test_the_way_that_is_asked_for_is_the_one_that_answers(graph, domain, world, serving):
    save_items(graph, domain, [item_row(id, title=id, genres=["Noir"]) for id in ("a", "b", "5")])

    known = similar(serving, domain, "a", 5, frozenset({"5"}), "knowledge")
    behaved = similar(serving, domain, "a", 5, frozenset(), "behaviour")
    told = similar(serving, domain, "5", 5, frozenset(), "text")

    assert [(i.id, i.sources) for i in known.items] == [("b", ["knowledge"])]
    assert (behaved.items, told.items) == ([], [])
    assert similar(serving, domain, "nothing", 5, frozenset(), "knowledge") is None


def test_people_are_alike_by_their_vectors_of_this_moment(
    graph, domain, world, serving, recommender
):
    people = fetch_people(graph)
    users = world.scorer.user_vectors(world.history, world.residuals)
    row_of = {person: world.user_keys.index(key) for person, key in people.items()}
    cosine = {p: float(users[row] @ users[row_of["p0"]]) for p, row in row_of.items()}
    best = sorted((p for p in cosine if p != "p0"), key=lambda p: -cosine[p])

    version, found = similar_people(serving, recommender, "p0", 4)
    assert (version, [row["id"] for row in found]) == ("v1", best[:4])
    assert similar_people(serving, recommender, "nobody", 4) is None

    save_events(graph, domain, "api", [event_row("p0", str(n), event_id=f"x{n}") for n in range(9)])
    fresh = similar_people(serving, recommender, "p0", 4)[1]
    assert not np.isclose(fresh[0]["score"], found[0]["score"])
    serving.breaker = DownBreaker()
    with pytest.raises(GraphUnavailableError):
        similar_people(serving, recommender, "p0", 4)
