"""Health over real HTTP, with the graph there; without it, see tests/api/test_faults.py."""


def test_alive_and_ready_with_the_version_that_serves(client):
    live = client.get("/health/live")
    ready = client.get("/health/ready")

    assert (live.status_code, live.json()) == (200, {"status": "alive"})
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "graph": True, "model_version": "v1"}
