"""Each part of the table can be started as it stands there."""

import importlib
import sys
import time
from pathlib import Path

import pytest

from api.local.parts import (
    BEAT,
    CONSUMER,
    PARTS,
    WORKER,
    Part,
    Place,
    api_answers,
    beat_writes,
    consumer_reads,
    worker_answers,
)
from ingest.stream.stream import EventStream


@pytest.fixture
def place(tmp_path: Path, redis_url: str) -> Place:
    return Place(tmp_path, "127.0.0.1", 9, redis_url, {})


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_names_what_is_there(part: Part, place: Place, monkeypatch, redis_url: str):
    monkeypatch.setenv("PATHLIGHT_REDIS_URL", redis_url)

    command = part.command(place)

    assert command[:3] == [sys.executable, "-P", "-m"]
    assert "{" not in " ".join(command)
    before = {"api": "--factory", "consumer": "-m"}.get(part.name, "-A")
    target = command[command.index(before) + 1]
    module, _, name = target.partition(":")
    assert hasattr(importlib.import_module(module), name or ("main" if part is CONSUMER else "app"))


def test_the_worker_serves_both_queues_under_a_name_of_its_own(place: Place, tmp_path: Path):
    other = Place(tmp_path / "other", place.host, place.port, place.redis_url, {})

    command = WORKER.command(place)

    assert "pathlight,training" in command
    assert place.node in command
    assert place.node != other.node


def test_a_consumer_is_ready_once_it_has_announced_itself_since_its_start(
    place: Place, empty_stream: str
):
    stream = EventStream(empty_stream)
    stream.meet(f"{place.node}:7:{time.time()}", 60)
    stream.meet(f"another:7:{time.time() + 1000}", 60)
    stream.close()

    assert consumer_reads(place, time.time())
    assert not consumer_reads(place, time.time() + 60)


@pytest.mark.parametrize("ready", [api_answers, consumer_reads, worker_answers])
def test_nothing_is_ready_where_nothing_runs(ready, place: Place, empty_stream: str):
    assert not ready(place, time.time())


def test_beat_is_ready_once_it_has_written_since_its_start(place: Place):
    schedule = Path(BEAT.command(place)[BEAT.command(place).index("--schedule") + 1])
    schedule.write_text("")

    assert beat_writes(place, schedule.stat().st_mtime)
    assert not beat_writes(place, schedule.stat().st_mtime + 10)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_api_on_all_addresses_is_asked_on_loopback(host: str, tmp_path: Path):
    assert Place(tmp_path, host, 80, "", {}).api_url == "http://127.0.0.1:80"
