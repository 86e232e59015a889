"""Similar items: by the version's weights, else by texts, in the graph and from memory alike."""

from api.breaker import GraphBreaker
from api.serving import Serving
from api.similar import similar
from graphdb.catalogue import list_unencoded, save_items, save_text_vectors
from graphdb.errors import GraphUnavailableError
from tests.rows import item_row


class DownBreaker(GraphBreaker):
    """A graph that never answers."""

    def call(self, work, *args, **kwargs):
        raise GraphUnavailableError("down")


def ids(answer) -> list[str]:
    return [item.id for item in answer.items]


def test_they_are_the_largest_positive_weights(world, serving):
    row = world.scorer.similar[world.item_ids.index("5")]
    order = sorted(zip(-row.data, row.indices, strict=True))
    best = [world.item_ids[i] for w, i in order if w < 0]

    answer = similar(serving, "5", 4, frozenset({best[1]}))

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

    answer = similar(serving, "new", 50, frozenset())

    assert answer.items[0].sources == ["text"]
    assert ids(answer)[0] == "3"
    assert ids(answer)[-1] == "far"


def test_an_item_nobody_knows_is_none(world, serving):
    assert similar(serving, "nothing", 5, frozenset()) is None


def test_memory_gives_the_same_list_when_the_graph_is_down(graph, world, serving, artifacts):
    serving.refresh()
    online = similar(serving, "5", 6, frozenset())
    down = Serving(graph, artifacts, GraphBreaker())
    down.refresh()
    down.breaker = DownBreaker()

    offline = similar(down, "5", 6, frozenset())

    assert ids(offline) == ids(online)
    assert offline.degraded == ["graph"]
    assert similar(down, "nothing", 5, frozenset()) is None
