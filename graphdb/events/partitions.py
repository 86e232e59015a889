"""The stream's partitions as the graph knows them: how far each is written, and who writes it.

    (:Source {id: "stream:<epoch>:<p>", partition, epoch, offset, token, events,
              owner, lease_until, fence})

A partition has one open source. A claim locks the node, then reads; each claim raises the fence,
which every later write holds, so that a reader that was taken for dead writes nothing. When the
stream was lost or put back, numbers begin again: the open source is closed, and one of the next
epoch is opened. It knows nothing of the stream itself.
"""

from dataclasses import dataclass
from typing import Any

from graphdb.connection import Graph
from graphdb.errors import LeaseLostError


@dataclass(frozen=True)
class Held:
    """A partition held: everything up to `offset`, in the chunk of `token`, is in the graph."""

    partition: int
    source: str
    epoch: int
    fence: int
    offset: int
    token: str | None


OPEN_PARTITIONS = """
UNWIND range(0, $partitions - 1) AS partition
OPTIONAL MATCH (open:Source {partition: partition})
WITH partition, count(open) AS sources
WHERE sources = 0
MERGE (s:Source {id: 'stream:1:' + toString(partition)})
ON CREATE SET s.partition = partition, s.epoch = 1, s.offset = -1, s.events = 0, s.fence = 0,
              s.open = true
"""

LIST_PARTITIONS = """
MATCH (s:Source {open: true})
RETURN s.partition AS partition, s.id AS source, s.epoch AS epoch, s.offset AS offset,
       s.events AS events, s.fence AS fence,
       CASE WHEN s.lease_until > datetime.realtime() THEN s.owner END AS owner
ORDER BY partition
"""


def open_partitions(graph: Graph, partitions: int) -> None:
    """Have a source for each partition; those that are there stay as they are."""
    graph.write(OPEN_PARTITIONS, partitions=partitions)


def list_partitions(graph: Graph) -> list[dict[str, Any]]:
    """The open source of each partition; `owner` is None where no lease holds."""
    return graph.read(LIST_PARTITIONS)


# The SET takes the node's lock before the lease is read.
CLAIM_PARTITION = """
MATCH (s:Source {id: $source})
SET s.lock = $owner
REMOVE s.lock
WITH s
WHERE s.open AND coalesce(s.lease_until <= datetime.realtime(), true)
SET s.owner = $owner, s.fence = s.fence + 1,
    s.lease_until = datetime.realtime() + duration({milliseconds: $lease_ms})
RETURN s.partition AS partition, s.id AS source, s.epoch AS epoch, s.fence AS fence,
       s.offset AS offset, s.token AS token
"""


def claim_partition(graph: Graph, source: str, owner: str, lease: float) -> Held | None:
    """Hold a source's partition for `lease` seconds; None if another does, or it was closed."""
    rows = graph.write(CLAIM_PARTITION, source=source, owner=owner, lease_ms=int(lease * 1000))
    return Held(**rows[0]) if rows else None


RENEW_PARTITION = """
MATCH (s:Source {id: $source})
SET s.lock = $fence
REMOVE s.lock
WITH s
WHERE s.open AND s.fence = $fence
SET s.lease_until = datetime.realtime() + duration({milliseconds: $lease_ms})
RETURN s.id AS source
"""


def renew_partition(graph: Graph, held: Held, lease: float) -> None:
    """Hold it for another `lease` seconds. Raises LeaseLostError."""
    lease_ms = int(lease * 1000)
    if not graph.write(RENEW_PARTITION, source=held.source, fence=held.fence, lease_ms=lease_ms):
        raise _lost(held)


RELEASE_PARTITION = """
MATCH (s:Source {id: $source})
SET s.lock = $fence
REMOVE s.lock
WITH s
WHERE s.fence = $fence
REMOVE s.owner, s.lease_until
"""


def release_partition(graph: Graph, held: Held) -> None:
    """Let another hold it at once; of a partition that was lost nothing changes."""
    graph.write(RELEASE_PARTITION, source=held.source, fence=held.fence)


BEGIN_EPOCH = """
MATCH (old:Source {id: $source})
SET old.lock = $fence
REMOVE old.lock
WITH old
WHERE old.open AND old.fence = $fence
MERGE (s:Source {id: 'stream:' + toString(old.epoch + 1) + ':' + toString(old.partition)})
ON CREATE SET s.partition = old.partition, s.epoch = old.epoch + 1, s.offset = -1, s.events = 0,
              s.fence = old.fence + 1, s.owner = old.owner, s.lease_until = old.lease_until,
              s.open = true
SET old.fence = old.fence + 1
REMOVE old.open, old.owner, old.lease_until, old.token
RETURN s.partition AS partition, s.id AS source, s.epoch AS epoch, s.fence AS fence,
       s.offset AS offset, s.token AS token
"""


def begin_epoch(graph: Graph, held: Held) -> Held:
    """Close the partition's source and hold a new one, which has read nothing yet.

    Raises LeaseLostError. A repetition after a lost answer raises it too: the lease runs out,
    and whoever claims next finds the new source.
    """
    rows = graph.write(BEGIN_EPOCH, source=held.source, fence=held.fence)
    if not rows:
        raise _lost(held)
    return Held(**rows[0])


def _lost(held: Held) -> LeaseLostError:
    return LeaseLostError(
        f"partition {held.partition}: another reader holds it (fence {held.fence} is old)"
    )
