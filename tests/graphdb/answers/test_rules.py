"""Rules on a real graph: whom they bar, what they place, which groups items are in."""

from datetime import UTC, datetime, timedelta

import pytest

from graphdb.answers.rules import check_rules, list_groups, list_matched
from graphdb.answers.served import ServedRow, save_served
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import save_relations
from graphdb.domain import parse_domain
from graphdb.events.event_row import micros
from graphdb.events.events import save_events
from graphdb.people.people import join_people
from tests.graphdb.answers.test_served import served_row
from tests.rows import event_row, item_row
from tests.ruled import RULED, TEXT


@pytest.fixture
def films(graph):
    """Films "0" to "4"; ann rated "0" and "1" yesterday, "2" long ago, and blocks "3"."""
    now = datetime.now(UTC)
    tags = {"1": ["again"], "4": ["sponsored"]}
    rows = [
        item_row(str(n), genres=["Drama", "Comedy"][: n % 3], tags=tags.get(str(n), []))
        for n in range(5)
    ]
    save_items(graph, RULED, rows)
    days = {"0": 1, "1": 1, "2": 60}
    events = [event_row("ann", i, at=now - timedelta(days=d)) for i, d in days.items()]
    save_events(graph, RULED, "api", events)
    save_relations(graph, RULED, [{"type": "blocks", "start": "ann", "end": "3", "weight": None}])


def test_a_person_is_barred_what_patterns_say(graph, films):
    matched = {rule: sorted(ids) for rule, ids in list_matched(graph, RULED, "ann").items()}

    assert matched == {"blocked": ["3"], "lately": ["0"], "sponsored": ["4"], "tired": []}


def test_a_stranger_is_barred_nothing_and_gets_the_same_placed(graph, films):
    for name in ("nobody", "", "ann'}) DETACH DELETE n //"):
        matched = list_matched(graph, RULED, name)
        assert matched == {"blocked": [], "lately": [], "sponsored": ["4"], "tired": []}


def test_who_was_joined_is_barred_what_either_is(graph, films):
    save_events(graph, RULED, "api", [event_row("anonymous:x", "4", at=datetime.now(UTC))])
    join_people(graph, "ann", "anonymous:x")

    for name in ("ann", "anonymous:x"):
        matched = list_matched(graph, RULED, name)
        assert (sorted(matched["lately"]), matched["blocked"]) == (["0", "4"], ["3"])


def test_what_was_in_enough_of_a_persons_lists_is_barred_for_a_time(graph, films):
    def shown(id: str, days: float, *items: str, user: str = "ann") -> ServedRow:
        at = datetime.now(UTC) - timedelta(days=days)
        return served_row(id, user, list(items), at=micros(at))

    lists = [shown("a", 1, "1", "4"), shown("b", 2, "1", "2"), shown("c", 9, "2", "4")]
    save_events(graph, RULED, "api", [event_row("bob", "0")])
    save_served(graph, [*lists, shown("d", 1, "2", "4", user="bob")])

    assert list_matched(graph, RULED, "ann")["tired"] == ["1"]
    assert list_matched(graph, RULED, "bob")["tired"] == []


def test_lists_that_wait_count_beside_those_in_the_graph_and_none_twice(graph, films):
    def shown(id: str, days: float, *items: str) -> ServedRow:
        return served_row(id, "ann", list(items), at=micros(datetime.now(UTC) - timedelta(days)))

    written = [shown("a", 1, "1", "2"), shown("b", 9, "3")]
    save_served(graph, written)
    waiting = [shown("c", 0, "1", "3"), shown("d", 9, "3", "2"), *written]

    assert list_matched(graph, RULED, "ann", waiting)["tired"] == ["1"]
    assert list_matched(graph, RULED, "ann", [*waiting, shown("e", 0, "2")])["tired"] == ["1", "2"]


def test_groups_are_those_of_the_asked_items(graph, films):
    groups = list_groups(graph, RULED, ["0", "1", "2", "unknown"])

    assert groups == {"variety": {"1": {"Drama"}, "2": {"Drama", "Comedy"}}}


def test_what_the_graph_has_never_held_is_said_by_rule(graph, films):
    extra = """
[relations.shuns]
relationship = "SHUNS_FOR_GOOD"
from = "user"
to = "item"

[rules.shunned]
never = "(person)-[:SHUNS_FOR_GOOD]->(item)"
"""
    domain = parse_domain(TEXT + extra, "shuns.toml")

    found = check_rules(graph, domain)

    assert found == {"shunned": "the graph has no relationship SHUNS_FOR_GOOD"}


def test_a_value_is_bound_whatever_it_says(graph, films):
    hostile = "x'}) DETACH DELETE item //".replace("'", "")
    domain = parse_domain(TEXT.replace("'sponsored'", f"'{hostile}'"), "hostile.toml")

    assert list_matched(graph, domain, "ann")["sponsored"] == []
    assert list_matched(graph, RULED, "ann")["sponsored"] == ["4"]
