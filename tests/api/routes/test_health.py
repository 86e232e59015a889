"""Health over real HTTP, with the graph there; without it, see tests/api/test_faults.py."""

import pytest

READY = {"status": "ready", "graph": True, "model_version": "v1", "degraded": []}


def test_alive_and_ready_with_the_version_that_serves(client):
    live = client.get("/health/live")
    ready = client.get("/health/ready")

    assert (live.status_code, live.json()) == (200, {"status": "alive"})
    assert ready.status_code == 200
    assert ready.json() == READY


@pytest.mark.faults
def test_without_the_index_of_what_serves_it_is_degraded_and_ready_all_the_same(
    client, module_graph
):
    module_graph.define("DROP INDEX item_vector_a")

    ready = client.get("/health/ready")

    assert (ready.status_code, ready.json()) == (200, READY | {"degraded": ["index"]})
