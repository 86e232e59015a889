"""Which of the scored candidates are shown, and in which order: by evaluation's own arithmetic."""

from importlib import resources

import numpy as np
import pytest

from api.answers import ordering
from api.answers.answer import Query
from api.answers.candidates import Pool, barred_rows, pool_in_memory
from api.answers.ordering import ordered, ordered_on
from api.answers.recommender import IRRELEVANT, Recommender
from graphdb.catalogue.catalogue import save_items
from graphdb.domain import Domain, parse_domain
from graphdb.people.people import fetch_people
from tests.rows import item_row
from training.judging.metrics import diversity, unit_rows
from training.reranking import Bounds, Candidates, Dials, reranked

SHOP_WITH_GROUPS = f"""{resources.files("domains").joinpath("shop.toml").read_text()}
[groups.local]
makers = ["Smith", "Baker"]
"""
FILMS = resources.files("domains").joinpath("films.toml").read_text()
GROUPED = FILMS.replace('categories = "genres"', 'categories = "genres"\nmakers = "countries"')


@pytest.fixture(scope="module")
def domain() -> Domain:
    """Films, whose makers are countries."""
    return parse_domain(f'{GROUPED}\n[groups.east]\nmakers = ["PL", "CZ"]\n', "films.toml")


@pytest.fixture
def films(graph, domain, world) -> None:
    """The small world's items with genres, and every eighth from a country of the group."""
    rows = [
        item_row(
            str(n),
            genres=["Drama"] if n % 4 else ["Drama", "War"],
            countries=[{0: "PL", 8: "CZ"}.get(n % 16, "US")],
            title=f"Film {n}",
        )
        for n in range(40)
    ]
    save_items(graph, domain, rows)


@pytest.fixture
def version(films, serving):
    serving.refresh()
    return serving.version


@pytest.fixture
def history(graph, version):
    return version.history([fetch_people(graph)["p0"]], [])


@pytest.fixture
def pool(version, history) -> Pool:
    """Everything that p0 has not seen, best first."""
    return pool_in_memory(version, history, barred_rows(version, history, Query("p0")))


def test_without_wishes_the_best_are_shown_best_first(domain):
    pool = Pool(np.array([7, 3, 5]), np.array([3.0, 2.0, 1.0]), {"vector": {7, 3, 5}}, {7: 2.0})

    chosen = ordered(None, domain, None, None, Query("p0", k=2), pool)

    assert (chosen.rows.tolist(), chosen.scores.tolist()) == ([7, 3], [3.0, 2.0])
    assert (chosen.found, chosen.factors) == (pool.found, pool.factors)
    assert ordered(None, domain, None, None, Query("p0", k=9), pool).rows.tolist() == [7, 3, 5]


def test_a_served_list_is_the_one_that_evaluation_makes(
    graph, domain, version, history, pool, recommender
):
    """Of the same person's whole catalogue, by the scorer's arrays alone."""
    artifact = version.artifact
    dials = Dials(diversity=0.6, novelty=0.2)
    made = Candidates(
        scores=pool.scores,
        vectors=unit_rows(artifact.scorer.item_vectors[pool.rows]),
        popularity=artifact.popularity[pool.rows],
        draws=np.zeros(len(pool.rows)),
    )
    places = reranked(made, dials, 8, Bounds.none(len(pool.rows)))

    answer = recommender.recommend(Query("p0", k=8, dials=dials, reasons=2))

    assert [item.id for item in answer.items] == [artifact.item_ids[r] for r in pool.rows[places]]
    assert [item.rank for item in answer.items] == list(range(1, 9))
    assert [i.score for i in answer.items] == pytest.approx(pool.scores[places].tolist(), abs=1e-5)
    plain = recommender.recommend(Query("p0", k=8))
    assert (answer.degraded, plain.degraded) == ([], [])
    lists = np.array([[version.item_rows[i.id] for i in a.items] for a in (plain, answer)])
    before, after = diversity(lists, unit_rows(artifact.scorer.item_vectors))
    assert after > before


def test_what_follows_the_list_is_by_score_as_relevant_as_asked_and_bounded(
    monkeypatch, graph, domain, version, history, pool
):
    monkeypatch.setattr(ordering, "LOOKED_AT", 4)
    query = Query("p0", k=5, dials=Dials(diversity=0.9))
    first = ordered(graph, domain, version, history, query, pool).rows.tolist()
    others = [row for row in pool.rows.tolist() if row not in first]
    # Between the fifth and the sixth: no rounding of another machine moves one across.
    share = float(pool.scores[4:6].mean() / pool.scores[0])
    strict = Query("p0", k=2, dials=Dials(min_relevance=share))
    relevant = pool.rows[:5].tolist()

    every = ordered_on(graph, domain, version, history, query, pool, {others[-1], others[0]})
    kept = ordered_on(graph, domain, version, history, strict, pool, {others[-1]})

    assert first != pool.rows[:5].tolist()
    assert every.rows.tolist() == [*first, *others[:4], others[-1]]
    assert kept.rows.tolist() == relevant


def test_calibrated_lists_follow_the_categories_of_the_history(
    graph, domain, version, history, pool
):
    held = [version.artifact.item_ids[row] for row in history.row.indices]
    wars = np.mean([0.5 if int(item) % 4 == 0 else 0.0 for item in held])

    chosen = ordered(graph, domain, version, history, Query("p0", dials=Dials(calibration=1)), pool)

    listed = [version.artifact.item_ids[row] for row in chosen.rows]
    assert 0 < wars < 0.5
    assert np.mean([0.5 if int(i) % 4 == 0 else 0.0 for i in listed]) == pytest.approx(
        wars, abs=0.05
    )


def test_a_group_of_makers_has_its_share_of_the_list(graph, domain, serving, version, pool):
    of_group = [str(n) for n in range(0, 40, 8)]
    recommender = Recommender(serving, domain)
    everything = [version.artifact.item_ids[row] for row in pool.rows]
    theirs = [item for item in everything if item in of_group][:3]

    answer = recommender.recommend(Query("p0", k=10, dials=Dials(exposure=["east:0.3"])))

    listed = [item.id for item in answer.items]
    assert [item for item in listed if item in of_group][:3] == theirs
    assert len(theirs) == 3
    others = [item for item in everything if item not in of_group]
    assert [item for item in listed if item not in of_group] == others[:7]


def test_rotation_changes_with_the_hour_and_the_person(
    monkeypatch, graph, domain, version, history, pool
):
    def at(hour: float, user: str = "p0") -> list[int]:
        monkeypatch.setattr(ordering.time, "time", lambda: hour * 3600)
        query = Query(user, dials=Dials(rotation=0.7))
        return ordered(graph, domain, version, history, query, pool).rows.tolist()

    assert at(5.1) == at(5.9)
    assert at(5.1) != at(6.1)
    assert at(5.1) != at(5.1, "p1")


def test_what_is_not_relevant_enough_is_left_out(domain, version, pool, recommender):
    least = Dials(min_relevance=0.8)
    kept = int((pool.scores >= 0.8 * pool.scores[0]).sum())

    answer = recommender.recommend(Query("p0", k=30, dials=least))

    assert 0 < kept < 30
    assert (len(answer.items), answer.empty) == (kept, None)


def test_a_list_without_anything_relevant_says_so(graph, version, recommender):
    worst = pool_in_memory(version, version.history([fetch_people(graph)["p0"]], []), ())
    good = [version.artifact.item_ids[r] for r in worst.rows[worst.scores > 0]]

    answer = recommender.recommend(
        Query("p0", exclude_ids=frozenset(good), dials=Dials(min_relevance=0.1))
    )

    assert len(good) < 40
    assert (answer.items, answer.empty) == ([], IRRELEVANT)


def test_a_list_that_is_nobodys_own_says_which_dials_were_not_heeded(films, recommender):
    answer = recommender.recommend(Query("nobody", dials=Dials(novelty=1, rotation=0.1)))

    assert (answer.degraded, len(answer.items)) == (["novelty", "rotation"], 10)
