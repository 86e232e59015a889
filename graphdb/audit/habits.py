"""Checks of how events came: on how few items, how fast, and from whom at once.

Robust measures throughout, so that what is looked for does not move what it is held against: a
median and its median absolute deviation (times 1.4826 a standard deviation, at least one event) for
pace, the crowd's share of events by new people for bursts. They point at what deserves a look; none
proves an attack.
"""

from graphdb.audit.checks import Check
from graphdb.cypher import render
from graphdb.domain import Domain

MANY = 100
"""Events of a person whose history is long."""


def habit_checks(domain: Domain) -> list[Check]:
    """Skew, pace and bursts."""
    return [degree_skew(domain), own_pace(domain), crowd_pace(domain), item_bursts(domain)]


DEGREE_SKEW = """
MATCH (i:Item)
WITH i, COUNT { (i)<-[:<types>]-() } AS degree
WHERE degree > 0
WITH i, degree ORDER BY degree DESC
WITH collect(degree) AS degrees, collect(toStringOrNull(i.id)) AS ids, sum(degree) AS of
WITH of, ids[..2] AS examples, CASE WHEN size(degrees) < $least_items THEN []
                               ELSE degrees[..toInteger(ceil(size(degrees) / 100.0))] END AS top
RETURN reduce(sum = 0, degree IN top | sum + degree) AS count, of,
       CASE WHEN size(top) = 0 THEN [] ELSE examples END AS examples
"""


def degree_skew(domain: Domain) -> Check:
    least = domain.audit.least_items
    return Check(
        "degree_skew",
        f"events on the hundredth of the items that has most (from {least} items on)",
        render(DEGREE_SKEW, types=domain.event_relationships),
        {"least_items": least},
    )


OWN_PACE = """
MATCH (u:User)
CALL (u) {
  MATCH (u)-[r:<types>]->()
  WITH CASE WHEN r.at IS :: ZONED DATETIME THEN r.at.epochSeconds END / 60 AS minute,
       count(*) AS pace
  WITH collect(pace) AS paces, percentileCont(pace, 0.5) AS usual
  UNWIND paces AS pace
  RETURN usual, max(pace) AS busiest, percentileCont(abs(pace - usual), 0.5) AS spread
}
WITH CASE WHEN busiest > $fast_minute
            AND busiest - usual > $deviations * 1.4826 * CASE WHEN spread > 1 THEN spread ELSE 1 END
     THEN coalesce(toStringOrNull(u.id), elementId(u)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def own_pace(domain: Domain) -> Check:
    audit = domain.audit
    return Check(
        "own_pace",
        f"people with a minute of more than {audit.fast_minute} events,"
        f" {audit.deviations:g} deviations above the median of their minutes",
        render(OWN_PACE, types=domain.event_relationships),
        {"fast_minute": audit.fast_minute, "deviations": audit.deviations},
    )


CROWD_PACE = """
MATCH (u:User)
CALL (u) {
  MATCH (u)-[r:<types>]->()
  WITH CASE WHEN r.at IS :: ZONED DATETIME THEN r.at.epochSeconds END / 60 AS minute,
       count(*) AS pace
  RETURN max(pace) AS busiest
}
WITH busiest, coalesce(toStringOrNull(u.id), elementId(u)) AS id
WHERE busiest > 0
WITH collect(busiest) AS paces, percentileCont(busiest, 0.5) AS usual,
     collect(CASE WHEN busiest > $fast_minute THEN [busiest, id] END) AS fast
CALL (paces, usual) {
  UNWIND paces AS pace
  RETURN percentileCont(abs(pace - usual), 0.5) AS spread
}
WITH size(paces) AS of,
     [p IN fast WHERE p[0] - usual > $deviations * 1.4826 * CASE WHEN spread > 1 THEN spread
                                                                 ELSE 1 END | p[1]] AS faulty
RETURN size(faulty) AS count, of, faulty[..2] AS examples
"""


def crowd_pace(domain: Domain) -> Check:
    audit = domain.audit
    return Check(
        "crowd_pace",
        f"people whose busiest minute has more than {audit.fast_minute} events,"
        f" {audit.deviations:g} deviations above the median of everybody's busiest",
        render(CROWD_PACE, types=domain.event_relationships),
        {"fast_minute": audit.fast_minute, "deviations": audit.deviations},
    )


# Of n events a share p is by new people, with a deviation of sqrt(n p (1 - p)). Where all n could
# not be far outside, nobody's history is looked at; a short one is for each event, as to remember
# everybody takes more memory than there is, a long one once for an item.
ITEM_BURSTS = """
CALL () {
  MATCH (u:User)
  CALL (u) {
    MATCH (u)-[r:<types>]->()
    WITH CASE WHEN r.at IS :: ZONED DATETIME THEN r.at.epochSeconds END AS at
    WITH collect(at) AS times, min(at) AS first
    RETURN size(times) AS events, size([at IN times WHERE at < first + $young_s]) AS young
  }
  RETURN CASE WHEN sum(events) > 0 THEN 1.0 * sum(young) / sum(events) ELSE 1.0 END AS p
}
MATCH (i:Item)
CALL (i, p) {
  MATCH (i)<-[r:<types>]-()
  WITH CASE WHEN r.at IS :: ZONED DATETIME THEN r.at.epochSeconds END / 3600 AS hour, count(*) AS n
  RETURN sum(n) AS events,
         collect(CASE WHEN n >= $burst_events AND n * (1 - p) > $deviations ^ 2 * p
                 THEN hour END) AS hours
}
WITH i, p, hours
WHERE events > 0
CALL (i, p, hours) {
  UNWIND hours[..1] AS any
  MATCH (i)<-[r:<types>]-(u)
  WITH p, hours, u, CASE WHEN r.at IS :: ZONED DATETIME THEN r.at.epochSeconds END AS at
  WITH p, hours, u, at, at / 3600 AS hour, datetime({epochSeconds: at - $young_s}) AS before,
       COUNT { (u)-[:<types>]->() } > $many AS busy
  WHERE hour IN hours
  WITH p, hour, at, CASE WHEN busy THEN u END AS one, EXISTS {
         MATCH (u)-[e:<types>]->() WHERE NOT busy AND e.at <= before
       } AS known
  WITH p, hour, one, min(at) AS at, count(*) AS n, count(CASE WHEN known THEN 1 END) AS known
  WITH p, one, collect({hour: hour, at: at, n: n, known: known}) AS visits
  CALL (one) {
    OPTIONAL MATCH (one)-[e:<types>]->()
    RETURN min(CASE WHEN e.at IS :: ZONED DATETIME THEN e.at.epochSeconds END) AS first
  }
  UNWIND visits AS v
  WITH p, v.hour AS hour, v.n AS n,
       CASE WHEN first <= v.at - $young_s THEN v.n ELSE v.known END AS known
  WITH p, hour, sum(n) AS n, sum(n - known) AS young
  WHERE young > n / 2.0 AND young - n * p > $deviations * sqrt(n * p * (1 - p))
  RETURN count(*) AS bursts
}
WITH CASE WHEN bursts > 0 THEN coalesce(toStringOrNull(i.id), elementId(i)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def item_bursts(domain: Domain) -> Check:
    audit = domain.audit
    return Check(
        "item_bursts",
        f"items with an hour of {audit.burst_events} events or more, most of them by people whose"
        f" first event is less than {audit.young_hours:g} hours older, {audit.deviations:g}"
        " deviations above the crowd's share of such events",
        render(ITEM_BURSTS, types=domain.event_relationships),
        {
            "many": MANY,
            "young_s": round(audit.young_hours * 3600),
            "burst_events": audit.burst_events,
            "deviations": audit.deviations,
        },
    )
