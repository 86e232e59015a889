"""A list of the caller's own, put into a person's order.

What the version knows comes first, what it does not know last, as it came. Unlike a recommendation
it has what was seen, and neither dials nor rules act on it. It knows no HTTP.
"""

from collections.abc import Sequence
from dataclasses import replace

from api.answers.answer import Answer, Query, Recommended
from api.answers.candidates import by_popularity, pool_of
from api.answers.listing import listed, with_evidence
from api.answers.recommender import Recommender
from api.serving.mapped import History, MappedVersion
from api.serving.serving import Serving
from graphdb.answers.paths import UNREAD, Known
from graphdb.answers.retrieval import fetch_withdrawn
from graphdb.connection import Graph
from graphdb.domain import Domain


def rank(
    serving: Serving,
    recommender: Recommender,
    domain: Domain,
    query: Query,
    given: Sequence[str],
) -> Answer:
    """Those of the given items that may be shown, best first for the person."""

    def unread() -> list[str]:
        return _left(given, fetch_withdrawn(serving.graph, given))

    def in_graph() -> Answer:
        version, person = recommender.who(query)
        if version is None:
            return Answer(None, None, _as_given(unread()), "given")
        known = [item for item in given if item in version.item_rows]
        shown = _left(given, fetch_withdrawn(serving.graph, given, known))
        history = version.history(person.keys, person.events, person.totals)
        return _ranked(serving.graph, domain, version, query, history, shown, person.known)

    def without_files() -> Answer:
        return Answer(None, None, _as_given(unread()), "given", ["artifact"])

    def in_memory(version: MappedVersion) -> Answer:
        history = version.history(version.people.keys_of(query.user_id), list(query.session))
        shown = _left(given, version.withheld.now())
        answer = _ranked(None, domain, version, query, history, shown)
        fallback = answer.fallback or (None if query.session else "published")
        return replace(answer, fallback=fallback, degraded=["graph"])

    return serving.answer(in_graph, without_files, in_memory)


def _ranked(
    graph: Graph | None,
    domain: Domain,
    version: MappedVersion,
    query: Query,
    history: History,
    shown: Sequence[str],
    known: Known = UNREAD,
) -> Answer:
    """The items in the person's order, of popularity for want of one; graph: None while it does
    not answer; known: what was read of the person for reasons."""
    personal = history.row.nnz > 0
    pool = (pool_of if personal else by_popularity)(version, history, shown)
    asked = query if personal else replace(query, reasons=0)
    items = listed(version, history, asked, pool)
    unknown = [item for item in shown if item not in version.item_rows]
    items += _as_given(unknown, len(items))
    if graph and (asked.reasons or asked.fields):
        items = with_evidence(graph, domain, asked, items, version, known)
    return Answer(version.id, version.as_of, items, None if personal else "popular")


def _left(given: Sequence[str], withdrawn: set[str]) -> list[str]:
    return [item for item in given if item not in withdrawn]


def _as_given(items: Sequence[str], after: int = 0) -> list[Recommended]:
    """The items in the order in which they came, ranked from `after` on."""
    return [Recommended(item, rank, None, ["given"]) for rank, item in enumerate(items, after + 1)]
