"""`pathlight status`: each part of the local stack as a row of plain data.

`status` asks the process table only, `stream_status` the stream and the graph; neither starts or
stops anything, or shows a password.
"""

import contextlib
from datetime import UTC, datetime
from typing import Any

import psutil
from pydantic import SecretStr

from api.local.launch import Stack
from api.local.stack_state import Record, StackState
from api.settings import Settings
from api.streaming import open_stream
from graphdb.connection import SERVING, Graph, Neo4jSettings
from graphdb.events.partitions import list_partitions
from graphdb.local.ownership import OwnedDirectory
from graphdb.local.processes import LOOPBACK, is_alive
from ingest.stream.dead_letters import DeadLetters

PART_NAMES = ("neo4j", "redis", "consumer", "api", "worker", "beat")
SCHEMES = {"neo4j": "bolt", "redis": "redis"}


def status(settings: Settings, neo4j: Neo4jSettings) -> list[dict[str, Any]]:
    """A row a part: part, state, address, pid, memory_mb (with its children), since (UTC).

    States: `running`, `stopped`, `died` (it was not stopped, and is gone), `external`.
    """
    external = {"neo4j": neo4j.uri, "redis": settings.redis_url.get_secret_value()}
    records = StackState.read(settings.root).parts
    for name, scheme in SCHEMES.items():
        if owner := OwnedDirectory(settings.root / name).owner():
            records[name] = Record.of(owner.child, f"{scheme}://{LOOPBACK}:{owner.port}")
    return [_row(name, records.get(name), external.get(name, "")) for name in PART_NAMES]


def _row(name: str, record: Record | None, external: str) -> dict[str, Any]:
    row: dict[str, Any] = {"part": name, "state": "stopped", "address": None}
    row |= {"pid": None, "memory_mb": None, "since": None}
    if external:
        return row | {"state": "external", "address": external.rpartition("@")[2]}
    if record is None:
        return row
    row["address"] = record.address or None
    if not is_alive(record.child):
        return row | {"state": "died"}
    since = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
    memory = round(resident_bytes(record.pid) / 2**20, 1)
    return row | {"state": "running", "pid": record.pid, "memory_mb": memory, "since": since}


def stream_status(stack: Stack) -> list[dict[str, Any]]:
    """A row a partition of the stream: part, state (read, unread), reader, appended, waiting,
    dead_letters. Empty where no stream is; raises PathlightError where one does not answer."""
    if not stack.redis_url:
        return []
    settings = stack.settings.model_copy(update={"redis_url": SecretStr(stack.redis_url)})
    stream = open_stream(settings)
    try:
        backlog, letters = stream.backlog(), DeadLetters(stream).by_partition()
    finally:
        stream.close()
    with Graph.from_settings(stack.neo4j, SERVING) as graph:
        written = {row["partition"]: row for row in list_partitions(graph)}
    rows = []
    for partition, numbers in enumerate(backlog):
        source = written.get(partition, {"owner": None, "offset": 0})
        rows.append(
            {
                "part": f"partition {partition}",
                "state": "read" if source["owner"] else "unread",
                "reader": source["owner"],
                "appended": numbers.appended,
                "waiting": max(0, numbers.appended - max(0, source["offset"])),
                "dead_letters": letters[partition],
            }
        )
    return rows


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and all its descendants, in bytes; 0 if it is gone."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total
