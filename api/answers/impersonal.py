"""Answers when a list cannot be a person's own, from the graph: api.answers.fallback's links.

For want of events that count, of a version, or of the version's files. It knows no scorer.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from api.answers.answer import Answer, Query, Recommended
from api.answers.fallback import Link, Showable, fill, ranked
from api.answers.listing import with_evidence
from api.answers.newcomers import SOURCE, Newcomers
from api.answers.rankings import Rankings, Scored
from api.answers.rules import Ruled, Rules, ruled_out
from api.serving.mapped import MappedVersion
from graphdb.answers.filtering import compile_filter, list_passing
from graphdb.answers.profiles import list_by_profile
from graphdb.answers.retrieval import fetch_person, fetch_showable, list_popular
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.versions.published import list_near_published, list_similar_to_all

WIDE = 2_000
"""Items asked of a link of the fallback chain where a filter, or rules, are still to be heeded."""


class Impersonal:
    """The fallback chain on one graph."""

    def __init__(self, graph: Graph, domain: Domain, rankings: Rankings, rules: Rules) -> None:
        self._graph, self._domain, self._rankings = graph, domain, rankings
        self._rules, self._newcomers = rules, Newcomers(graph, domain, rules)

    def answer(
        self,
        version: MappedVersion | None,
        query: Query,
        seen: Collection[str],
        links: Sequence[Link] = (),
        ids: Sequence[str] = (),
    ) -> Answer:
        """From the graph: `links`, then profile, what trends, what is popular; ids: the person's
        own and those joined to it."""
        ruled = self._rules.of(query.user_id, ids)
        barred = query.exclude_ids | (set(seen) if query.exclude_seen else set())
        never, met = ruled.never - barred, set()
        barred |= never
        k = WIDE if self._rules.arranging else query.k
        passes = compile_filter(self._domain, query.filter)
        passing = set(list_passing(self._graph, passes)) if query.filter else None
        room = len(barred) + (k if passing is None else WIDE)

        def by_profile() -> Iterable[Scored]:
            rows = list_by_profile(self._graph, self._domain, query.user_id, room)
            return [(row["id"], row["score"]) for row in rows]

        def by_degree() -> Iterable[Scored]:
            rows = list_popular(self._graph, self._domain, k + len(barred), passes)
            return [(row["id"], float(row["events"])) for row in rows]

        def showable(ids: list[str]) -> Collection[str]:
            return fetch_showable(self._graph, ids) if passing is None else passing

        def kept(scored: Callable[[], Iterable[Scored]]) -> Callable[[], Iterable[Scored]]:
            return scored if passing is None else lambda: _among(passing, scored())

        def noted(scored: Callable[[], Iterable[Scored]]) -> Callable[[], Iterable[Scored]]:
            def each() -> Iterator[Scored]:
                for item, score in scored():
                    if item in never:
                        met.add(item)
                    yield item, score

            return each

        chain = [
            *((name, kept(scored)) for name, scored in [*links, ("profile", by_profile)]),
            *ranked(self._rankings, version, showable),
        ]
        if version is None:  # what was not ranked yet is read now
            chain.append(("popular", by_degree))
        elif passing is not None:
            newest = self._newcomers.passing
            chain.append((SOURCE, lambda: [(item, None) for item in newest(version, query)]))
        chain = [(name, noted(scored)) for name, scored in chain] if never else chain
        items, link = fill(chain, k, barred)
        acted = ruled.held_back(met)
        if self._rules.arranging:
            items, more = self._arranged(query, items, ruled, barred, showable)
            acted |= more
        if query.fields:
            items = with_evidence(self._graph, self._domain, query, items)
        empty = None
        if not items:
            empty = ruled_out(acted) or emptied(self._graph, self._domain, query)
        answer = Answer(None, None, items, link, [*ruled.untold], empty, acted)
        if version is None:
            return answer
        return replace(answer, model_version=version.id, as_of=version.as_of)

    def _arranged(
        self,
        query: Query,
        items: list[Recommended],
        ruled: Ruled,
        barred: Collection[str],
        showable: Showable,
    ) -> tuple[list[Recommended], dict[str, int]]:
        """The list as the rules have it; what they place need not be in it."""
        known = {item.id for item in items} | set(barred)
        placed = {id: rule for rule, ids in ruled.placed.items() for id in ids if id not in known}
        shown = sorted(set(showable([*placed])) & set(placed)) if placed else []
        every = [*items, *(Recommended(id, 0, 0.0, [placed[id]]) for id in shown)]
        ids = [item.id for item in every]
        arranged = self._rules.arranged(ids, query, ruled, spare=len(items))
        chosen = arranged.marked([every[place] for place in arranged.places])
        return [replace(item, rank=rank) for rank, item in enumerate(chosen, 1)], arranged.acted

    def from_publication(self, query: Query) -> Answer:
        """Without the version's files: its vectors and item–item weights in the graph."""
        graph, now = self._graph, datetime.now(UTC)
        person = fetch_person(graph, self._domain, query.user_id, {}, now)
        events = [*person.events, *query.session]
        seen = [event.item_id for event in events if event.seen]
        barred = [*query.exclude_ids, *(seen if query.exclude_seen else ())]
        room = WIDE if query.filter or self._domain.rules else query.k
        weights: dict[str, float] = {}
        for event in events:
            weights[event.item_id] = weights.get(event.item_id, 0.0) + event.weight
        weights |= person.totals

        def near() -> Iterable[Scored]:
            rows = list_near_published(graph, person.slot, person.keys, room, barred)
            return [(row["id"], row["score"]) for row in rows]

        def walked() -> Iterable[Scored]:
            rows = list_similar_to_all(graph, person.slot, weights, room, barred)
            return [(row["id"], row["score"]) for row in rows]

        links = [("published", near), ("session", walked)] if person.version else []
        answer = self.answer(None, query, seen, links, person.ids)
        degraded = ["artifact", *answer.degraded]
        return replace(answer, model_version=person.version, degraded=degraded)


def emptied(graph: Graph, domain: Domain, query: Query) -> str | None:
    """Why an answer without items is empty, where there is a filter."""
    if query.filter is None:
        return None
    count = len(list_passing(graph, compile_filter(domain, query.filter)))
    if not count:
        return "no item that may be shown passes the filter"
    new = ", or is too new to be relevant" if query.dials.min_relevance else ""
    return f"of the {count} items that pass the filter each was seen or excluded{new}"


def _among(passing: Collection[str], scored: Iterable[Scored]) -> Iterator[Scored]:
    return (pair for pair in scored if pair[0] in passing)
