"""Rows of status: plain data, from the process table, without secrets."""

import json
from pathlib import Path

from pydantic import SecretStr

from api.local.redis_server import LocalRedis
from api.local.stack_state import Record, StackState
from api.local.status import PART_NAMES, resident_bytes, status
from api.settings import Settings
from graphdb.connection import Neo4jSettings
from graphdb.local.processes import this_process

LOCAL = Neo4jSettings(uri="")


def test_nothing_runs_in_a_new_home(tmp_path: Path):
    rows = status(Settings(home=tmp_path / "none"), LOCAL)

    assert [row["part"] for row in rows] == list(PART_NAMES)
    assert {row["state"] for row in rows} == {"stopped"}
    assert not (tmp_path / "none").exists()


def test_a_running_part_tells_its_memory_and_since_when(tmp_path: Path):
    me = this_process()
    StackState.read(tmp_path).keep("api", Record.of(me, "http://127.0.0.1:1"))

    row = status(Settings(home=tmp_path), LOCAL)[3]

    assert (row["state"], row["pid"], row["address"]) == ("running", me.pid, "http://127.0.0.1:1")
    assert row["memory_mb"] > 10
    assert row["since"].endswith("+00:00")
    assert json.loads(json.dumps(row)) == row


def test_a_server_without_a_record_is_seen_by_its_own(tmp_path: Path):
    server = LocalRedis(tmp_path / "redis")
    owner, _ = server.start()

    row = status(Settings(home=tmp_path), LOCAL)[1]
    server.stop()

    assert (row["state"], row["address"]) == ("running", f"redis://127.0.0.1:{owner.port}")


def test_addresses_from_outside_are_shown_without_their_password(tmp_path: Path):
    settings = Settings(home=tmp_path, redis_url=SecretStr("redis://:secret@queue:6379/0"))
    neo4j = Neo4jSettings(uri="neo4j+s://graph:7687", password=SecretStr("secret"))

    rows = status(settings, neo4j)

    assert [row["state"] for row in rows[:2]] == ["external", "external"]
    assert [row["address"] for row in rows[:2]] == ["neo4j+s://graph:7687", "queue:6379/0"]


def test_a_process_that_is_gone_has_no_memory():
    assert resident_bytes(2**22 + 1) == 0
