"""The reader of the stream: a fair share of its partitions, each read by a thread of its own.

Who reads what stands in the graph as leases; who lives is said in the stream, and is advice only: a
wrong guess costs a moment, never a row. It knows nothing of what is done with a partition's rows.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.events.partitions import claim_partition, list_partitions, open_partitions
from graphdb.schema import create_schema
from ingest.stream.dead_letters import DeadLetters
from ingest.stream.fail_points import reach
from ingest.stream.partition_reader import NOT_NOW, PartitionReader, Terms
from ingest.stream.served import ServedLists
from ingest.stream.stream import EventStream

log = logging.getLogger(__name__)

BALANCE_S = 1.0


@dataclass
class _Reading:
    """A partition's thread, and how it is told to end."""

    thread: threading.Thread
    stopping: threading.Event


class Consumer:
    """One process's share of the stream. `name` must be this process's alone."""

    def __init__(
        self,
        graph: Graph,
        domain: Domain,
        stream: EventStream,
        letters: DeadLetters,
        name: str,
        terms: Terms,
    ) -> None:
        self._graph, self._domain, self._stream, self._letters = graph, domain, stream, letters
        self._name, self._terms = name, terms
        self._readings: dict[int, _Reading] = {}
        self._prepared = False
        self._writing = threading.Lock()

    def run(self, stopping: threading.Event) -> None:
        """Read until `stopping` is set, then let go of everything; what is down is waited for."""
        lists = threading.Thread(
            target=_again, args=(self._write_lists, stopping), name="served-lists"
        )
        lists.start()
        _again(self.balance, stopping)
        lists.join()
        self.close()

    def _write_lists(self) -> None:
        """Lists that no event has named yet."""
        if self._prepared:
            ServedLists(self._stream).write_all(self._graph)

    def balance(self) -> None:
        """Claim what is free, or let go of what is too much, until this is a fair share."""
        members = self._stream.meet(self._name, self._terms.lease_s)
        if not self._prepared:
            # The constraints are what makes writing the same event twice impossible.
            create_schema(self._graph, self._domain)
            open_partitions(self._graph, self._stream.partitions())
            self._prepared = True
        self._readings = {p: r for p, r in self._readings.items() if r.thread.is_alive()}
        share = fair_share(self._stream.partitions(), members, self._name)
        for partition in sorted(self._readings)[share:]:
            self._readings[partition].stopping.set()
        if len(self._readings) < share:
            self._claim(share)

    def _claim(self, share: int) -> None:
        partitions = self._stream.partitions()
        for row in list_partitions(self._graph):
            if len(self._readings) >= share:
                return
            if row["owner"] is not None or row["partition"] >= partitions:
                continue
            held = claim_partition(self._graph, row["source"], self._name, self._terms.lease_s)
            if held is not None and held.partition not in self._readings:
                reach("consumer.claimed")
                log.info("partition %d from %d on", held.partition, held.offset + 1)
                stopping = threading.Event()
                reader = PartitionReader(
                    self._graph,
                    self._domain,
                    self._stream,
                    self._letters,
                    held,
                    self._terms,
                    stopping,
                    self._writing,
                )
                thread = threading.Thread(target=reader.run, name=f"partition-{held.partition}")
                self._readings[held.partition] = _Reading(thread, stopping)
                thread.start()

    def close(self) -> None:
        """Finish the batches under way and release every partition."""
        for reading in self._readings.values():
            reading.stopping.set()
        for reading in self._readings.values():
            reading.thread.join()
        self._readings.clear()
        try:
            self._stream.leave(self._name)
        except NOT_NOW as error:
            log.warning("%s", error)


def fair_share(partitions: int, members: list[str], name: str) -> int:
    """How many of the partitions this member reads; all members' shares add up to all of them."""
    each, more = divmod(partitions, len(members))
    return each + (members.index(name) < more)


def _again(step: Callable[[], None], stopping: threading.Event) -> None:
    """Step after step until `stopping` is set; what is wrong is said when it begins and ends."""
    wrong = ""
    while not stopping.is_set():
        before = wrong
        try:
            step()
            wrong = ""
        except NOT_NOW as error:
            wrong = str(error)
        except Exception as error:
            wrong = f"an error of ours: {type(error).__name__}"
        if wrong != before:
            log.warning("%s", wrong or "goes on")
        stopping.wait(BALANCE_S)
