"""Answers: the person, what is barred, the scored pool, its best k, their reasons.

Two round trips: the person, then the candidates that `api.candidates` asks for. When the graph does
not answer, the version mapped in memory does, over its whole catalogue, and says so. It knows no
HTTP.
"""

from dataclasses import replace
from datetime import UTC, datetime

from api.answer import Answer, Query, Recommended
from api.boosts import boosted_pool, scaled
from api.candidates import Pool, barred_rows, pool_in_memory
from api.mapped import History, MappedVersion
from api.publication import query_vector
from api.reasons import Reason, reasons_for
from api.serving import Serving, UnmappedError
from graphdb.domain import Domain
from graphdb.filtering import EVERYTHING, Predicate, compile_filter, list_passing
from graphdb.paths import fetch_evidence
from graphdb.retrieval import fetch_candidates, fetch_person, fetch_showable, list_popular
from training.artifact import ArtifactError


class Recommender:
    """Personal lists from what serves."""

    def __init__(self, serving: Serving, domain: Domain) -> None:
        self._serving, self._domain = serving, domain
        self._graph = serving.graph

    def recommend(self, query: Query) -> Answer:
        """The best k for a person. Raises NothingPublishedError when nothing can be said."""
        answer = self._listed(query)
        if query.boosts and (answer.fallback or answer.degraded):
            # Only a list that is fresh and personal is ordered by them.
            return replace(answer, degraded=[*answer.degraded, "boost"])
        return answer

    def _listed(self, query: Query) -> Answer:
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
        barred = barred_rows(version, history, query)
        pool = boosted_pool(self._graph, self._domain, version, history, query, barred)
        return self._answer(version, query, history, pool)

    def _passing(self, query: Query) -> Predicate:
        return compile_filter(self._domain, query.filter) if query.filter else EVERYTHING

    def _emptied(self, query: Query) -> str | None:
        """Why an answer without items is empty, where there is a filter."""
        if query.filter is None:
            return None
        count = len(list_passing(self._graph, self._passing(query)))
        if not count:
            return "no item that may be shown passes the filter"
        return f"of the {count} items that pass the filter each was seen, excluded, or is too new"

    def _answer(
        self,
        version: MappedVersion,
        query: Query,
        history: History,
        pool: Pool,
        missing: str | None = None,
    ) -> Answer:
        """The best k, explained; missing: why it comes from memory alone."""
        rows = pool.rows[: query.k]
        factors = [pool.factors.get(int(row), 1.0) for row in rows]
        items = [
            Recommended(version.artifact.item_ids[row], rank, float(score), pool.sources(row))
            for rank, (row, score) in enumerate(zip(rows, pool.scores, strict=False), 1)
        ]
        if query.reasons and len(rows):
            explained = reasons_for(version, history, rows, query.reasons)
            counted = (
                scaled(score, reasons, factor)
                for (score, reasons), factor in zip(explained, factors, strict=True)
            )
            items = [
                replace(item, score=score, reasons=reasons)
                for item, (score, reasons) in zip(items, counted, strict=True)
            ]
        items = [replace(item, boost=f) for item, f in zip(items, factors, strict=True)]
        if missing is None and (query.reasons or query.fields):
            items = self._with_evidence(query, items)
        empty = None if items or missing else self._emptied(query)
        return Answer(version.id, version.as_of, items, None, [missing] if missing else [], empty)

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
        barred = barred_rows(version, history, query)
        ids = version.artifact.item_ids
        passing = set(list_passing(self._graph, self._passing(query))) if query.filter else None
        chosen: list[int] = []
        for start in range(0, len(version.popular), 4 * query.k):
            rows = [r for r in version.popular[start : start + 4 * query.k] if r not in barred]
            names = [ids[row] for row in rows]
            if passing is not None:
                showable = passing
            elif missing:
                showable = set(names) - version.withheld.now()
            else:
                showable = fetch_showable(self._graph, names)
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
        empty = None if items or missing else self._emptied(query)
        return Answer(version.id, version.as_of, items, "cold_start", degraded, empty)

    def _popular_in_graph(self, query: Query) -> Answer:
        """Without a version: items by their number of events."""
        count = query.k + len(query.exclude_ids)
        rows = list_popular(self._graph, count, self._passing(query))
        kept = [row for row in rows if row["id"] not in query.exclude_ids][: query.k]
        items = [
            Recommended(row["id"], rank, float(row["events"]), ["popular"])
            for rank, row in enumerate(kept, 1)
        ]
        if query.fields:
            items = self._with_evidence(query, items)
        empty = None if items else self._emptied(query)
        return Answer(None, None, items, "no_version", empty=empty)

    def _from_memory(self, version: MappedVersion, missing: str, query: Query) -> Answer:
        """The mapped version over its whole catalogue; nothing where there is a filter, for what
        passes it only the graph knows."""
        if query.filter:
            empty = "what passes the filter cannot be told from memory"
            return Answer(version.id, version.as_of, [], None, [missing, "filter"], empty)
        history = version.history(version.people.keys_of(query.user_id), [])
        if not history.row.nnz:
            return self._popular(version, query, history, missing)
        barred = barred_rows(version, history, query)
        return self._answer(
            version, query, history, pool_in_memory(version, history, barred), missing
        )
