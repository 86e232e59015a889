"""The pool: what the sources found, without what is barred, scored whole and never short."""

import numpy as np
import pytest

from api.answers import candidates
from api.answers.answer import Query
from api.answers.candidates import barred_rows, pool_in_graph, pool_in_memory
from api.serving.mapped import History, MappedVersion
from graphdb.answers.filtering import Condition, compile_filter
from graphdb.catalogue.catalogue import save_items
from graphdb.people.people import fetch_people
from tests.rows import item_row


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


def test_what_is_barred_is_what_was_seen_and_what_was_named(version, history):
    named = frozenset({"1", "nobody knows this"})

    seen = barred_rows(version, history, Query("p0", exclude_ids=named))
    alone = barred_rows(version, history, Query("p0", exclude_ids=named, exclude_seen=False))

    assert alone == {version.item_rows["1"]}
    assert seen == alone | history.seen


def test_more_are_asked_for_until_there_are_enough(graph, domain, version, history, monkeypatch):
    monkeypatch.setattr(candidates, "NEAR", 0)
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
    monkeypatch.setattr(candidates, "WALKED", 0)
    last = [version.artifact.item_ids[r] for r in pool_in_memory(version, history, ()).rows[-3:]]
    save_items(graph, domain, [item_row(item, genres=["Drama"]) for item in last])
    passing = compile_filter(domain, Condition("genres", "in", ("Drama",)))

    pool = pool_in_graph(graph, version, history, Query("p0", k=3), set(), passing)

    assert [version.artifact.item_ids[row] for row in pool.rows] == last
