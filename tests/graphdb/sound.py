"""A small graph without fault, and what the audit counts in it: tests plant one fault each."""

from datetime import timedelta

from graphdb.audit.audit import audit
from graphdb.catalogue.catalogue import save_items, save_users
from graphdb.catalogue.relations import RelationRow, save_relations
from graphdb.connection import Graph
from graphdb.domain import Domain, parse_domain
from graphdb.events.events import EventRow, save_events
from graphdb.people.people import join_people
from graphdb.versions.slots import fill_items, fill_users
from graphdb.versions.versions import begin_version, flip
from tests.related import TEXT
from tests.rows import NOON, event_row, item_row

BEGINNING = NOON - timedelta(days=100)
AUDIT = """
[audit]
fast_minute = 5
deviations = 2
burst_events = 10
least_items = 10
"""
DOMAIN = parse_domain(TEXT + AUDIT, "sound.toml")
ITEMS, SLOW, FAST = 20, range(5), range(5, 10)


def at(user: str, item: int, day: float, minutes: float = 0, **given) -> EventRow:
    """An event some days after the beginning, received when it happened."""
    moment = BEGINNING + timedelta(days=day, minutes=minutes)
    times = {"occurred_at": moment, "at": moment, "received_at": moment}
    name = f"{user} {item} {day} {minutes}"
    return event_row(user, str(item), **{"event_id": name, **times, **given})


def fill_sound(graph: Graph, domain: Domain = DOMAIN) -> None:
    """Fill a graph that has the films' schema: half of the people do one thing a minute, half five
    at once, all of them over several days."""
    save_items(graph, domain, [_film(n) for n in range(ITEMS)])
    people = [{"id": f"p{n}", "fields": {"age": 20 + n, "gender": "F"}} for n in range(10)]
    save_users(graph, domain, [*people, {"id": "lurker", "fields": {}}])
    slow = [at(f"p{p}", (p + n) % ITEMS, 2 * n, value=4.0) for p in SLOW for n in range(6)]
    fast = [
        at(f"p{p}", (p * 3 + 5 * day + n) % ITEMS, 2 * day + p / 24)
        for p in FAST
        for day in range(3)
        for n in range(5)
    ]
    save_events(graph, domain, "api", slow + fast)
    join_people(graph, "p1", "anonymous:x")
    relations = [
        ("follows", "p0", "p1"),
        ("sequel_of", "1", "0"),
        ("set_in", "1", "Italy"),
        ("likes_genre", "p2", "Noir"),
    ]
    save_relations(graph, domain, [_relation(*given) for given in relations])
    _publish(graph, "inner_product", 3)


def _film(n: int) -> dict:
    return item_row(str(n), title=f"Film {n}", year=1990 + n, genres=["War", f"Genre {n % 3}"])


def _relation(type: str, start: str, end: str) -> RelationRow:
    return RelationRow(type=type, start=start, end=end, weight=None)


def _publish(graph: Graph, similarity: str, dimensions: int) -> None:
    """A version in slot a whose vectors are as long as they should be."""
    building = begin_version(graph, "v1", {"similarity": similarity, "dimensions": dimensions})
    vector = [0.5] * (dimensions + (similarity == "inner_product"))
    keys = graph.read("MATCH (u:User) WHERE u.id STARTS WITH 'p' RETURN u.key AS key")
    fill_items(graph, building, [(str(n), vector, 1.0) for n in range(ITEMS)], lambda _: None)
    fill_users(graph, building, [(row["key"], vector) for row in keys], lambda _: None)
    flip(graph, building)


def counted(graph: Graph, domain: Domain = DOMAIN) -> dict[str, int]:
    """What each check counts, but those that count nothing; skew only where it fails."""
    findings = audit(graph, domain)
    return {
        finding.check.name: finding.count
        for finding in findings
        if finding.count and not (finding.check.name == "degree_skew" and finding.passed)
    }
