"""Who is who in memory: joined people are one, erased people are nobody."""

from api.serving.people import People
from graphdb.events.events import save_events
from graphdb.people.erasure import erase_person
from graphdb.people.people import join_people
from tests.rows import event_row

KEYS = "MATCH (u:User) RETURN u.id AS id, u.key AS key"


def keys(graph):
    return {row["id"]: row["key"] for row in graph.read(KEYS)}


def test_joined_people_have_their_keys_together(graph, domain):
    save_events(graph, domain, "api", [event_row(who, "1") for who in ("ann", "a1", "bob")])
    people = People()
    people.renew(graph)
    alone = people.keys_of("ann")

    join_people(graph, "ann", "a1")
    people.renew(graph)

    there = keys(graph)
    assert alone == [there["ann"]]
    assert people.keys_of("ann") == people.keys_of("a1") == [there["ann"], there["a1"]]
    assert people.keys_of("bob") == [there["bob"]]
    assert people.keys_of("stranger") == []


def test_an_erased_person_is_nobody(graph, domain):
    save_events(graph, domain, "api", [event_row(who, "1") for who in ("ann", "bob")])
    here, elsewhere = People(), People()
    for people in (here, elsewhere):
        people.renew(graph)

    here.forget("ann")
    erase_person(graph, "ann")
    elsewhere.renew(graph)

    assert here.keys_of("ann") == elsewhere.keys_of("ann") == []
    assert here.keys_of("bob") == elsewhere.keys_of("bob") == [keys(graph)["bob"]]
