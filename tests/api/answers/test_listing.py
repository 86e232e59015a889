"""Chosen rows as items: in the order given, each with its own score, sources and reasons."""

import numpy as np
import pytest

from api.answers.answer import Query
from api.answers.candidates import pool_in_memory
from api.answers.listing import listed, with_evidence
from graphdb.people.people import fetch_people


@pytest.fixture
def version(serving, world):
    serving.refresh()
    return serving.version


def test_items_keep_the_order_given_and_their_own_scores(graph, domain, version):
    history = version.history([fetch_people(graph)["p0"]], [])
    pool = pool_in_memory(version, history, ())
    query = Query("p0", reasons=2, fields=True)

    items = listed(version, history, query, pool.taken(np.array([4, 0])))

    ids = version.artifact.item_ids
    assert [(i.id, i.rank) for i in items] == [(ids[pool.rows[4]], 1), (ids[pool.rows[0]], 2)]
    assert [i.score for i in items] == pytest.approx(pool.scores[[4, 0]].tolist(), abs=1e-5)
    for item in items:
        assert item.sources == ["memory"]
        assert sum(r.contribution for r in item.reasons) == pytest.approx(item.score, abs=1e-6)
    told = with_evidence(graph, domain, query, items)
    assert [item.item for item in told] == [{"title": f"Film {item.id}"} for item in items]
    assert told[0].reasons[0].title == f"Film {told[0].reasons[0].item_id}"
