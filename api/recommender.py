"""Answers: candidates from the graph, scored by the one scorer, with their reasons.

Two round trips: the person, then candidates by vector index and by the person's item–item
weights, minus what they have seen and what is hidden. When the graph does not answer, the version
mapped in memory does, over its whole catalogue, and says so. It knows no HTTP.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from api.answer import Answer, Query, Recommended
from api.mapped import History, MappedVersion
from api.publication import query_vector
from api.reasons import Reason, reasons_for
from api.serving import Serving, UnmappedError
from graphdb.domain import Domain
from graphdb.errors import GraphUnavailableError
from graphdb.paths import fetch_evidence
from graphdb.retrieval import fetch_candidates, fetch_person, fetch_showable, list_popular
from training.artifact import ArtifactError

NEAR, WALKED = 200, 200
"""Candidates asked of each half beyond what was seen: the union of the best 300 lost nothing."""


@dataclass
class Scored:
    """Item rows, best first, with their scores and where each came from."""

    rows: np.ndarray
    scores: np.ndarray
    sources: list[list[str]]


class Recommender:
    """Personal lists from what serves."""

    def __init__(self, serving: Serving, domain: Domain) -> None:
        self._serving, self._domain = serving, domain
        self._graph = serving.graph

    def recommend(self, query: Query) -> Answer:
        """The best k for a person. Raises NothingPublishedError when nothing can be said."""
        try:
            return self._serving.answer(self._from_graph, self._from_memory, query)
        except ArtifactError:
            answer = self._serving.breaker.call(self._popular_in_graph, query)
            return replace(answer, degraded=["artifact"])

    def warm(self) -> None:
        """Have the server plan an answer's statements before anybody waits for one."""
        version = self._serving.version
        if version is None or not version.artifact.item_ids:
            return
        fetch_person(self._graph, self._domain, "", version.cut, version.as_of)
        vector = query_vector(
            version.artifact.scorer.item_vectors[0], version.artifact.model.similarity
        )
        first = version.artifact.item_ids[:1]
        if any(vector):
            fetch_candidates(self._graph, version.id, version.slot, vector, 1, first)
        fetch_evidence(self._graph, self._domain, "", first, first)

    def _from_graph(self, query: Query) -> Answer:
        version = self._serving.version
        cut, as_of = (version.cut, version.as_of) if version else ({}, datetime.now(UTC))
        person = fetch_person(self._graph, self._domain, query.user_id, cut, as_of)
        if person.version is None:
            return self._popular_in_graph(query)
        if version is None or version.id != person.version:
            raise UnmappedError(person.version, person.slot)
        history = version.history(person.keys, person.events, person.totals)
        if not history.row.nnz:
            return self._popular(version, query, history)
        scored = self._candidates(version, history, query)
        return self._answer(version, query, history, scored)

    def _candidates(self, version: MappedVersion, history: History, query: Query) -> Scored:
        """The best of both halves, scored whole; None when the version is gone."""
        scorer, model = version.artifact.scorer, version.artifact.model
        barred = _barred(version, history, query)
        user = scorer.user_vectors(history.row, _rows(history.residual))[0]
        catalogue = len(version.artifact.item_ids)
        near_count, walk_count = NEAR + len(barred) + query.k, WALKED + query.k
        walk = self._walk(version, history, barred)
        while True:
            found = fetch_candidates(
                self._graph,
                version.id,
                version.slot,
                query_vector(user, model.similarity),
                min(near_count, max(catalogue, 1)),
                [version.artifact.item_ids[row] for row in walk[:walk_count]],
            )
            if found is None:  # flipped away and its slot taken since the person was read
                raise GraphUnavailableError(f"version {version.id} is gone")
            scored = _score(version, history, query, barred, found)
            if len(scored.rows) >= query.k or near_count >= catalogue:
                return scored
            near_count, walk_count = 4 * near_count, 4 * walk_count

    def _walk(
        self, version: MappedVersion, history: History, barred: Collection[int]
    ) -> np.ndarray:
        """Item rows reached by the version's item–item weights, strongest first."""
        scorer = version.artifact.scorer
        reached = scorer.capped(history.row) @ scorer.similar
        order = np.argsort(-reached.data, kind="stable")
        rows = reached.indices[order][reached.data[order] > 0]
        return rows[~np.isin(rows, list(barred))]

    def _answer(
        self,
        version: MappedVersion,
        query: Query,
        history: History,
        scored: Scored,
        missing: str | None = None,
    ) -> Answer:
        """The best k, explained; missing: why it comes from memory alone."""
        rows = scored.rows[: query.k]
        ids = [version.artifact.item_ids[row] for row in rows]
        items = [
            Recommended(item, rank, float(score), sources)
            for rank, (item, score, sources) in enumerate(
                zip(ids, scored.scores, scored.sources, strict=False), 1
            )
        ]
        if query.reasons and len(rows):
            explained = reasons_for(version, history, rows, query.reasons)
            items = [
                replace(item, score=score, reasons=reasons)
                for item, (score, reasons) in zip(items, explained, strict=True)
            ]
        if missing is None and (query.reasons or query.fields):
            items = self._with_evidence(query, items)
        return Answer(version.id, version.as_of, items, None, [missing] if missing else [])

    def _with_evidence(self, query: Query, items: list[Recommended]) -> list[Recommended]:
        """Names and times for reasons, fields for items: one read for the whole list."""
        named = {r.item_id for item in items for r in item.reasons if r.item_id}
        shown = named | ({item.id for item in items} if query.fields else set())
        latest, fields = fetch_evidence(
            self._graph, self._domain, query.user_id, sorted(named), sorted(shown)
        )
        title = self._domain.title_field

        def told(reason: Reason) -> Reason:
            if reason.item_id is None:
                return reason
            event_type, at = latest.get(reason.item_id, (reason.event_type, None))
            name = fields.get(reason.item_id, {}).get(title) if title else None
            return replace(reason, event_type=event_type, at=at, title=name)

        return [
            replace(
                item,
                reasons=[told(reason) for reason in item.reasons],
                item=fields.get(item.id, {}) if query.fields else None,
            )
            for item in items
        ]

    def _popular(
        self,
        version: MappedVersion,
        query: Query,
        history: History,
        missing: str | None = None,
    ) -> Answer:
        """The version's popular list; missing: why the graph is not asked what is hidden."""
        barred = _barred(version, history, query)
        ids = version.artifact.item_ids
        chosen: list[int] = []
        for start in range(0, len(version.popular), 4 * query.k):
            rows = [r for r in version.popular[start : start + 4 * query.k] if r not in barred]
            names = [ids[row] for row in rows]
            showable = (
                set(names) - version.withheld.now()
                if missing
                else fetch_showable(self._graph, names)
            )
            chosen += [row for row, name in zip(rows, names, strict=True) if name in showable]
            if len(chosen) >= query.k:
                break
        items = [
            Recommended(ids[row], rank, float(version.artifact.popularity[row]), ["popular"])
            for rank, row in enumerate(chosen[: query.k], 1)
        ]
        if query.fields and missing is None:
            items = self._with_evidence(query, items)
        degraded = [missing] if missing else []
        return Answer(version.id, version.as_of, items, "cold_start", degraded)

    def _popular_in_graph(self, query: Query) -> Answer:
        """Without a version: items by their number of events."""
        rows = list_popular(self._graph, query.k + len(query.exclude_ids))
        kept = [row for row in rows if row["id"] not in query.exclude_ids][: query.k]
        items = [
            Recommended(row["id"], rank, float(row["events"]), ["popular"])
            for rank, row in enumerate(kept, 1)
        ]
        if query.fields:
            items = self._with_evidence(query, items)
        return Answer(None, None, items, "no_version")

    def _from_memory(self, version: MappedVersion, missing: str, query: Query) -> Answer:
        """The mapped version over its whole catalogue."""
        history = version.history(version.people.keys_of(query.user_id), [])
        if not history.row.nnz:
            return self._popular(version, query, history, missing)
        withheld = version.withheld.now()
        shown = [i for i in version.artifact.item_ids if i not in withheld]
        barred = _barred(version, history, query)
        scored = _score(version, history, query, barred, (shown, []))
        started = replace_sources(scored, "memory")
        return self._answer(version, query, history, started, missing)


def replace_sources(scored: Scored, source: str) -> Scored:
    """The same rows, all from `source`."""
    return Scored(scored.rows, scored.scores, [[source] for _ in scored.sources])


def _barred(version: MappedVersion, history: History, query: Query) -> set[int]:
    """Item rows that must not be shown to this person."""
    rows = {version.item_rows[i] for i in query.exclude_ids if i in version.item_rows}
    return rows | history.seen if query.exclude_seen else rows


def _score(
    version: MappedVersion,
    history: History,
    query: Query,
    barred: Collection[int],
    found: tuple[list[str], list[str]],
) -> Scored:
    """The union of the candidates that are not barred, scored whole, best first."""
    near, walked = ({version.item_rows[i] for i in ids if i in version.item_rows} for ids in found)
    rows = np.array(sorted((near | walked) - set(barred)), dtype=np.int64)
    scorer = version.artifact.scorer
    scores = scorer.scores(history.row, _rows(history.residual), rows)[0]
    order = np.argsort(-scores, kind="stable")[: query.k]
    sources = [
        [name for name, half in (("vector", near), ("similar", walked)) if row in half]
        for row in rows[order]
    ]
    return Scored(rows[order], scores[order], sources)


def _rows(residual: np.ndarray | None) -> np.ndarray | None:
    return None if residual is None else residual[None, :]
