"""Publication: what is proven before it serves, and what never takes its place."""

from dataclasses import replace

import numpy as np
import pytest

from api.loop.publication import publish
from api.serving.index_space import indexed_vectors, query_vector
from graphdb.versions.slots import nearest
from graphdb.versions.versions import PublicationError, fetch_serving, list_versions
from tests.api.versions import ITEMS, PEOPLE, build_artifact
from training.artifact import ArtifactError, read_artifact

SIMILAR = """
MATCH (i:Item)-[r:SIMILAR_A]->(j:Item)
RETURN i.id AS i, j.id AS j, r.weight AS weight
"""
USERS = "MATCH (u:User) WHERE u.vector_a IS NOT NULL RETURN u.key AS key, u.vector_a AS v"


def test_vectors_and_weights_in_the_graph_are_the_artifacts(graph, world):
    similar = world.scorer.similar.tocoo()
    weights = {
        (world.item_ids[i], world.item_ids[j]): pytest.approx(float(w))
        for i, j, w in zip(similar.row, similar.col, similar.data, strict=True)
    }
    assert {(r["i"], r["j"]): r["weight"] for r in graph.read(SIMILAR)} == weights

    users = world.scorer.user_vectors(world.history, world.residuals)
    stored = {row["key"]: row["v"] for row in graph.read(USERS)}
    assert set(stored) == set(world.user_keys)
    for key, vector in zip(world.user_keys, users, strict=True):
        assert stored[key] == pytest.approx(vector.tolist(), abs=1e-6)


def test_the_index_ranks_as_the_capped_inner_product_does(graph, domain, world, artifacts):
    artifact = build_artifact(graph, artifacts / "ip", similarity="inner_product")
    publish(graph, artifacts / "ip")
    user = artifact.scorer.user_vectors(artifact.history, artifact.residuals)[0]
    capped = indexed_vectors(artifact.scorer.item_vectors, "inner_product")[0][:, :-1]
    ranked = [artifact.item_ids[row] for row in np.argsort(-(capped @ user), kind="stable")]

    slot = fetch_serving(graph)["slot"]
    # Asked for fewer than there are, it is not exact.
    assert nearest(graph, slot, query_vector(user, "inner_product"), ITEMS) == ranked


@pytest.mark.parametrize("people", [1, PEOPLE])
def test_people_without_a_vector_do_not_keep_a_version_from_serving(
    graph, world, artifacts, people
):
    """Whoever has only events that point nowhere, as returns may, and everybody."""
    vectors = world.scorer.event_vectors.copy()
    vectors[world.history[:people].indices] = 0
    scorer = replace(world.scorer, event_vectors=vectors)
    artifact = build_artifact(graph, artifacts / "v2", residual=False, scorer=scorer)

    publish(graph, artifacts / "v2")

    users = scorer.user_vectors(artifact.history, None)
    assert (~users.any(axis=1)).sum() == people
    assert fetch_serving(graph)["id"] == "v2"


def test_a_person_who_is_gone_does_not_come_back(graph, world, artifacts):
    gone = world.user_keys[0]
    build_artifact(graph, artifacts / "v2")
    graph.write("MATCH (u:User {key: $key}) DETACH DELETE u", key=gone)

    publish(graph, artifacts / "v2")

    assert graph.read("MATCH (u:User {key: $key}) RETURN u", key=gone) == []
    assert fetch_serving(graph)["id"] == "v2"


def test_vectors_that_are_not_finite_are_refused_before_anything_is_written(
    graph, world, artifacts
):
    broken = world.scorer.item_vectors.copy()
    broken[7, 2] = np.nan

    with pytest.raises(ArtifactError, match=r"item_vectors: row 7 is not finite \("):
        scorer = replace(world.scorer, item_vectors=broken)
        build_artifact(graph, artifacts / "v2", scorer=scorer)
    assert not (artifacts / "v2").exists()


def test_an_artifact_that_was_altered_is_refused_and_the_old_version_serves(
    graph, world, artifacts
):
    build_artifact(graph, artifacts / "v2")
    path = artifacts / "v2" / "similar.parquet"
    path.write_bytes(path.read_bytes()[:-10])

    with pytest.raises(ArtifactError, match=r"similar\.parquet is not as it was written"):
        publish(graph, artifacts / "v2")
    assert fetch_serving(graph)["id"] == "v1"


def test_an_artifact_of_other_items_is_refused(graph, world, artifacts):
    build_artifact(graph, artifacts / "v2", item_ids=[f"x{n}" for n in range(40)])

    with pytest.raises(PublicationError, match="none of its items is in the graph"):
        publish(graph, artifacts / "v2")
    assert fetch_serving(graph)["id"] == "v1"


def test_an_index_that_does_not_find_the_best_is_not_served(graph, world, artifacts, monkeypatch):
    build_artifact(graph, artifacts / "v2")
    # A stalled index answers with other items: what the probe has to notice.
    monkeypatch.setattr("api.loop.publication.nearest", lambda *_: ["0", "1", "2"])
    with pytest.raises(PublicationError, match="its index finds"):
        publish(graph, artifacts / "v2")
    assert fetch_serving(graph)["id"] == "v1"
    assert {v["id"]: v["state"] for v in list_versions(graph)}["v2"] == "building"


def test_progress_is_told_step_by_step(graph, world, artifacts):
    build_artifact(graph, artifacts / "v2")
    told = []

    publish(graph, artifacts / "v2", progress=lambda *step: told.append(step))

    assert told[0][0] == "clear"
    assert told[-1] == ("flip", 1, 1)
    for step in ("items", "users", "similar"):
        done, total = next(t[1:] for t in reversed(told) if t[0] == step)
        assert done == total > 0


def test_a_version_can_be_published_again_from_its_artifact(graph, world, artifacts):
    for name in ("v2", "v3", "v4"):
        build_artifact(graph, artifacts / name)
        publish(graph, artifacts / name)

    publish(graph, artifacts / "v1")

    assert fetch_serving(graph)["id"] == "v1"
    assert read_artifact(artifacts / "v1").model.id == "v1"
