"""The pool: what the sources found, without what is barred, scored whole and never short."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from api.answers import candidates
from api.answers.answer import Query
from api.answers.candidates import barred_rows, pool_in_graph, pool_in_memory
from api.loop.publication import publish
from api.serving.mapped import History, MappedVersion
from graphdb.answers.filtering import compile_filter
from graphdb.catalogue.catalogue import save_items
from graphdb.filters import Condition
from graphdb.people.people import fetch_people
from tests.api.versions import ITEMS, D, build_artifact
from tests.rows import item_row
from training.scorer import Scorer


@pytest.fixture
def version(serving, world) -> MappedVersion:
    serving.refresh()
    assert serving.version is not None
    return serving.version


@pytest.fixture
def history(graph, version) -> History:
    return version.history([fetch_people(graph)["p0"]], [])


def test_both_pools_are_the_catalogue_as_the_scorer_ranks_it(graph, version, history):
    barred = barred_rows(version, history, Query("p0"))
    scores = version.artifact.scorer.scores(history.row, history.residual[None, :])[0]
    best = [row for row in np.argsort(-scores, kind="stable") if row not in barred]

    asked = pool_in_graph(graph, version, history, Query("p0"), barred)
    mapped = pool_in_memory(version, history, barred)

    assert len(barred) == 10
    for pool in (asked, mapped):
        assert pool.rows.tolist() == best
        assert pool.scores == pytest.approx(scores[best], abs=1e-6)
    assert {s for row in asked.rows for s in asked.sources(row)} == {"vector", "similar"}
    assert mapped.sources(best[0]) == ["memory"]


def test_long_vectors_that_the_index_ranks_last_are_candidates(
    graph, world, serving, artifacts, monkeypatch
):
    """Two items point away from everybody's taste and are so long that they are the best."""
    monkeypatch.setattr(candidates, "NEAR", 0)
    monkeypatch.setattr(candidates, "NEAR_CHOOSING", 0)
    monkeypatch.setattr(candidates, "WALKED", 0)
    cosine, lengths = np.full(ITEMS, 0.9), np.ones(ITEMS)
    cosine[[7, 8]], lengths[[7, 8]] = 0.05, (100, 200)
    vectors = np.zeros((ITEMS, D), np.float32)
    vectors[:, 0], vectors[:, 1] = cosine * lengths, np.sqrt(1 - cosine**2) * lengths
    taste = np.zeros((ITEMS, D), np.float32)
    taste[:, 0] = 1
    nothing = sp.csr_matrix((ITEMS, ITEMS), dtype=np.float32)
    scorer = Scorer(vectors, taste, nothing, blend=0.3)
    model = {"similarity": "inner_product", "residual": False}
    artifact = build_artifact(graph, artifacts / "long", scorer=scorer, **model)
    publish(graph, artifacts / "long")
    serving.refresh()
    version = serving.version
    history = version.history([fetch_people(graph)["p0"]], [])

    pool = pool_in_graph(graph, version, history, Query("p0", k=3), set())

    assert version.longest.rows.tolist() == [7, 8]
    assert pool.rows[:2].tolist() == [8, 7]
    assert pool.sources(8) == ["vector"]
    assert len(pool.rows) < len(artifact.item_ids)


def test_what_is_barred_is_what_was_seen_and_what_was_named(version, history):
    named = frozenset({"1", "nobody knows this"})

    seen = barred_rows(version, history, Query("p0", exclude_ids=named))
    alone = barred_rows(version, history, Query("p0", exclude_ids=named, exclude_seen=False))

    assert alone == {version.item_rows["1"]}
    assert seen == alone | history.seen


def test_more_are_asked_for_until_there_are_enough(graph, domain, version, history, monkeypatch):
    monkeypatch.setattr(candidates, "NEAR", 0)
    monkeypatch.setattr(candidates, "NEAR_CHOOSING", 0)
    monkeypatch.setattr(candidates, "WALKED", 0)
    query = Query("p0", k=6, exclude_seen=False)
    best = pool_in_memory(version, history, ()).rows[:20]
    hidden = {version.artifact.item_ids[row] for row in best}
    save_items(graph, domain, [item_row(item, hidden=True) for item in hidden])

    pool = pool_in_graph(graph, version, history, query, set())

    assert len(pool.rows) >= 6
    assert not hidden & {version.artifact.item_ids[row] for row in pool.rows}


@pytest.mark.parametrize(("spare", "source"), [(0, "vector"), (100, "filter")])
def test_what_passes_a_filter_is_ranked_as_the_scorer_does(
    graph, domain, version, history, monkeypatch, spare, source
):
    monkeypatch.setattr(candidates, "SPARE", spare)
    even = {str(n) for n in range(0, 40, 2)}
    save_items(graph, domain, [item_row(item, year=2000) for item in even])
    passing = compile_filter(domain, Condition("year", "in", (2000,)), version.indexed)
    best = [
        row
        for row in pool_in_memory(version, history, ()).rows
        if version.artifact.item_ids[row] in even
    ]

    pool = pool_in_graph(graph, version, history, Query("p0", k=5), set(), passing)

    assert pool.rows.tolist() == best
    assert source in pool.sources(best[-1])
    assert ("filter" in pool.found) == (source == "filter")


def test_a_filter_that_keeps_few_is_never_short(graph, domain, version, history, monkeypatch):
    monkeypatch.setattr(candidates, "NEAR", 0)
    monkeypatch.setattr(candidates, "NEAR_CHOOSING", 0)
    monkeypatch.setattr(candidates, "WALKED", 0)
    last = [version.artifact.item_ids[r] for r in pool_in_memory(version, history, ()).rows[-3:]]
    save_items(graph, domain, [item_row(item, genres=["Drama"]) for item in last])
    passing = compile_filter(domain, Condition("genres", "in", ("Drama",)))

    pool = pool_in_graph(graph, version, history, Query("p0", k=3), set(), passing)

    assert [version.artifact.item_ids[row] for row in pool.rows] == last


def brought_by(graph, domain) -> tuple[dict[str, list[str]], str]:
    """What a source and a rule bring: a hidden item, one that passes no filter, and the one that
    may be shown and passes."""
    rows = [item_row("1", hidden=True, genres=["Drama"]), item_row("3", genres=["Drama"])]
    save_items(graph, domain, [*rows, item_row("2", genres=["War"])])
    return {"sequels": ["1", "3"], "sponsored": ["1", "2", "3"]}, "3"


@pytest.mark.faults
def test_without_the_index_what_others_bring_is_shown_only_if_it_may_be_and_passes(
    graph, domain, version, history
):
    brought, fine = brought_by(graph, domain)
    passing = compile_filter(domain, Condition("genres", "in", ("Drama",)))
    with_index = pool_in_graph(graph, version, history, Query("p0"), set(), passing, brought)

    graph.define("DROP INDEX item_vector_a")
    without = pool_in_graph(graph, version, history, Query("p0"), set(), passing, brought)

    assert [version.artifact.item_ids[row] for row in without.rows] == [fine]
    assert without.rows.tolist() == with_index.rows.tolist()
    assert without.sources(without.rows[0]) == ["exact", "sequels", "sponsored"]


@pytest.mark.parametrize("filtered", [False, True])
def test_a_person_without_a_direction_is_scored_over_everything_that_may_be_shown(
    graph, domain, version, history, filtered
):
    brought, fine = brought_by(graph, domain)
    scorer = version.artifact.scorer
    still = replace(scorer, event_vectors=np.zeros_like(scorer.event_vectors))
    aimless = replace(version, artifact=replace(version.artifact, scorer=still))
    nowhere = replace(history, residual=None)
    drama = Condition("genres", "in", ("Drama",)) if filtered else None
    passing = compile_filter(domain, drama, version.indexed)

    pool = pool_in_graph(graph, aimless, nowhere, Query("p0"), set(), passing, brought)

    aimless.withheld.renew(graph)
    best = pool_in_memory(aimless, nowhere, ()).rows.tolist()
    row = version.item_rows[fine]
    assert pool.rows.tolist() == ([row] if filtered else best)
    assert pool.sources(row) == ["catalogue", "sequels", "sponsored"]
    assert len(best) == 39
