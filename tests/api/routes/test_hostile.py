"""Every string of every writing endpoint against a corpus of hostile text, over real HTTP.

Whatever it is, it is stored as the text it is, or refused by the field's name.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.versions import ITEMS, PEOPLE
from tests.hostile import HOSTILE, POISON

pytestmark = pytest.mark.faults

AT = "2026-01-05T20:15:00Z"
WORLD = """
MATCH (u:User)-[r:RATED]->(i:Film)
WHERE u.id STARTS WITH 'p' AND r.event_id STARTS WITH 'p'
RETURN count(DISTINCT u) AS people, count(r) AS events
"""
TITLES = "MATCH (i:Film) WHERE i.title STARTS WITH 'Film ' RETURN count(i) AS items"


@dataclass(frozen=True)
class Door:
    """One string that may be sent: how, under which name it is refused, where it is stored."""

    method: str
    path: str
    body: Callable[[str], Any] | None
    field: str
    stored: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.field}"

    def send(self, client: httpx.Client, text: str) -> httpx.Response:
        """As JSON with escapes: so that lone surrogates travel."""
        raw = quote(text.encode("utf-8", "surrogatepass"), safe="")
        content = None if self.body is None else json.dumps(self.body(text))
        headers = {"content-type": "application/json"}
        path = self.path.replace("TEXT", raw)
        return client.request(self.method, path, content=content, headers=headers)


def event(**given: Any) -> dict[str, Any]:
    known = {"event_type": "rated", "user_id": "h", "item_id": "h", "occurred_at": AT}
    return known | {"event_id": str(hash(str(given)))} | given


def relation(**given: str) -> dict[str, str]:
    return {"type": "follows", "from": "h", "to": "g"} | given


def follows(end: str) -> str:
    return f"MATCH (:User {{id: ${end}}})-[r:FOLLOWS]-() RETURN count(r) AS n"


ITEM = "MATCH (i:Film {id: $text}) RETURN count(i) AS n"
USER = "MATCH (u:User {id: $text}) RETURN count(u) AS n"
TITLE = "MATCH (i:Film {id: 'h', title: $text}) RETURN count(i) AS n"
GENRE = "MATCH (:Film {id: 'h'})-[:HAS_GENRE]->(g:Genre {id: $text}) RETURN count(g) AS n"
JOB = "MATCH (u:User {id: 'h', occupation: $text}) RETURN count(u) AS n"
EVENTS, RELATIONS, BATCH = "/v1/events?wait=true", "/v1/relations", "/v1/items:batch"


def on_event(name: str) -> str:
    return f"MATCH (:User)-[r:RATED {{{name}: $text}}]->() RETURN count(r) AS n"


DOORS = [
    Door("PUT", "/v1/items/TEXT", lambda t: {"fields": {"year": 1}}, "id", ITEM),
    Door("PUT", "/v1/items/h", lambda t: {"fields": {"title": t}}, "fields.title", TITLE),
    Door("PUT", "/v1/items/h", lambda t: {"fields": {"genres": [t]}}, "fields.genres", GENRE),
    Door("PUT", "/v1/items/h", lambda t: {"fields": {t: "x"}}, "fields."),
    Door("PUT", "/v1/items/h", lambda t: {t: "x"}, "body"),
    Door("PUT", "/v1/items/h", lambda t: {"expires_at": t}, "body.expires_at"),
    Door("PATCH", "/v1/items/h", lambda t: {"fields": {"title": t}}, "fields.title", TITLE),
    Door("PATCH", "/v1/items/h", lambda t: {"fields": {"genres": [t]}}, "fields.genres", GENRE),
    Door("POST", BATCH, lambda t: [{"id": t}], "id", ITEM),
    Door("POST", BATCH, lambda t: [{"id": "h", "fields": {"title": t}}], "fields.title", TITLE),
    Door("POST", BATCH, lambda t: [{"id": "h", "fields": {t: "x"}}], "fields."),
    Door("POST", BATCH, lambda t: [{"id": "h", "expires_at": t}], "expires_at"),
    Door("POST", BATCH, lambda t: [t], ""),
    Door("PUT", "/v1/users/TEXT", lambda t: {}, "id", USER),
    Door("PUT", "/v1/users/h", lambda t: {"fields": {"occupation": t}}, "fields.occupation", JOB),
    Door("PATCH", "/v1/users/h", lambda t: {"fields": {"occupation": t}}, "fields.occupation", JOB),
    Door("POST", "/v1/users:batch", lambda t: [{"id": t}], "id", USER),
    Door("POST", "/v1/users/TEXT:merge", lambda t: {"source": f"of {t[:9]!a}"}, "path.target"),
    Door("POST", "/v1/users/h:merge", lambda t: {"source": t}, "body.source", USER),
    Door(
        "POST",
        "/v1/users/h:merge",
        lambda t: {"anonymous_id": t},
        "body.anonymous_id",
        "MATCH (u:User {id: 'anonymous:' + $text})-[:SAME_AS]->() RETURN count(u) AS n",
    ),
    Door("POST", RELATIONS, lambda t: relation(**{"from": t}), "from", follows("text")),
    Door("POST", RELATIONS, lambda t: relation(to=t), "to", follows("text")),
    Door("POST", RELATIONS, lambda t: relation(type=t), "type"),
    Door(
        "POST",
        RELATIONS,
        lambda t: relation(type="likes_genre", to=t),
        "to",
        "MATCH (:User {id: 'h'})-[:LIKES_GENRE]->(g:Genre {id: $text}) RETURN count(g) AS n",
    ),
    Door("POST", EVENTS, lambda t: event(event_id=t, context={"e": len(t)}), "event_id"),
    Door("POST", EVENTS, lambda t: event(event_type=t), "event_type"),
    Door("POST", EVENTS, lambda t: event(user_id=t), "user_id", USER),
    Door("POST", EVENTS, lambda t: event(item_id=t), "item_id", ITEM),
    Door("POST", EVENTS, lambda t: event(occurred_at=t), "occurred_at"),
    Door("POST", EVENTS, lambda t: event(session_id=t), "session_id", on_event("session_id")),
    Door(
        "POST",
        EVENTS,
        lambda t: event(recommendation_id=t),
        "recommendation_id",
        on_event("recommendation_id"),
    ),
    Door("POST", EVENTS, lambda t: event(anonymous_id=t), "anonymous_id", on_event("anonymous_id")),
    Door("POST", EVENTS, lambda t: event(properties={"k": t}), "properties"),
    Door("POST", EVENTS, lambda t: event(properties={t: 1}), "properties"),
    Door("POST", EVENTS, lambda t: event(context={"k": [t]}), "context"),
    Door("POST", EVENTS, lambda t: event(impressions=[t]), "impressions"),
    Door("POST", EVENTS, lambda t: {**event(), t: "x"}, ""),
]


def refused_field(answer: httpx.Response) -> str | None:
    """The field that the answer refuses, None if it took the row."""
    if answer.status_code in (200, 202):
        rejected = answer.json().get("rejected")
        return rejected[0]["field"] if rejected else None
    if answer.status_code == 204:
        return None
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.text) < 2000
    return answer.json()["errors"][0]["field"] if answer.json().get("errors") else ""


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_it_is_stored_as_text_or_refused_by_name(client, module_graph, door):
    client.put("/v1/items/h", json={})
    client.put("/v1/users/h", json={})
    in_path = "TEXT" in door.path
    for name, text in HOSTILE.items():
        # A request line has a bound of its own.
        sent = text[:10_000] if in_path else text
        field = refused_field(door.send(client, sent))
        if field is not None:
            assert field.startswith(door.field), (name, field)
        elif door.stored:
            kept = sent.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            assert module_graph.read(door.stored, text=kept)[0]["n"] >= 1, name


def test_nothing_of_it_was_interpreted(client, module_graph):
    """After all that, the world is whole, and nothing has a name that the domain does not have."""
    assert module_graph.read(WORLD) == [{"people": PEOPLE, "events": PEOPLE * 10}]
    assert module_graph.read(TITLES)[0]["items"] == ITEMS
    labels = {row["label"] for row in module_graph.read("CALL db.labels() YIELD label")}
    types = module_graph.read("CALL db.relationshipTypes() YIELD relationshipType AS type")
    keys = module_graph.read("MATCH (n:Item|User|Genre) UNWIND keys(n) AS key RETURN DISTINCT key")
    assert all(name.isalnum() for name in labels)
    assert all(row["type"].replace("_", "").isalnum() for row in types)
    assert all(row["key"].replace("_", "").isalnum() for row in keys)
    assert client.get("/health/ready").status_code == 200


def test_asking_and_deleting_with_it_touches_nobody_else(client, module_graph):
    before = module_graph.read(WORLD)
    for name, text in HOSTILE.items():
        sent = text[:10_000]
        raw = quote(sent.encode("utf-8", "surrogatepass"), safe="")
        for method, path in (
            ("GET", f"/v1/recommendations?user_id={raw}"),
            ("GET", f"/v1/recommendations?user_id=p1&exclude_ids={raw}"),
            ("GET", f"/v1/items/{raw}/similar"),
            ("GET", f"/v1/items/{raw}"),
            ("GET", f"/v1/users/{raw}"),
            ("GET", f"/v1/items?cursor={raw}"),
            ("DELETE", f"/v1/items/{raw}"),
            ("DELETE", f"/v1/users/{raw}"),
            ("DELETE", f"/v1/relations?type=follows&from={raw}&to=x"),
            ("DELETE", f"/v1/relations?type={raw}&from=x&to=y"),
        ):
            answer = client.request(method, path)
            assert answer.status_code < 500, (name, method, path[:80], answer.text[:300])
    assert module_graph.read(WORLD) == before


def test_hostile_titles_are_data_in_an_answer(client):
    shown = client.get("/v1/recommendations", params={"user_id": "p2", "k": 1}).json()["items"][0]
    for text in (HOSTILE["html"], HOSTILE["prompt"], HOSTILE["right-to-left"]):
        client.put(f"/v1/items/{shown['id']}", json={"fields": {"title": text}})

        answer = client.get(
            "/v1/recommendations", params={"user_id": "p2", "k": 1, "include": ["item", "reasons"]}
        )

        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["items"][0]["item"]["title"] == text


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_json_is_refused(client, depth):
    deep = "[" * depth + "]" * depth
    row = f'"event_type":"rated","user_id":"h","item_id":"h","occurred_at":"{AT}"'
    for method, path, body in (
        ("POST", "/v1/events", f'{{{row},"properties":{{"a":{deep}}}}}'),
        ("POST", "/v1/events", f'{{{row},"context":{deep}}}'),
        ("POST", "/v1/events", deep),
        ("PUT", "/v1/items/h", f'{{"fields":{{"title":{deep}}}}}'),
        ("PATCH", "/v1/items/h", f'{{"fields":{{"genres":{deep}}}}}'),
        ("POST", "/v1/items:batch", f'{{"id":{deep}}}'),
        ("PUT", "/v1/users/h", f'{{"fields":{{"age":{deep}}}}}'),
        ("POST", "/v1/users/h:merge", f'{{"source":{deep}}}'),
        ("POST", "/v1/relations", f'{{"type":"follows","from":"a","to":{deep}}}'),
        ("POST", "/v1/recommendations", f'{{"user_id":{deep}}}'),
    ):
        headers = {"content-type": "application/json"}
        answer = client.request(method, path, content=body, headers=headers)
        rejected = answer.json().get("rejected")
        assert 400 <= answer.status_code < 500 or rejected, (path, answer.status_code)


@pytest.mark.parametrize("number", POISON, ids=lambda text: text[:9])
def test_a_poisonous_number_is_refused_by_its_row_and_the_neighbours_are_kept(client, number):
    kept = {"user_id": "kept"}  # whom no other test joins to somebody erased
    good = [event(event_id=f"{number[:9]}-{n}", **kept) for n in range(2)]
    follows = relation(**{"from": "kept", "to": "kept too"})
    doors = {
        "/v1/events?wait=true": (json.dumps(event(**kept)), '"value"', "value", good),
        "/v1/relations": (json.dumps(follows), '"weight"', "weight", [follows]),
        "/v1/items:batch": ('{"id":"h2","fields":{}}', '"year"', "fields.year", [{"id": "h3"}]),
    }
    for path, (plain, key, field, neighbours) in doors.items():
        if field == "fields.year":
            bad = plain.replace('"fields":{}', f'"fields":{{{key}:{number}}}')
        else:
            bad = f"{plain[:-1]},{key}:{number}}}"
        body = f"[{bad},{','.join(json.dumps(row) for row in neighbours)}]"
        headers = {"content-type": "application/json"}
        answer = client.post(path, content=body, headers=headers)
        if len(number) > 1000:
            assert 400 <= answer.status_code < 500
            continue
        rejected = [(row["index"], row["field"]) for row in answer.json()["rejected"]]
        assert rejected == [(0, field)], (path, answer.text)
        taken = answer.json()["accepted"] + answer.json()["duplicates"]
        assert taken == len(neighbours)
