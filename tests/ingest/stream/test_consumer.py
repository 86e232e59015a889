"""Consumers: a fair share each, a dead one's partitions taken over, one writer of a partition.

The second half is on real processes, killed and frozen.
"""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from graphdb.events.partitions import list_partitions
from graphdb.local.processes import wait_until
from ingest.stream.consumer import fair_share
from ingest.stream.fail_points import VARIABLE
from tests.api.conftest import consumer_on
from tests.ingest.conftest import until_written
from tests.rows import NOON, event_row

pytestmark = pytest.mark.faults

COUNT = "MATCH (:User)-[r]->(:Item) RETURN count(r) AS n, count(DISTINCT r.event_id) AS ids"
ADDED = "MATCH (s:Source) RETURN sum(s.events) AS n"
LEASE = {"PATHLIGHT_STREAM_LEASE_S": "2"}
LATER = {"received_at": NOON + timedelta(days=2)}
WAIT_S = 60


def rows(count, start=0):
    return [
        event_row(f"u{n % 20}", str(n % 50), n, event_id=str(n))
        for n in range(start, start + count)
    ]


def owners(graph):
    return [row["owner"] for row in list_partitions(graph)]


def whole(graph, count):
    return graph.read(COUNT) == [{"n": count, "ids": count}] and graph.read(ADDED) == [{"n": count}]


def test_what_was_appended_is_written_once_and_adds_up(graph, stream, consuming):
    stream.append(rows(2500))
    with consuming():
        until_written(graph, stream)
        stream.append(rows(3000))
        until_written(graph, stream)

    assert whole(graph, 3000)
    assert stream.counts() == {"written": 3000, "duplicates": 2500}
    assert owners(graph) == [None] * 4


@pytest.mark.parametrize(("partitions", "members"), [(4, 1), (4, 3), (4, 4), (4, 7), (64, 5)])
def test_the_shares_of_all_are_all_partitions_and_differ_by_one_at_most(partitions, members):
    names = [f"m{n}" for n in range(members)]

    shares = [fair_share(partitions, names, name) for name in names]

    assert sum(shares) == partitions
    assert max(shares) - min(shares) <= 1


def test_a_second_consumer_gets_its_share_and_the_first_all_when_it_leaves(
    graph, stream, consuming
):
    def held() -> dict:
        found = owners(graph)
        return {name: found.count(name) for name in set(found)}

    with consuming("one"):
        assert wait_until(lambda: held() == {"one": 4}, WAIT_S, 0.05)
        with consuming("two"):
            assert wait_until(lambda: held() == {"one": 2, "two": 2}, WAIT_S, 0.05)
            stream.append(rows(400))
            until_written(graph, stream)
        assert wait_until(lambda: held() == {"one": 4}, WAIT_S, 0.05)

    assert whole(graph, 400)


def test_sixteen_writers_on_shared_hubs_lose_and_double_nothing(graph, stream, consuming):
    batches = [
        [
            event_row(f"u{n % 64}", f"hub{n % 3}", n, event_id=str(n))
            for n in range(start, start + 120)
        ]
        for start in range(0, 4800, 100)
    ]
    with consuming("one"), consuming("two"), ThreadPoolExecutor(16) as pool:
        list(pool.map(stream.append, batches + batches[::-1]))
        until_written(graph, stream)

    assert whole(graph, 4820)


PLACES = ("claimed", "read", "conflicts", "written", "saved", "buried", "trimmed")


def test_a_consumer_killed_between_any_two_steps_leaves_its_work_to_the_next(
    graph, neo4j_address, redis_url, stream, letters, tmp_path
):
    for number, place in enumerate(PLACES):
        first = 10 * number
        person = f"p{number}"
        kinds = [event_row(person, str(n), event_id=str(first + n)) for n in range(8)]
        kinds.append(event_row(person, "1", event_id=str(first), value=5.0, **LATER))
        kinds.append(event_row(person, "1", event_id="bad", event_type="unheard_of"))
        stream.append(kinds)
        told = {VARIABLE: f"consumer.{place}", "PATHLIGHT_STREAM_LEASE_S": "1"}
        with consumer_on(neo4j_address, tmp_path, redis_url, **told) as process:
            assert process.wait(WAIT_S) == -signal.SIGKILL, place
    with consumer_on(neo4j_address, tmp_path, redis_url):
        until_written(graph, stream)

    ids = {row["id"] for row in graph.read("MATCH ()-[r:RATED]->() RETURN r.event_id AS id")}
    assert ids == {str(10 * number + n) for number in range(len(PLACES)) for n in range(8)}
    assert whole(graph, 8 * len(PLACES))
    reasons = [letter.reason for letter in letters.list_letters()]
    assert sorted(reasons) == ["conflict"] * len(PLACES) + ["poison"] * len(PLACES)


def test_a_frozen_consumer_is_replaced_and_writes_nothing_when_it_thaws(
    graph, neo4j_address, redis_url, stream, tmp_path
):
    with consumer_on(neo4j_address, tmp_path, redis_url, **LEASE) as first:
        stream.append(rows(200))
        until_written(graph, stream)
        os.kill(first.pid, signal.SIGSTOP)
        try:
            stream.append(rows(500, 200))
            with consumer_on(neo4j_address, tmp_path, redis_url, **LEASE) as second:
                until_written(graph, stream)
                os.kill(first.pid, signal.SIGCONT)
                stream.append(rows(500, 700))
                until_written(graph, stream)
                assert wait_until(lambda: len(set(owners(graph))) == 2, WAIT_S, 0.1)
                assert (first.poll(), second.poll()) == (None, None)
        finally:
            os.kill(first.pid, signal.SIGCONT)

    assert whole(graph, 1200)


def test_a_consumer_told_to_stop_lets_go_of_everything(
    graph, neo4j_address, redis_url, stream, tmp_path
):
    with consumer_on(neo4j_address, tmp_path, redis_url) as process:
        assert wait_until(lambda: all(owners(graph)) and owners(graph), WAIT_S, 0.1)

    assert process.returncode == 0
    assert owners(graph) == [None] * 4
    assert stream.readers() == []


def test_a_consumer_without_servers_waits_for_them_quietly(project, tmp_path):
    env = {
        **os.environ,
        "PATHLIGHT_NEO4J_URI": "bolt://127.0.0.1:1",
        "PATHLIGHT_REDIS_URL": "redis://127.0.0.1:1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "api.consumer"],
        cwd=project,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(4)
    process.terminate()
    _, said = process.communicate(timeout=WAIT_S)

    assert process.returncode == 0
    assert said.count("the stream did not answer") <= 2
    assert "Traceback" not in said
