"""What an answer needs from the graph beside its candidates, in one round trip that returns lists.

Above all the person: what serves, their events beyond its cut and, where they are to be told, the
latest on each item. Nothing here knows how a score is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

import numpy as np

from graphdb.answers.filtering import EVERYTHING, Predicate, restricted
from graphdb.answers.paths import UNREAD, Known, evidence
from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.events.event_row import micros
from graphdb.events.recent import RECENT
from graphdb.events.totals import fetch_totals
from graphdb.events.weights import event_weights

TOLD_EVENTS = 200
"""Of somebody with more events only those are read that reasons name, once these are known."""


@dataclass(frozen=True)
class NewEvent:
    """One of a person's events beyond the version's cut, weighed as of the version's time; of a
    session's bare item no type is known."""

    item_id: str
    event_type: str
    weight: float
    seen: bool


@dataclass(frozen=True)
class Person:
    """What the graph says of one person for one version.

    version: the id of what serves now (None before the first publication); keys: their own and
    those of everybody joined to them, none for a person the graph does not know; events: beyond
    the version's cut, oldest first; totals: by item, where the domain does not count each event,
    what new and old events weigh together; id: the person's own, empty for a stranger; ids: that
    and those of everybody joined to them; known: for reasons, their latest events and the items'
    titles.
    """

    version: str | None
    slot: str
    keys: list[str]
    events: list[NewEvent]
    totals: dict[str, float] = field(default_factory=dict)
    id: str = ""
    ids: list[str] = field(default_factory=list)
    known: Known = UNREAD


# A person is a user, whoever it was joined to, and everybody joined to that one. The weight is
# Domain.event_weight, in Cypher; a test holds the two together. An event of the short list is cut
# into its words: [item, [type, value, time, source, number]].
FETCH_PERSON = """
OPTIONAL MATCH (:Serving {id: 'serving'})-[:SERVES]->(v:ModelVersion)
OPTIONAL MATCH (asked:User {id: $user})
OPTIONAL MATCH (asked)-[:SAME_AS]->(known:User)
WITH v, coalesce(known, asked) AS person
WITH v, person, [person] + COLLECT { MATCH (s:User)-[:SAME_AS]->(person) RETURN s } AS members
CALL (members) {
  UNWIND members AS u
  WITH u, [n IN range(0, size(coalesce(u.recent_items, [])) - 1)
           | [u.recent_items[n], split(u.recent_events[n], ' ')]] AS listed
  WITH u, [e IN listed WHERE toInteger(e[1][4]) > coalesce($cut[e[1][3]], -1)
           | {item: e[0], type: e[1][0], value: toFloat(e[1][1]), at: toInteger(e[1][2])}] AS newer
  RETURN collect(u.key) AS keys, collect(u.id) AS ids, max(size(newer)) AS newer,
         any(found IN collect(EXISTS {
           MATCH (s:Source)
           WHERE s.id IN u.recent_loads AND s.offset > coalesce($cut[s.id], -1)
         }) WHERE found) AS loaded,
         collect([e IN newer WHERE $weights[e.type] IS NOT NULL | [
           e.item,
           e.type,
           CASE WHEN $weights[e.type].at_least IS NOT NULL
                     AND NOT coalesce(e.value >= $weights[e.type].at_least, false)
                THEN 0.0
                ELSE $weights[e.type].weight
                     * CASE WHEN $weights[e.type].multiply THEN coalesce(e.value, 1.0) ELSE 1.0 END
                     * CASE WHEN $weights[e.type].half_life_days IS NULL OR e.at > $as_of
                            THEN 1.0
                            ELSE 0.5 ^ (($as_of - e.at) / 86400000000.0
                                        / $weights[e.type].half_life_days) END
           END,
           e.at
         ]]) AS events
}
CALL (members) {
  WITH members
  WHERE $told AND all(u IN members WHERE COUNT { (u)-[:<types>]->() } <= $most)
  UNWIND members AS u
  MATCH (u)-[r:<types>]->(i:Item)
  WITH i, r ORDER BY r.at
  WITH i, last(collect(r)) AS latest
  RETURN collect([i.id, type(latest), toString(latest.at), latest.event_id,
                  startNode(latest).id, latest.value]) AS latest,
         collect([i.id, i[$title]]) AS titles
}
RETURN v.id AS version, v.slot AS slot, person.id AS id, keys, ids, newer, loaded, events, latest,
       titles
"""

# Only for somebody who has new events that the short list on the user does not hold. A row of
# parallel lists: of a hundred thousand events a list each takes the driver several times as long.
FETCH_NEWER = """
UNWIND $keys AS key
MATCH (u:User {key: key})-[r:<types>]->(i:Item)
WHERE r.seq > coalesce($cut[r.source], -1)
RETURN collect(i.id) AS items, collect(type(r)) AS types,
       collect(coalesce(r.value, 0.0 / 0.0)) AS values,
       collect(r.at.epochSeconds * 1000000 + r.at.microsecond) AS times, collect(r.seq) AS seqs
"""


def fetch_person(
    graph: Graph,
    domain: Domain,
    user_id: str,
    cut: dict[str, int],
    as_of: datetime,
    *,
    told: bool = False,
) -> Person:
    """What serves, and the person's events beyond `cut`, weighed as of `as_of`; told: with what
    reasons tell of all their events, where these are not many.

    Somebody who was joined to another is that other: all their events count.
    """
    weights = domain.weight_parameters()
    title = domain.title_field
    row = graph.read(
        render(FETCH_PERSON, types=domain.event_relationships),
        user=user_id,
        cut=cut,
        as_of=micros(as_of),
        weights=weights,
        told=told,
        most=TOLD_EVENTS,
        title=title,
    )[0]
    if row["loaded"] or (row["newer"] or 0) >= RECENT:
        new = _all_newer(graph, domain, row["keys"], cut, as_of)
    else:
        events = sorted((e for member in row["events"] for e in member), key=itemgetter(3))
        new = [
            NewEvent(item, weights[kind]["type"], weight, weights[kind]["seen"])
            for item, kind, weight, _ in events
        ]
    judged = sorted({e.item_id for e in new if domain.events[e.event_type].counting != "each"})
    totals = fetch_totals(graph, domain, row["keys"], judged, micros(as_of)) if judged else {}
    titles = {item: {title: name} for item, name in row["titles"] if title and name is not None}
    known = Known(evidence(domain, row["latest"]), titles)
    return Person(
        version=row["version"],
        slot=row["slot"] or "",
        keys=row["keys"],
        events=new,
        totals=totals,
        id=row["id"] or "",
        ids=row["ids"],
        known=known,
    )


def _all_newer(
    graph: Graph, domain: Domain, keys: list[str], cut: dict[str, int], as_of: datetime
) -> list[NewEvent]:
    names, specs = list(domain.events), list(domain.events.values())
    statement = render(FETCH_NEWER, types=domain.event_relationships)
    found = graph.read(statement, keys=keys, cut=cut)[0]
    place = {spec.relationship: n for n, spec in enumerate(specs)}
    kind = np.array([place[name] for name in found["types"]], np.intp)
    times = np.array(found["times"], np.int64)
    values = np.array(found["values"], float)
    weight = event_weights(domain.events, kind, values, times, micros(as_of)).tolist()
    order = np.lexsort((np.array(found["seqs"], np.int64), times)).tolist()
    return [
        NewEvent(found["items"][n], names[kind[n]], weight[n], specs[kind[n]].seen) for n in order
    ]


FETCH_SHOWABLE = """
UNWIND $ids AS id
MATCH (i:Item {id: id})
WHERE i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true)
RETURN collect(i.id) AS ids
"""


def fetch_showable(graph: Graph, ids: Sequence[str]) -> set[str]:
    """Those of `ids` that exist and are neither hidden nor expired."""
    return set(graph.read(FETCH_SHOWABLE, ids=list(ids))[0]["ids"])


FETCH_WITHDRAWN = """
UNWIND $ids AS id
OPTIONAL MATCH (i:Item {id: id})
WITH id, i
WHERE (i IS NULL AND id IN $known) OR i.hidden IS NOT NULL
      OR coalesce(i.expires_at <= datetime(), false)
RETURN collect(id) AS ids
"""


def fetch_withdrawn(graph: Graph, ids: Sequence[str], known: Sequence[str] = ()) -> set[str]:
    """Those of `ids` that are hidden, expired or, of those `known` once, deleted; what was never
    heard of was never withdrawn."""
    return set(graph.read(FETCH_WITHDRAWN, ids=list(ids), known=list(known))[0]["ids"])


# Degrees by type are counters in the store: no relationship is read, however many there are.
LIST_POPULAR = """
MATCH (i:Item)
WHERE i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true) AND <passes>
RETURN i.id AS id, COUNT { (i)<-[:<types>]-() } AS events
ORDER BY events DESC, id
LIMIT $k
"""


def list_popular(
    graph: Graph, domain: Domain, k: int, passing: Predicate = EVERYTHING
) -> list[dict[str, Any]]:
    """Items by their number of events: what is shown while no version was ever published."""
    statement = restricted(render(LIST_POPULAR, types=domain.event_relationships), passing)
    return graph.read(statement, k=k, filter=list(passing.values))


# (:Item)-[:SIMILAR_A {weight}]->(:Item): what one event on the first adds to the second's score.
LIST_SIMILAR = """
MATCH (:Item {id: $item})-[s:<similar>]->(j:Item)
WHERE s.weight > 0 AND NOT j.id IN $exclude
      AND j.hidden IS NULL AND coalesce(j.expires_at > datetime(), true)
RETURN j.id AS id, s.weight AS score
ORDER BY score DESC, id
LIMIT $k
"""


def list_similar(
    graph: Graph, slot: str, item_id: str, k: int, exclude: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Items by the version's item–item weights from `item_id`: rows `{"id", "score"}`."""
    statement = render(LIST_SIMILAR, similar=f"SIMILAR_{slot.upper()}")
    return graph.read(statement, item=item_id, k=k, exclude=list(exclude))


ITEM_EXISTS = "RETURN EXISTS { (:Item {id: $item}) } AS found"


def item_exists(graph: Graph, item_id: str) -> bool:
    """Whether the catalogue (or an event) knows the item."""
    return graph.read(ITEM_EXISTS, item=item_id)[0]["found"]
