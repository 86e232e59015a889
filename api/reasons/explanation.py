"""Why an item stands where it does for a person, and what would change without some of their
events: the one scorer asked again.

An explanation's rank is the item's place among everything that may be shown to the person, who has
seen what they have seen: removed events change the score, not what is barred. It knows no HTTP.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import scipy.sparse as sp

from api.answers.answer import Query, Told
from api.answers.candidates import pool_in_memory
from api.answers.recommender import Recommender
from api.problems import InvalidError, NotFoundError
from api.reasons.evidence import beside
from api.reasons.reasons import Reason, reasons_for
from api.serving.mapped import History, MappedVersion
from api.serving.serving import Serving
from graphdb.domain import Domain


@dataclass(frozen=True)
class Judged:
    """An item's score, its place (None: it is not shown to this person) and its reasons."""

    score: float
    rank: int | None
    reasons: list[Reason]


@dataclass(frozen=True)
class Explanation:
    """as_it_is, and changed: the same without the events that were to be left out, if any;
    knowledge: what ties the item to the person."""

    model_version: str
    as_of: datetime
    as_it_is: Judged
    changed: Judged | None = None
    degraded: tuple[str, ...] = ()
    knowledge: list[dict[str, Any]] | None = None


def explain(
    serving: Serving,
    recommender: Recommender,
    domain: Domain,
    user_id: str,
    item_id: str,
    without: Collection[str],
    limit: int,
    told: Collection[Told] = (),
) -> Explanation:
    """Why the item for the person; without: items whose events are removed; limit: events named;
    told: what is told of each.

    Raises NotFoundError when the version knows nothing to explain, and InvalidError for an item in
    `without` that the person has no event on.
    """

    def in_graph() -> Explanation:
        version, person = recommender.who(Query(user_id))
        if version is None:
            raise NotFoundError("nothing is published yet: there is no score to explain")
        history = version.history(person.keys, person.events, person.totals)
        found = explained(version, history, item_id, without, limit)
        return _told(serving, domain, version, user_id, item_id, told, found)

    def in_memory(version: MappedVersion) -> Explanation:
        history = version.history(version.people.keys_of(user_id), [])
        found = explained(version, history, item_id, without, limit)
        return replace(found, degraded=("graph",))

    return serving.answer(in_graph, None, in_memory)


def explained(
    version: MappedVersion, history: History, item_id: str, without: Collection[str], limit: int
) -> Explanation:
    """The explanation for one history, of a person or of a list that was served."""
    row = version.item_rows.get(item_id)
    if row is None:
        raise NotFoundError(f"the version that serves knows no item {item_id[:80]!r}")
    if not history.row.nnz:
        raise NotFoundError("no events of this person count here: there is nothing to explain")
    before = _judged(version, history, row, limit)
    if not without:
        return Explanation(version.id, version.as_of, before)
    removed = _rows_of(version, history, without)
    after = _judged(version, without_events(history, removed), row, limit)
    return Explanation(version.id, version.as_of, before, after)


def without_events(history: History, rows: Sequence[int]) -> History:
    """The history as if nothing had happened on these item rows; what is seen stays seen."""
    kept = ~np.isin(history.row.indices, rows)
    columns = history.row.indices[kept]
    entries = (history.row.data[kept], (np.zeros(len(columns), np.int32), columns))
    return replace(history, row=sp.csr_matrix(entries, history.row.shape))


def _judged(version: MappedVersion, history: History, row: int, limit: int) -> Judged:
    [(score, reasons)] = reasons_for(version, history, np.array([row]), limit)
    pool = pool_in_memory(version, history, history.seen)
    places = np.flatnonzero(pool.rows == row)
    return Judged(score, int(places[0]) + 1 if len(places) else None, reasons)


def _rows_of(version: MappedVersion, history: History, without: Collection[str]) -> list[int]:
    touched = set(history.row.indices.tolist())
    rows = {item: version.item_rows.get(item) for item in without}
    strange = [item for item, row in rows.items() if row not in touched]
    if strange:
        sentence = "expected an item that an event of this person counts on"
        errors = [{"field": "query.without", "detail": f"{i[:80]!r}: {sentence}"} for i in strange]
        raise InvalidError(f"without: {sentence}", errors)
    return [row for row in rows.values() if row is not None]


def _told(
    serving: Serving,
    domain: Domain,
    version: MappedVersion,
    user_id: str,
    item_id: str,
    told: Collection[Told],
    found: Explanation,
) -> Explanation:
    """With what the graph has on the events."""
    judged = [found.as_it_is, *([found.changed] if found.changed else [])]
    reasons = {item_id: [reason for one in judged for reason in one.reasons]}
    evidence = beside(serving.graph, domain, version, user_id, told, reasons)
    now, *then = (replace(one, reasons=evidence.of_reasons(item_id, one.reasons)) for one in judged)
    knowledge = evidence.of_item(item_id)
    return replace(found, as_it_is=now, changed=then[0] if then else None, knowledge=knowledge)
