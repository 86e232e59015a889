"""Health over real HTTP, with the graph there; without it, see tests/api/test_faults.py."""

import httpx


def test_alive_and_ready_with_the_version_that_serves(module_api):
    live = httpx.get(f"{module_api}/health/live", trust_env=False)
    ready = httpx.get(f"{module_api}/health/ready", trust_env=False)

    assert (live.status_code, live.json()) == (200, {"status": "alive"})
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "graph": True, "model_version": "v1"}
