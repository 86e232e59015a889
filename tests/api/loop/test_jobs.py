"""Jobs run in this process on a real graph: what follows, what fails, who was overtaken."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from api.loop.cycle import publish_artifact
from api.loop.jobs import Workplace, request_retrain, run_job
from api.settings import Settings
from graphdb.connection import Neo4jSettings
from graphdb.errors import LeaseLostError
from graphdb.export.export import export_snapshot
from graphdb.jobs import claim_job, list_due, list_jobs, renew_lease, request_job
from graphdb.local.processes import wait_until
from graphdb.versions.versions import fetch_serving, list_versions
from tests.api.versions import build_artifact

EXPIRE = "MATCH (j:Job) SET j.lease_until = datetime.realtime() - duration('PT1S')"


def silent(step: str, done: int, total: int) -> None:
    """Nobody watches."""


@pytest.fixture
def place(graph, domain, world, artifacts, neo4j_address) -> Workplace:
    address = neo4j_address
    neo4j = Neo4jSettings(uri=address.uri, user=address.user, password=SecretStr(address.password))
    settings = Settings(home=artifacts.parent, job_lease_s=3)
    return Workplace(settings, neo4j, graph, domain)


def jobs(graph) -> set[tuple]:
    return {(row["key"], row["state"], row["attempts"]) for row in list_jobs(graph)}


def test_a_publication_is_done_once_and_nothing_follows(graph, place, artifacts):
    build_artifact(graph, artifacts / "v2", seed=5)
    request_job(graph, "publish:v2", "publish", {"artifact": "v2"})

    assert run_job(place, "publish:v2") is None
    assert run_job(place, "publish:v2") is None

    assert fetch_serving(graph)["id"] == "v2"
    assert jobs(graph) == {("publish:v2", "done", 1)}


def test_a_job_that_nobody_asked_for_or_another_holds_is_not_run(graph, place):
    request_job(graph, "publish:v2", "publish", {"artifact": "v2"})
    claim_job(graph, "publish:v2", "another", 60)

    assert run_job(place, "publish:v2") is None
    assert run_job(place, "publish:never") is None

    assert jobs(graph) == {("publish:v2", "running", 1)}


@pytest.mark.parametrize(
    ("kind", "payload", "sentence"),
    [
        ("publish", {"artifact": "nowhere"}, "nowhere is not an artifact"),
        ("train", {"snapshot": "nowhere"}, "nowhere is not a snapshot"),
    ],
)
def test_input_that_cannot_succeed_fails_at_once_with_its_sentence(
    graph, place, kind, payload, sentence
):
    request_job(graph, f"{kind}:1", kind, payload)

    run_job(place, f"{kind}:1")

    failed = list_jobs(graph)[0]
    assert (failed["state"], failed["attempts"]) == ("failed", 1)
    assert sentence in failed["error"]
    assert fetch_serving(graph)["id"] == "v1"
    assert list_due(graph) == []


def test_a_graph_that_fails_its_audit_fails_the_cycle_at_once_with_the_check(graph, place):
    graph.write("CREATE (:Source {id: 'lost', offset: 0, events: 3})")
    key = request_retrain(graph)

    assert run_job(place, key) is None

    failed = list_jobs(graph)[0]
    assert (failed["key"], failed["state"], failed["attempts"]) == (key, "failed", 1)
    assert "source_counts counts 3 of 123 (2.44 %), 0 % may be" in failed["error"]
    assert "`pathlight audit`" in failed["error"]


def test_what_may_succeed_later_waits_and_is_tried_again(graph, place, without_texts):
    (place.settings.root / "snapshots").write_text("a file where a folder belongs")
    request_job(graph, "export:1", "export", {"name": "1"})

    for attempt in (1, 2, 3):
        run_job(place, "export:1")
        waits = [("export:1", "waiting", attempt)] if attempt < 3 else [("export:1", "failed", 3)]
        assert jobs(graph) == set(waits)

    assert "snapshots" in list_jobs(graph)[0]["error"]


def test_an_export_asks_for_training_in_the_moment_of_its_success(graph, place, without_texts):
    key = request_retrain(graph)

    follows = run_job(place, key)

    name = key.removeprefix("export:") + "-1"
    assert follows == f"train:{name}"
    assert jobs(graph) == {(key, "done", 1), (follows, "waiting", 0)}
    assert (place.settings.snapshots / name / "manifest.json").is_file()


def test_an_attempt_after_the_flip_only_records_what_the_first_achieved(graph, place, artifacts):
    build_artifact(graph, artifacts / "v2", seed=5)
    request_job(graph, "publish:v2", "publish", {"artifact": "v2"})
    first = claim_job(graph, "publish:v2", "killed after its flip", 0)
    publish_artifact(place.settings, graph, artifacts / "v2", first.fence, silent)
    before = list_versions(graph)

    run_job(place, "publish:v2")

    assert jobs(graph) == {("publish:v2", "done", 2)}
    assert list_versions(graph) == before


def test_an_overtaken_attempt_stops_records_nothing_and_asks_for_nothing(graph, place):
    request_job(graph, "export:1", "export", {"name": "1"})
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_job, place, "export:1")
        assert wait_until(lambda: jobs(graph) == {("export:1", "running", 1)}, 30, 0.01)

        graph.write(EXPIRE)
        taken = claim_job(graph, "export:1", "another", 60)

        assert running.result(30) is None
    assert jobs(graph) == {("export:1", "running", 2)}
    assert taken
    renew_lease(graph, taken, 60)
    assert not (place.settings.snapshots / "1-1").exists()


def test_a_job_is_held_for_as_long_as_it_runs(graph, domain, place):
    export_snapshot(graph, domain, place.settings.snapshots / "s")
    request_job(graph, "train:s", "train", {"snapshot": "s"})
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_job, place, "train:s")
        assert wait_until(lambda: jobs(graph) == {("train:s", "running", 1)}, 30, 0.01)

        due = []
        while not running.done():
            due += [job["key"] for job in list_due(graph)]
            time.sleep(0.2)

    assert time.monotonic() - begun > place.settings.job_lease_s
    assert set(due) <= {"publish:s-1"}  # which is due once the training is done
    assert jobs(graph) == {("train:s", "done", 1), ("publish:s-1", "waiting", 0)}


def test_a_cycle_asked_for_twice_in_a_minute_is_one(graph, place):
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    keys = {request_retrain(graph, at + timedelta(seconds=s)) for s in (0, 30, 54)}
    keys.add(request_retrain(graph, at + timedelta(seconds=60)))

    assert keys == {"export:20260102T0304", "export:20260102T0305"}
    assert len(list_jobs(graph)) == 2


def test_of_an_attempt_that_lost_its_lease_every_word_is_refused(graph, place):
    request_job(graph, "publish:v1", "publish", {"artifact": "v1"})
    old = claim_job(graph, "publish:v1", "old", 0)
    claim_job(graph, "publish:v1", "new", 60)

    with pytest.raises(LeaseLostError):
        renew_lease(graph, old, 60)
