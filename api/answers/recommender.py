"""Answers: the person, what is barred, the scored pool, its best k, their reasons.

Two round trips: the person, then the candidates that `api.answers.candidates` asks for. When the
graph does not answer, the version mapped in memory does, over its whole catalogue; when the
version's files cannot be read, what was published into the graph does; for whom nothing personal is
known, `api.answers.impersonal`. An answer says so. It knows no HTTP.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np

from api.answers.answer import Answer, NothingPublishedError, Query, Recommended
from api.answers.boosts import boosted_pool
from api.answers.candidates import EXACT, LOOKED_AT, Pool, barred_rows, pool_in_memory
from api.answers.fallback import Showable, allowed, fill, ranked
from api.answers.impersonal import Impersonal, emptied
from api.answers.listing import listed, with_evidence
from api.answers.newcomers import Newcomers
from api.answers.ordering import ordered, ordered_on
from api.answers.rankings import Rankings
from api.answers.rules import Arranged, Ruled, Rules, ruled_out
from api.answers.sources import Sources
from api.serving.index_space import query_vector
from api.serving.mapped import History, MappedVersion
from api.serving.serving import Serving, UnmappedError
from graphdb.answers.candidates import fetch_candidates
from graphdb.answers.paths import UNREAD, Known, fetch_evidence
from graphdb.answers.retrieval import Person, fetch_person, fetch_showable
from graphdb.answers.rules import check_rules
from graphdb.answers.ties import list_ties
from graphdb.answers.walks import list_walked
from graphdb.domain import Domain
from graphdb.errors import GraphUnavailableError, IndexLostError
from ingest.stream.served import ServedLists

log = logging.getLogger(__name__)

IRRELEVANT = "no item is as relevant as min_relevance asks"


class Recommender:
    """Personal lists from what serves."""

    def __init__(self, serving: Serving, domain: Domain, lists: ServedLists | None = None) -> None:
        self._serving, self._domain = serving, domain
        self._graph, self._warmed = serving.graph, ""
        self.rankings = Rankings(domain, serving.home / "rankings.json")
        self._rules = Rules(serving.graph, domain, lists)
        self._sources = Sources(serving.graph, domain)
        self._impersonal = Impersonal(serving.graph, domain, self.rankings, self._rules)
        self._newcomers = Newcomers(serving.graph, domain, self._rules)
        self._walking = bool(domain.walks.knowledge or domain.walks.social)
        self._unruled, self._checked = ["rules"] if domain.rules else [], False

    def recommend(self, query: Query) -> Answer:
        """The best k for a person. Raises NothingPublishedError when nothing can be said."""
        answer = self._listed(query)
        asked = [*(["boost"] if query.boosts else []), *query.dials.turned()]
        if asked and (answer.fallback or {"graph", "artifact"}.intersection(answer.degraded)):
            # Only a list that is fresh and personal is ordered by them.
            return replace(answer, degraded=[*answer.degraded, *asked])
        return answer

    def _listed(self, query: Query) -> Answer:
        # One that is asked for by name is stood in for by no other.
        published = None if query.model_version is not None else self._impersonal.from_publication
        try:
            return self._serving.answer(self._from_graph, published, self._from_memory, query)
        except (NothingPublishedError, GraphUnavailableError):
            if query.filter or query.model_version is not None:  # which only the graph knows
                raise
            seen = {event.item_id for event in query.session if event.seen and query.exclude_seen}
            barred = query.exclude_ids | seen | self._serving.withheld().now()
            static = ("static", lambda: self.rankings.of("popular"))
            items, link = fill([static], query.k, barred)
            if not items:
                raise
            return Answer(None, None, items, link, ["graph", *self._unruled])

    def ranking(self, name: str, query: Query) -> Answer:
        """The first k of a ranking that may be shown to anybody."""

        def shown(showable: Showable) -> list[Recommended]:
            links = [(name, lambda: allowed(self.rankings.of(name), showable))]
            return fill(links, query.k, query.exclude_ids)[0]

        def in_graph() -> Answer:
            items = shown(lambda ids: fetch_showable(self._graph, ids))
            if query.fields:
                items = with_evidence(self._graph, self._domain, query, items)
            return Answer(None, self.rankings.as_of, items)

        try:
            return self._serving.breaker.call(in_graph)
        except GraphUnavailableError:
            withheld = self._serving.withheld().now()
            items = shown(lambda ids: set(ids) - withheld)
            return Answer(None, self.rankings.as_of, items, None, ["graph"])

    def warm(self) -> None:
        """Have the server plan an answer's statements before anybody waits for one; once a version,
        for each slot has statements of its own. Sources and rules are checked."""
        self._check()
        version = self._serving.version
        if version is None or version.id == self._warmed or not version.artifact.item_ids:
            return
        fetch_person(self._graph, self._domain, "", version.cut, version.as_of)
        vector = query_vector(
            version.artifact.scorer.item_vectors[0], version.artifact.model.similarity
        )
        first = version.artifact.item_ids[:1]
        if any(vector):
            with suppress(IndexLostError):  # answers do without it, and say so
                fetch_candidates(self._graph, version.id, version.slot, vector, 1, first)
        fetch_evidence(self._graph, self._domain, "", first, first)
        list_walked(self._graph, self._domain, "", first)
        for knowledge in (False, True):
            list_ties(self._graph, self._domain, version.slot, "", [], first, knowledge=knowledge)
        self._warmed = version.id

    def _check(self) -> None:
        """Have the graph judge rules and sources; once."""
        self._sources.check()
        if not self._checked:
            for name, why in check_rules(self._graph, self._domain).items():
                log.warning("rule %s cannot act yet: %s", name, why)
            self._checked = True

    def close(self) -> None:
        """Ask sources and rules no more."""
        self._sources.close()
        self._rules.close()

    def who(self, query: Query) -> tuple[MappedVersion | None, Person]:
        """The version that serves or was asked for, and the person with the session's events.
        Raises UnmappedError when another version is in memory, InvalidError for one that there is
        not."""
        asked = query.model_version
        version = self._serving.version if asked is None else self._serving.pinned(asked)
        cut, as_of = (version.cut, version.as_of) if version else ({}, datetime.now(UTC))
        person = fetch_person(
            self._graph, self._domain, query.user_id, cut, as_of, told=query.reasons > 0
        )
        person = replace(person, events=[*person.events, *query.session])
        if asked is not None or person.version is None:
            return version, person
        if version is None or version.id != person.version:
            raise UnmappedError(person.version, person.slot)
        return version, person

    def _from_graph(self, query: Query) -> Answer:
        version, person = self.who(query)
        if version is None:
            seen = [event.item_id for event in person.events if event.seen]
            return self._impersonal.answer(None, query, seen, ids=person.ids)
        history = version.history(person.keys, person.events, person.totals)
        if not history.row.nnz:
            seen = _seen(version, history)
            return self._impersonal.answer(version, query, seen, ids=person.ids)
        asking = self._domain.sources or self._walking
        recent = _recent(version, history, person) if asking else []
        sourced, silent = self._sources.find(person.id, recent)
        walked = self._walked(version, history, person, recent) if self._walking else {}
        ruled = self._rules.of(query.user_id, person.ids)
        barred, never = barred_rows(version, history, query), version.rows_of(ruled.never)
        brought = {**walked, **sourced, **ruled.placed}
        shared = (self._graph, self._domain, version, history)
        pooled = partial(boosted_pool, *shared, query, barred | never, brought)
        pool, chosen, arranged = pooled(), None, Arranged([], {}, {})
        if self._rules.arranging:
            chosen, arranged = self._arranged(version, query, history, pool, ruled)
            if len(chosen.rows) < query.k <= len(pool.rows) < LOOKED_AT:
                pool = pooled(reach=LOOKED_AT)
                chosen, arranged = self._arranged(version, query, history, pool, ruled)
        answer = self._answer(version, query, history, pool, None, chosen, person.known)
        items, acted = arranged.marked(answer.items), arranged.acted
        if ruled.barred:
            ids = version.artifact.item_ids
            found = {ids[row] for rows in pool.found.values() for row in rows if row not in barred}
            acted = ruled.held_back(found) | acted
        empty = answer.empty if answer.items or len(pool.rows) else ruled_out(acted) or answer.empty
        degraded = [*silent, *ruled.untold, *(["index"] if EXACT in pool.found else [])]
        answer = replace(answer, items=items, degraded=degraded, rules=acted, empty=empty)
        return self._newcomers.fill(answer, version, query, ruled, history.unknown)

    def _walked(
        self, version: MappedVersion, history: History, person: Person, recent: Sequence[str]
    ) -> dict[str, list[str]]:
        """What walks find, from the items that speak for what the person likes."""
        liked = set(history.row.indices[history.row.data > 0].tolist())
        items = [item for item in recent if version.item_rows.get(item) in liked]
        return list_walked(self._graph, self._domain, person.id, items)

    def _arranged(
        self, version: MappedVersion, query: Query, history: History, pool: Pool, ruled: Ruled
    ) -> tuple[Pool, Arranged]:
        """The best k of the pool as the rules have them."""
        placed = version.rows_of(item for ids in ruled.placed.values() for item in ids)
        every = ordered_on(self._graph, self._domain, version, history, query, pool, placed)
        ids = [version.artifact.item_ids[row] for row in every.rows]
        arranged = self._rules.arranged(ids, query, ruled)
        return every.taken(np.array(arranged.places, np.int64)), arranged

    def _answer(
        self,
        version: MappedVersion,
        query: Query,
        history: History,
        pool: Pool,
        missing: str | None = None,
        chosen: Pool | None = None,
        known: Known = UNREAD,
    ) -> Answer:
        """The best k, explained; missing: why it comes from memory alone; chosen: the best as rules
        have them, where these are heeded; known: what was read of the person for reasons."""
        if chosen is None:
            graph = None if missing else self._graph
            chosen = ordered(graph, self._domain, version, history, query, pool)
        items = listed(version, history, query, chosen)
        if missing is None and (query.reasons or query.fields):
            items = with_evidence(self._graph, self._domain, query, items, version, known)
        empty = None
        if not items and missing is None:
            left = query.dials.min_relevance and len(pool.rows)
            empty = IRRELEVANT if left else emptied(self._graph, self._domain, query)
        degraded = [missing] if missing else []
        return Answer(version.id, version.as_of, items, None, degraded, empty)

    def _from_memory(self, version: MappedVersion, query: Query) -> Answer:
        """The mapped version over its whole catalogue; nothing where there is a filter, for what
        passes it only the graph knows. Raises GraphUnavailableError when another is asked for."""
        if query.model_version not in (None, version.id):
            raise GraphUnavailableError(f"version {query.model_version} cannot be read now")
        if query.filter:
            empty = "what passes the filter cannot be told from memory"
            degraded = ["graph", "filter", *self._unruled]
            return Answer(version.id, version.as_of, [], None, degraded, empty)
        history = version.history(version.people.keys_of(query.user_id), list(query.session))
        if not history.row.nnz:
            withheld = version.withheld.now()
            chain = ranked(self.rankings, version, lambda ids: set(ids) - withheld)
            seen = _seen(version, history) if query.exclude_seen else set()
            items, link = fill(chain, query.k, query.exclude_ids | seen)
            return Answer(version.id, version.as_of, items, link, ["graph", *self._unruled])
        barred = barred_rows(version, history, query)
        pool = pool_in_memory(version, history, barred)
        answer = self._answer(version, query, history, pool, "graph")
        answer = replace(answer, degraded=["graph", *self._unruled])
        # A session brings all its events; of a person the newest are in the graph alone.
        return answer if query.session else replace(answer, fallback="published")


def _seen(version: MappedVersion, history: History) -> set[str]:
    """Ids of what the person has seen, which the version need not know."""
    return {version.artifact.item_ids[row] for row in history.seen} | history.unknown


def _recent(version: MappedVersion, history: History, person: Person) -> list[str]:
    """The items that count for the person: the newest known first, then the heaviest."""
    newest = [event.item_id for event in reversed(person.events)]
    heaviest = history.row.indices[(-history.row.data).argsort(kind="stable")]
    return [*dict.fromkeys([*newest, *(version.artifact.item_ids[row] for row in heaviest)])]
