"""Profiles: what somebody says they like, and what people alike or followed choose."""

from graphdb.answers.profiles import list_by_profile
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import RelationRow, save_relations
from graphdb.domain import load_domain
from graphdb.events.events import save_events
from graphdb.people.people import join_people
from graphdb.schema import create_schema
from tests.related import RELATED
from tests.rows import event_row, item_row

TASTES = [("friend", "good"), ("troll", "bad")]


def related(kind: str, start: str, end: str) -> RelationRow:
    return {"type": kind, "start": start, "end": end, "weight": None}


def test_links_shared_come_first_then_what_people_alike_choose(graph, domain):
    create_schema(graph, RELATED)
    genres = {"both": ["Drama", "Noir"], "one": ["Noir"], "none": ["War"], "liked": ["War"]}
    save_items(graph, RELATED, [item_row(id, genres=given) for id, given in genres.items()])
    save_items(graph, RELATED, [item_row("hidden", hidden=True, genres=["Drama", "Noir"])])
    likes = [related("likes_genre", "p", genre) for genre in ("Drama", "Noir")]
    likes += [related("likes_genre", "peer", "Noir"), related("follows", "p", "friend")]
    save_relations(graph, RELATED, likes)
    events = [event_row("peer", "liked"), event_row("friend", "liked"), event_row("friend", "one")]
    away = event_row("friend", "none", event_type="dismissed")
    save_events(graph, RELATED, "api", [*events, away])

    rows = list_by_profile(graph, RELATED, "p", 10)
    assert rows == [
        {"id": "both", "score": 2.0},
        {"id": "one", "score": 1.5},
        {"id": "liked", "score": 1.0},
    ]
    assert [r["id"] for r in list_by_profile(graph, RELATED, "p", 1, ["both"])] == ["one"]

    join_people(graph, "p", "anonymous:x")
    assert list_by_profile(graph, RELATED, "anonymous:x", 10) == rows
    assert list_by_profile(graph, RELATED, "nobody", 10) == []


def test_a_domain_whose_people_have_no_links_is_not_asked(graph, domain):
    save_events(graph, domain, "api", [event_row("p", "1")])

    assert domain.relationships_from("user") == []
    assert list_by_profile(graph, domain, "p", 10) == []


def test_who_is_blocked_is_nobody_to_follow(graph):
    social = load_domain("social")
    create_schema(graph, social)
    ties = [related("follows", "p", "friend"), related("blocks", "p", "troll")]
    save_relations(graph, social, ties)
    liked = [event_row(who, item, event_type="liked") for who, item in TASTES]
    save_events(graph, social, "api", liked)

    assert [row["id"] for row in list_by_profile(graph, social, "p", 10)] == ["good"]
