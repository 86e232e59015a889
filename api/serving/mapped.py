"""The version that serves, in this process's memory: arrays, who is who, what is withheld.

It is what answers are scored with, and all that answers when the graph is down. The map from a
person's id to the key in the files is read from the graph and never written to disk.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np
import scipy.sparse as sp

from api.serving.index_space import Longest
from api.serving.people import People
from api.serving.withheld import Withheld
from graphdb.answers.retrieval import NewEvent
from graphdb.connection import Graph
from graphdb.versions.slots import indexed_fields
from training.artifact import Artifact, read_artifact


@dataclass(frozen=True)
class History:
    """One person as the scorer reads them.

    row: summed event weights [1, I]; residual: e [d] or None; seen: item rows that count as seen;
    types: the newest event type of an item row, where it is known; new: item rows with events
    beyond the version's cut; unknown: seen item ids that the version has never heard of.
    """

    row: sp.csr_matrix
    residual: np.ndarray | None
    seen: frozenset[int]
    types: dict[int, str] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()

    @property
    def residuals(self) -> np.ndarray | None:
        """The residual as the scorer takes it beside `row`: [1, d]."""
        return None if self.residual is None else self.residual[None, :]


@dataclass(frozen=True)
class MappedVersion:
    """An artifact and what the graph adds to it; `people` and `withheld` are kept up in place.
    longest: the items that are sought beside its vector index; indexed: the fields by which that
    can filter."""

    id: str
    slot: str
    artifact: Artifact
    item_rows: dict[str, int]
    user_rows: dict[str, int]
    people: People
    withheld: Withheld
    popular: np.ndarray
    longest: Longest
    indexed: frozenset[str] = frozenset()

    @property
    def cut(self) -> dict[str, int]:
        return self.artifact.model.cut

    @property
    def as_of(self) -> datetime:
        return self.artifact.model.as_of

    def rows_of(self, ids: Iterable[str]) -> set[int]:
        """The rows of those of these items that the version knows."""
        return {row for id in ids if (row := self.item_rows.get(id)) is not None}

    def history(
        self,
        keys: Sequence[str],
        events: list[NewEvent],
        totals: Mapping[str, float] = MappingProxyType({}),
    ) -> History:
        """A person's history in the version, with `events` from beyond its cut folded in.

        keys: their own, then those of everybody joined to them since the version's cut. The
        personal residual is the first one's who has one. totals: by item what all their events
        weigh together, where that is not the sum of the version's weight and the events'.
        """
        artifact = self.artifact
        users = [self.user_rows[key] for key in keys if key in self.user_rows]
        base = _row(artifact.history, users[0] if users else None)
        for user in users[1:]:
            base = sp.csr_matrix(base + _row(artifact.history, user))
        residual = (
            artifact.residuals[users[0]] if users and artifact.residuals is not None else None
        )
        seen = {item for user in users for item in _marked(artifact.seen, user)}
        if not events:
            return History(base, residual, frozenset(seen))
        added, types, unknown = self._fold(base, events, totals)
        marked = {e.item_id for e in events if e.seen}
        seen |= {self.item_rows[item] for item in marked - unknown}
        row, unheard = sp.csr_matrix(base + added), frozenset(marked & unknown)
        return History(row, residual, frozenset(seen), types, unheard)

    def _fold(
        self, base: sp.csr_matrix, events: list[NewEvent], totals: Mapping[str, float]
    ) -> tuple[sp.csr_matrix, dict[int, str], set[str]]:
        known = {item: row for item in totals if (row := self.item_rows.get(item)) is not None}
        rows = list(known.values())
        weights = [totals[item] - base[0, row] for item, row in known.items()]
        types, unknown = {}, set()
        for event in events:
            row = self.item_rows.get(event.item_id)
            if row is None:
                unknown.add(event.item_id)
                continue
            if event.event_type:
                types[row] = event.event_type
            if event.item_id not in totals:
                rows.append(row)
                weights.append(event.weight)
        shape = (1, len(self.artifact.item_ids))
        zeros = np.zeros(len(rows), dtype=np.int32)
        # Several events on one item add up; the scorer caps their sum.
        added = sp.coo_matrix((np.array(weights, np.float32), (zeros, rows)), shape)
        return added.tocsr(), types, unknown


def map_version(graph: Graph, version: str, slot: str, artifacts: Path) -> MappedVersion:
    """Load what serves. Raises ArtifactError when its files are not in `artifacts`."""
    artifact = read_artifact(artifacts / version)
    people, withheld = People(), Withheld(artifact.item_ids)
    people.renew(graph)
    withheld.renew(graph)
    return mapped(artifact, slot, people, withheld, indexed_fields(graph, slot))


def mapped(
    artifact: Artifact,
    slot: str,
    people: People,
    withheld: Withheld,
    indexed: frozenset[str] = frozenset(),
) -> MappedVersion:
    """An artifact ready to answer."""
    return MappedVersion(
        id=artifact.model.id,
        slot=slot,
        artifact=artifact,
        item_rows={item: row for row, item in enumerate(artifact.item_ids)},
        user_rows={key: row for row, key in enumerate(artifact.user_keys)},
        people=people,
        withheld=withheld,
        popular=np.argsort(-artifact.popularity, kind="stable"),
        longest=Longest.of(artifact.scorer.item_vectors, artifact.model.similarity),
        indexed=indexed,
    )


def _row(matrix: sp.csr_matrix, user: int | None) -> sp.csr_matrix:
    """[1, I]: a user's row, or an empty one. Scipy's own slicing takes several times as long."""
    start, end = (0, 0) if user is None else matrix.indptr[user : user + 2]
    entries = matrix.data[start:end], matrix.indices[start:end], np.array([0, end - start])
    return sp.csr_matrix(entries, (1, matrix.shape[1]))


def _marked(matrix: sp.csr_matrix, user: int) -> list[int]:
    """The columns in which a user's row is above zero."""
    span = slice(*matrix.indptr[user : user + 2])
    return matrix.indices[span][matrix.data[span] > 0].tolist()
