"""Explanations: the scorer's own sum, and the scorer asked again without some of the events."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.problems import InvalidError, NotFoundError
from api.reasons.explanation import explain, explained, without_events
from api.serving.mapped import mapped
from api.serving.people import People
from api.serving.withheld import Withheld
from graphdb.catalogue.catalogue import save_items
from graphdb.events.events import save_events
from graphdb.people.people import fetch_people
from tests.api.versions import build_artifact
from tests.rows import event_row, item_row


@pytest.fixture
def version(world):
    return mapped(world, "a", People(), Withheld(world.item_ids))


def ranking(version, history) -> list[int]:
    """Unseen rows, best first, by the scorer's plain scores."""
    scores = version.artifact.scorer.scores(history.row, history.residual[None])[0]
    order = np.argsort(-scores, kind="stable")
    return [int(row) for row in order if row not in history.seen]


def test_a_rank_is_the_place_in_the_whole_list(version, world):
    history = version.history(world.user_keys[:1], [])

    for place, row in enumerate(ranking(version, history), 1):
        found = explained(version, history, world.item_ids[row], (), 3)
        assert (found.as_it_is.rank, found.changed) == (place, None)


def test_without_an_event_score_and_rank_are_those_of_a_person_who_never_had_it(version, world):
    history = version.history(world.user_keys[:1], [])
    for gone in history.row.indices.tolist():
        dense = history.row.toarray()
        dense[0, gone] = 0
        other = without_events(history, [gone])
        assert (other.row.toarray() == dense).all()
        scores = world.scorer.scores(sp.csr_matrix(dense), history.residual[None])[0]
        row = ranking(version, other)[4]

        changed = explained(
            version, history, world.item_ids[row], [world.item_ids[gone]], 99
        ).changed

        assert changed.rank == 5
        assert changed.score == pytest.approx(scores[row], abs=1e-4)
        assert world.item_ids[gone] not in {r.item_id for r in changed.reasons}


def test_without_all_events_general_taste_is_left(version, world):
    history = version.history(world.user_keys[:1], [])
    everything = [world.item_ids[row] for row in history.row.indices]
    row = next(r for r in range(len(world.item_ids)) if r not in history.seen)

    changed = explained(version, history, world.item_ids[row], everything, 3).changed

    assert [r.kind for r in changed.reasons] == ["general_taste"]
    assert changed.reasons[0].contribution == pytest.approx(changed.score, abs=1e-9)


@pytest.mark.parametrize("similarity", ["cosine", "inner_product"])
def test_contributions_add_up_whatever_the_history(graph, world, tmp_path, similarity):
    artifact = build_artifact(graph, tmp_path / "v", similarity=similarity)
    version = mapped(artifact, "a", People(), Withheld(artifact.item_ids))
    weights = st.floats(-2, 2, allow_nan=False, width=32)
    rows = st.integers(0, len(artifact.item_ids) - 1)

    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.dictionaries(rows, weights, min_size=1), rows, st.integers(1, 12), st.data())
    def check(events, row, limit, data) -> None:
        columns, values = list(events), np.array(list(events.values()), np.float32)
        own = (values, (np.zeros(len(columns), np.int32), columns))
        shape = (1, len(artifact.item_ids))
        known = version.history(artifact.user_keys[:1], [])
        history = type(known)(sp.csr_matrix(own, shape), known.residual, known.seen)
        gone = data.draw(st.sampled_from(columns))
        item, removed = artifact.item_ids[row], [artifact.item_ids[gone]]

        found = explained(version, history, item, removed, limit)

        for judged in (found.as_it_is, found.changed):
            total = sum(r.contribution for r in judged.reasons)
            assert total == pytest.approx(judged.score, abs=1e-6)

    check()


def test_a_new_event_counts_and_can_be_removed(graph, domain, world, serving, recommender):
    serving.refresh()
    history = serving.version.history([fetch_people(graph)["p0"]], [])
    row, new = ranking(serving.version, history)[:2]
    item, added = world.item_ids[row], world.item_ids[new]
    before = explain(serving, recommender, domain, "p0", item, (), 99).as_it_is
    save_events(graph, domain, "api", [event_row("p0", added)])

    found = explain(serving, recommender, domain, "p0", item, {added}, 99)

    assert found.as_it_is.score != before.score
    named = {r.item_id: r for r in found.as_it_is.reasons}
    assert (named[added].title, named[added].event_type) == (f"Film {added}", "rated")
    assert found.changed.score == pytest.approx(before.score, abs=1e-6)


def test_what_is_seen_or_hidden_has_no_rank(graph, domain, world, serving, recommender):
    serving.refresh()
    history = serving.version.history([fetch_people(graph)["p0"]], [])
    seen = world.item_ids[next(iter(history.seen))]
    assert explain(serving, recommender, domain, "p0", seen, (), 3).as_it_is.rank is None

    first = world.item_ids[ranking(serving.version, history)[0]]
    save_items(graph, domain, [item_row(first, hidden=True)])
    serving.version.withheld.renew(graph)
    assert explain(serving, recommender, domain, "p0", first, (), 3).as_it_is.rank is None


def test_what_cannot_be_explained_is_said(domain, world, serving, recommender):
    serving.refresh()
    with pytest.raises(NotFoundError, match="no item 'nothing'"):
        explain(serving, recommender, domain, "p0", "nothing", (), 3)
    with pytest.raises(NotFoundError, match="nothing to explain"):
        explain(serving, recommender, domain, "nobody", "1", (), 3)
    with pytest.raises(InvalidError, match="an event of this person") as refused:
        explain(serving, recommender, domain, "p0", "1", {"nothing"}, 3)
    assert refused.value.errors[0]["field"] == "query.without"
