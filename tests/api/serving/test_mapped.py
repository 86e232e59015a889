"""The version in memory: a person's history with new events folded in, and who is who."""

import pytest

from api.serving.mapped import map_version
from graphdb.answers.retrieval import NewEvent
from graphdb.catalogue.catalogue import save_items
from graphdb.people.people import fetch_people
from tests.rows import item_row
from training.artifact import ArtifactError


@pytest.fixture
def version(graph, world, artifacts):
    return map_version(graph, "v1", "a", artifacts)


def weights(version, history) -> dict[str, float]:
    items = version.artifact.item_ids
    return dict(zip((items[i] for i in history.row.indices), history.row.data, strict=True))


def test_it_knows_everybody_and_what_is_hidden(graph, domain, world, artifacts):
    save_items(graph, domain, [item_row("7", hidden=True)])

    version = map_version(graph, "v1", "a", artifacts)

    assert version.people.keys == fetch_people(graph)
    assert version.withheld.now() == {"7"}
    assert version.cut == world.model.cut


def test_a_persons_history_is_the_artifacts(version, world):
    row = world.user_keys.index(version.people.keys["p0"])

    history = version.history(version.people.keys_of("p0"), [])

    assert (history.row != world.history[row]).nnz == 0
    assert history.seen == set(world.history[row].indices.tolist())


def test_new_events_add_to_the_history(version):
    keys = version.people.keys_of("p0")
    before = weights(version, version.history(keys, []))
    known = next(iter(before))
    events = [
        NewEvent(known, "rated", 0.5, seen=True),
        NewEvent("never heard of", "rated", 1.0, seen=True),
        NewEvent("looked at", "viewed", 0.2, seen=False),
        NewEvent("39" if "39" not in before else "38", "watched", -1.0, seen=False),
    ]

    history = version.history(keys, events)

    after = weights(version, history)
    assert after[known] == before[known] + 0.5
    added = events[3].item_id
    assert after[added] == -1.0
    assert version.item_rows[added] not in history.seen
    assert history.unknown == {"never heard of"}
    assert history.types == {
        version.item_rows[known]: "rated",
        version.item_rows[added]: "watched",
    }


def test_a_total_replaces_what_the_version_and_the_events_would_add_up_to(version):
    keys = version.people.keys_of("p0")
    known, other = list(weights(version, version.history(keys, [])))[:2]
    events = [NewEvent(known, "rated", 1.0, seen=True), NewEvent(other, "rated", 0.5, seen=True)]
    before = weights(version, version.history(keys, []))

    history = version.history(keys, events, {known: 0.25, "never heard of": 1.0})

    after = weights(version, history)
    assert after == before | {known: 0.25, other: before[other] + 0.5}


def test_people_who_were_joined_have_one_history(version, world):
    rows = [world.user_keys.index(version.people.keys[p]) for p in ("p0", "p1")]
    version.people.join({"p1": "p0"})

    history = version.history(version.people.keys_of("p1"), [])

    assert (history.row != world.history[rows[0]] + world.history[rows[1]]).nnz == 0
    assert history.seen == set(world.history[rows].indices.tolist())
    assert history.residual.tolist() == world.residuals[rows[0]].tolist()


def test_a_stranger_has_an_empty_history(version):
    history = version.history([], [])

    assert (history.row.nnz, history.residual, history.seen) == (0, None, frozenset())


def test_files_that_are_missing_are_named(graph, world, artifacts):
    with pytest.raises(ArtifactError, match=r"v9 is not an artifact: it has no model\.json"):
        map_version(graph, "v9", "a", artifacts)
