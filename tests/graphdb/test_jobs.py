"""Jobs: one holder at a time, an old holder's word is worth nothing, attempts are bounded."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from graphdb.errors import LeaseLostError
from graphdb.jobs import (
    MAX_ATTEMPTS,
    claim_job,
    fail_job,
    finish_job,
    list_due,
    list_jobs,
    renew_lease,
    request_job,
)


def test_asking_twice_is_one_job(graph):
    assert request_job(graph, "export:1", "export", {"a": 1}) == "waiting"
    request_job(graph, "export:1", "export", {"a": 2})

    claim = claim_job(graph, "export:1", "me", 60)

    assert claim is not None
    assert (claim.kind, claim.input, claim.fence, claim.attempt) == ("export", {"a": 1}, 1, 1)


def test_of_eight_claimants_exactly_one_gets_each_of_forty_jobs(graph):
    keys = [f"export:{n}" for n in range(40)]
    for key in keys:
        request_job(graph, key, "export", {})

    def claim_all(owner):
        return [key for key in keys if claim_job(graph, key, owner, 60)]

    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(claim_all, [f"w{n}" for n in range(8)]))

    assert sorted(key for mine in held for key in mine) == sorted(keys)


def test_a_held_job_is_not_due_and_an_expired_one_is(graph):
    request_job(graph, "export:1", "export", {})
    assert [job["key"] for job in list_due(graph)] == ["export:1"]

    claim_job(graph, "export:1", "me", 60)
    assert list_due(graph) == []
    assert claim_job(graph, "export:1", "other", 60) is None


def test_after_its_lease_another_takes_over_and_the_first_cannot_finish(graph):
    request_job(graph, "export:1", "export", {})
    first = claim_job(graph, "export:1", "first", 0)

    second = claim_job(graph, "export:1", "second", 60)

    assert second.fence == first.fence + 1
    for late in (lambda: finish_job(graph, first, {}), lambda: renew_lease(graph, first, 60)):
        with pytest.raises(LeaseLostError):
            late()
    finish_job(graph, second, {"ok": True})
    assert list_jobs(graph)[0]["state"] == "done"
    assert claim_job(graph, "export:1", "third", 60) is None


def test_a_failed_job_waits_again_until_its_attempts_are_used(graph):
    request_job(graph, "export:1", "export", {})

    states = [
        fail_job(graph, claim_job(graph, "export:1", "me", 60), "no luck", final=False)
        for _ in range(MAX_ATTEMPTS)
    ]

    assert states == ["waiting", "waiting", "failed"]
    assert claim_job(graph, "export:1", "me", 60) is None
    assert list_jobs(graph)[0]["error"] == "no luck"


def test_a_failure_that_is_final_is_not_tried_again(graph):
    request_job(graph, "export:1", "export", {})

    state = fail_job(graph, claim_job(graph, "export:1", "me", 60), "bad input", final=True)

    assert state == "failed"
    assert list_due(graph) == []


def test_a_worker_lost_too_often_fails_the_job(graph):
    request_job(graph, "export:1", "export", {})
    for _ in range(MAX_ATTEMPTS):
        assert claim_job(graph, "export:1", "me", 0)

    assert list_due(graph) == []
    job = list_jobs(graph)[0]
    assert (job["state"], job["error"]) == ("failed", "the worker was lost 3 times")
