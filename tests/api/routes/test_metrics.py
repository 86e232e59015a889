"""GET /metrics on a real API: what Prometheus reads is what happened."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

EVENT = {"event_type": "rated", "item_id": "3", "occurred_at": "2026-01-05T20:15:00Z"}


def read(client: httpx.Client) -> dict[str, float]:
    """Each sample's value; labels are part of its name."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        f"{s.name}{sorted(s.labels.items())}": s.value
        for family in text_string_to_metric_families(answer.text)
        for s in family.samples
    }


def test_events_and_requests_are_counted(client):
    before = read(client)
    rows = [{**EVENT, "user_id": f"metric{n % 9}", "event_id": f"m{n}"} for n in range(40)]
    for _ in range(2):
        client.post("/v1/events", json=rows, params={"wait": True})

    after = read(client)

    def rise(name: str) -> float:
        return after[name] - before.get(name, 0)

    def by_partition(name: str, samples: dict[str, float]) -> float:
        return sum(v for k, v in samples.items() if k.startswith(f"{name}["))

    assert rise("pathlight_events_written_total[]") == 40
    assert rise("pathlight_events_duplicates_total[]") == 40
    assert by_partition("pathlight_stream_appended", after) == 80
    assert by_partition("pathlight_stream_offset", after) == 80
    assert by_partition("pathlight_stream_lag", after) == 0
    assert by_partition("pathlight_stream_held", after) == 4
    assert after["pathlight_up[('part', 'graph')]"] == 1
    assert after["pathlight_up[('part', 'stream')]"] == 1
    posts = "[('method', 'POST'), ('route', '/v1/events'), ('status', '202')]"
    assert rise(f"pathlight_requests_total{posts}") == 2


def test_routes_are_named_by_their_template_never_by_what_was_asked(client):
    client.get("/v1/items/somebody/similar")
    client.get("/nowhere/somebody")

    text = client.get("/metrics").text

    assert "somebody" not in text
    assert 'route="/v1/items/{id' in text
    assert 'route="none",status="404"' in text
