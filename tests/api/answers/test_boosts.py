"""A boosted list is that of the whole catalogue, each score counted as the boosts say."""

import numpy as np
import pytest

from api.answers.answer import Query
from api.answers.boosts import boosted_pool, scaled
from api.answers.candidates import Pool, pool_in_graph, pool_in_memory
from api.reasons.reasons import Reason
from graphdb.catalogue.catalogue import save_items
from graphdb.filters import parse_boost, parse_filter
from graphdb.people.people import fetch_people
from tests.rows import item_row

EARLY, LATE = "year < 2010 by 4", "year >= 2010 by 0.2"
DRAMA = 'genres has "Drama" by 3'


@pytest.fixture
def films(graph, domain, world) -> dict[str, dict]:
    """The small world's items with years and genres."""
    fields = {
        str(n): {"year": 2000 + n, "genres": ["Drama"] if n % 5 == 0 else ["War"]}
        for n in range(40)
    }
    rows = [item_row(item, **given) for item, given in fields.items()]
    save_items(graph, domain, rows)
    return fields


def factor(given: dict, boosts: tuple[str, ...]) -> float:
    """What the boosts above make of an item's fields."""
    held = {
        EARLY: 4 if given["year"] < 2010 else 1,
        LATE: 0.2 if given["year"] >= 2010 else 1,
        DRAMA: 3 if "Drama" in given["genres"] else 1,
    }
    return float(np.prod([held[boost] for boost in boosts]))


@pytest.mark.parametrize(
    ("boosts", "found"), [((EARLY,), 4), ((LATE,), 4), ((DRAMA, EARLY), 40)], ids=str
)
@pytest.mark.parametrize("filter", [None, "year < 2030"])
def test_the_order_is_that_of_the_whole_catalogue(
    graph, domain, films, serving, monkeypatch, boosts, found, filter
):
    def few(*asked) -> Pool:
        """The best that are found, no more: what a boost brings up has to be looked for."""
        pool = pool_in_graph(*asked)
        return Pool(pool.rows[:found], pool.scores[:found], pool.found)

    monkeypatch.setattr("api.answers.boosts.pool_in_graph", few)
    serving.refresh()
    version = serving.version
    history = version.history([fetch_people(graph)["p0"]], [])
    query = Query(
        "p0",
        k=4,
        filter=parse_filter(filter, domain) if filter else None,
        boosts=tuple(parse_boost(text, domain) for text in boosts),
    )
    ids = version.artifact.item_ids
    everything = pool_in_memory(version, history, ())
    counted = {}
    for row, score in zip(everything.rows.tolist(), everything.scores.tolist(), strict=True):
        times = factor(films[ids[row]], boosts)
        if not filter or films[ids[row]]["year"] < 2030:
            counted[row] = score * times if score > 0 else score / times

    pool = boosted_pool(graph, domain, version, history, query, set())

    best = sorted(counted, key=lambda row: -counted[row])[:4]
    assert pool.rows[:4].tolist() == best
    assert pool.scores[:4] == pytest.approx([counted[row] for row in best])
    assert [pool.factors[row] for row in best] == [factor(films[ids[row]], boosts) for row in best]


def test_reasons_add_up_to_the_score_as_it_counts(domain, films, recommender):
    query = Query("p1", k=10, reasons=3, boosts=(parse_boost(EARLY, domain),))

    items = recommender.recommend(query).items

    assert {item.boost for item in items} == {1.0, 4.0}
    for item in items:
        assert item.boost == factor(films[item.id], (EARLY,))
        assert sum(r.contribution for r in item.reasons) == pytest.approx(item.score, abs=1e-6)
        assert sum(r.share for r in item.reasons) == pytest.approx(1)
    assert [item.score for item in items] == sorted((i.score for i in items), reverse=True)


def test_a_strangers_list_says_that_boosts_were_not_heeded(domain, films, recommender):
    answer = recommender.recommend(Query("nobody", boosts=(parse_boost(EARLY, domain),)))

    assert (answer.degraded, len(answer.items)) == (["boost"], 10)


def test_a_negative_score_moves_the_same_way():
    reasons = [Reason("event", -2.0, 0.0), Reason("general_taste", 1.0, 1.0)]

    assert scaled(-1.0, reasons, 2)[0] == -0.5
    assert [r.contribution for r in scaled(-1.0, reasons, 2)[1]] == [-1.0, 0.5]
    assert scaled(-1.0, reasons, 0.5)[0] == -2.0
