"""Items that came after the version, at the end of a filtered list that is short without them.

Of such an item it is known that it may be shown and passes the filter, nothing else: it has no
score and no reasons, and stands behind everything that has, the newest first. It is in the graph
alone, so that a list from memory has none.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from api.answers.answer import Answer, Query, Recommended
from api.answers.listing import with_evidence
from api.answers.rules import Ruled, Rules, ruled_out
from api.serving.mapped import MappedVersion
from graphdb.answers.filtering import compile_filter, list_newest
from graphdb.connection import Graph
from graphdb.domain import Domain

SOURCE = "latest"


class Newcomers:
    """The newest items of one graph."""

    def __init__(self, graph: Graph, domain: Domain, rules: Rules) -> None:
        self._graph, self._domain, self._rules = graph, domain, rules

    def passing(self, version: MappedVersion, query: Query) -> list[str]:
        """Those that pass the query's filter, the newest first."""
        found = list_newest(self._graph, compile_filter(self._domain, query.filter))
        return [item for item in found if item not in version.item_rows]

    def fill(
        self,
        answer: Answer,
        version: MappedVersion,
        query: Query,
        ruled: Ruled,
        seen: Collection[str],
    ) -> Answer:
        """The answer with as many as it lacks, if rules let them; seen: of what is newer than the
        version. What min_relevance leaves out is not made up for: they are of none."""
        held = len(answer.items)
        if query.filter is None or held >= query.k or query.dials.min_relevance:
            return answer
        barred = query.exclude_ids.union(seen if query.exclude_seen else ())
        found = [item for item in self.passing(version, query) if item not in barred]
        allowed = [item for item in found if item not in ruled.never]
        ids = [*(item.id for item in answer.items), *allowed]
        arranged = self._rules.arranged(ids, query, Ruled())
        more = [
            Recommended(ids[place], rank, None, [SOURCE])
            for rank, place in enumerate(arranged.places, 1)
            if place >= held
        ]
        if query.fields:
            more = with_evidence(self._graph, self._domain, query, more)
        items = [*answer.items, *more]
        rules = Counter(answer.rules) + Counter(ruled.held_back(found)) + Counter(arranged.acted)
        empty = None if items else ruled_out(rules) or answer.empty
        return replace(answer, items=items, empty=empty, rules=dict(rules))
