"""What a publication left in the graph: near its vectors as the model scores, walks add up."""

import numpy as np
import pytest

from graphdb.catalogue.catalogue import save_items
from graphdb.people.people import fetch_people
from graphdb.versions.published import list_near_published, list_similar_to_all
from graphdb.versions.versions import fetch_serving
from tests.rows import item_row


def test_items_come_as_the_published_vector_scores_them(graph, domain, world):
    key, slot = fetch_people(graph)["p0"], fetch_serving(graph)["slot"]
    row = world.user_keys.index(key)
    user = world.scorer.user_vectors(world.history[[row]], world.residuals[[row]])[0]
    scores = user @ world.scorer.item_vectors.T
    best = [world.item_ids[n] for n in np.argsort(-scores)]
    save_items(graph, domain, [item_row(best[1], hidden=True)])

    found = list_near_published(graph, slot, ["none", key], 3, [best[0]])

    assert [r["id"] for r in found] == best[2:5]
    assert found[0]["score"] == pytest.approx(np.sort(scores)[-3], abs=1e-3)
    assert list_near_published(graph, slot, ["none"], 3) == []


def test_walks_from_several_items_add_up(graph, domain, world):
    slot, weights = fetch_serving(graph)["slot"], {"3": 1.0, "5": -0.5}
    ids = world.item_ids
    total = sum(w * world.scorer.similar[ids.index(i)].toarray()[0] for i, w in weights.items())
    best = [ids[n] for n in np.argsort(-total)]

    found = list_similar_to_all(graph, slot, weights, 4, [best[0]])

    assert [r["id"] for r in found] == best[1:5]
    assert found[0]["score"] == pytest.approx(np.sort(total)[-2], abs=1e-5)
