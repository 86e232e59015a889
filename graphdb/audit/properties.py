"""Checks of what stands on nodes and relationships: what must be there, its type, its time.

Community constrains uniqueness only, so what was checked at the door is checked again here.
Properties that nobody here knows are somebody's own and are left alone.
"""

from graphdb.audit.checks import Check
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.specs import FieldSpec, FieldType

STRING, INTEGER, FLOAT = "STRING NOT NULL", "INTEGER NOT NULL", "FLOAT NOT NULL"
BOOLEAN, TIME = "BOOLEAN NOT NULL", "ZONED DATETIME NOT NULL"
EMPTY = "LIST<NOTHING> NOT NULL"
STRINGS = [f"LIST<{STRING}> NOT NULL", EMPTY]
INTEGERS = [f"LIST<{INTEGER}> NOT NULL", EMPTY]
FLOATS = [f"LIST<{FLOAT}> NOT NULL", EMPTY]
TYPES: dict[FieldType, list[str]] = {
    "string": [STRING],
    "strings": STRINGS,
    "integer": [INTEGER],
    "float": [FLOAT],
    "boolean": [BOOLEAN],
}
"""How the server names the types of what each type of field stores."""

USER_TYPES = {
    **{"id": [STRING], "key": [STRING], "created_at": [TIME], "removed": [INTEGER]},
    **{"recent_items": STRINGS, "recent_events": STRINGS, "recent_loads": STRINGS},
}
ITEM_TYPES = {
    **{"id": [STRING], "created_at": [TIME], "expires_at": [TIME], "hidden": [BOOLEAN]},
    **{"text": [STRING], "text_digest": [STRING], "text_vector": FLOATS},
    **{"text_vector_of": [STRING], "text_encoder": [STRING]},
}


def property_checks(domain: Domain) -> list[Check]:
    """Presence, types, vectors and times."""
    return [
        missing_event_properties(domain),
        missing_user_properties(),
        missing_item_properties(domain),
        wrong_event_types(domain),
        wrong_node_types("wrong_user_types", ["User"], _types(USER_TYPES, domain.user.fields)),
        wrong_node_types("wrong_item_types", ["Item"], _types(ITEM_TYPES, domain.item.fields)),
        *wrong_attribute_types(domain),
        wrong_vectors(),
        future_times(domain),
    ]


MISSING_EVENT_PROPERTIES = """
MATCH ()-[r:<types>]->()
WITH CASE WHEN r.event_id IS NULL OR r.at IS NULL OR r.received_at IS NULL
            OR r.source IS NULL OR r.seq IS NULL OR r.digest IS NULL
     THEN type(r) + " " + coalesce(toStringOrNull(r.event_id), elementId(r)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def missing_event_properties(domain: Domain) -> Check:
    return Check(
        "missing_event_properties",
        "events without event_id, at, received_at, source, seq or digest",
        render(MISSING_EVENT_PROPERTIES, types=domain.event_relationships),
    )


# Whoever is being erased has lost the id already.
MISSING_USER_PROPERTIES = """
MATCH (u:User)
WHERE NOT EXISTS { ()-[:ERASES]->(u) }
WITH CASE WHEN u.id IS NULL OR u.key IS NULL
     THEN coalesce(toStringOrNull(u.id), elementId(u)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def missing_user_properties() -> Check:
    counts = "people without id or key"
    return Check("missing_user_properties", counts, MISSING_USER_PROPERTIES)


MISSING_ITEM_PROPERTIES = """
MATCH (i:Item)
WITH CASE WHEN i.id IS NULL OR NOT i:<label>
     THEN coalesce(toStringOrNull(i.id), elementId(i)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def missing_item_properties(domain: Domain) -> Check:
    return Check(
        "missing_item_properties",
        f"items without id or the label {domain.item.label}",
        render(MISSING_ITEM_PROPERTIES, label=domain.item.label),
    )


WRONG_EVENT_TYPES = """
MATCH ()-[r:<types>]->()
WITH CASE WHEN r.event_id IS NOT :: STRING OR r.source IS NOT :: STRING
            OR r.digest IS NOT :: STRING OR r.seq IS NOT :: INTEGER
            OR r.at IS NOT :: ZONED DATETIME OR r.received_at IS NOT :: ZONED DATETIME
            OR CASE WHEN r.value IS :: FLOAT THEN isNaN(r.value)
                 ELSE r.value IS NOT :: INTEGER END
            OR r.anonymous_id IS NOT :: STRING OR r.session_id IS NOT :: STRING
            OR r.properties IS NOT :: STRING OR r.context IS NOT :: STRING
            OR r.recommendation_id IS NOT :: STRING OR r.position IS NOT :: INTEGER
            OR r.impressions IS NOT :: LIST<STRING NOT NULL> OR r.clock_skew IS NOT :: BOOLEAN
     THEN type(r) + " " + coalesce(toStringOrNull(r.event_id), elementId(r)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def wrong_event_types(domain: Domain) -> Check:
    return Check(
        "wrong_event_types",
        "events with a property of another type: a value that is no number, a time that is none",
        render(WRONG_EVENT_TYPES, types=domain.event_relationships),
    )


WRONG_NODE_TYPES = """
MATCH (n:<label>)
WITH CASE WHEN any(name IN keys(n) WHERE NOT valueType(n[name]) IN $types[name])
     THEN coalesce(toStringOrNull(n.id), elementId(n)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def wrong_node_types(name: str, labels: list[str], types: dict[str, list[str]]) -> Check:
    """`types` are the server's names of what each property may hold."""
    return Check(
        name,
        f"{' and '.join(labels)} nodes with a property of another type than the domain says",
        render(WRONG_NODE_TYPES, label=labels),
        {"types": types},
    )


def wrong_attribute_types(domain: Domain) -> list[Check]:
    """Empty for a domain without attribute nodes."""
    labels = domain.attribute_labels
    return [wrong_node_types("wrong_attribute_types", labels, {"id": [STRING]})] if labels else []


# An inner product is indexed with one more dimension (api.loop.publication).
WRONG_VECTORS = """
MATCH (v:ModelVersion)
WHERE v.state IN ["serving", "standby"]
WITH "vector_" + v.slot AS name,
     v.dimensions + CASE v.similarity WHEN "inner_product" THEN 1 ELSE 0 END AS length
MATCH (n:User|Item)
WITH n, n[name] AS vector, length
WHERE vector IS NOT NULL
WITH CASE WHEN CASE WHEN valueType(vector) = "LIST<FLOAT NOT NULL> NOT NULL"
                    THEN size(vector) <> length ELSE true END
     THEN coalesce(toStringOrNull(n.id), elementId(n)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def wrong_vectors() -> Check:
    counts = "vectors that are no list of floats, or not as long as their version's"
    return Check("wrong_vectors", counts, WRONG_VECTORS)


FUTURE_TIMES = """
WITH datetime.realtime().epochSeconds AS now
MATCH ()-[r:<types>]->()
WITH r, now, CASE WHEN r.at IS :: ZONED DATETIME THEN r.at.epochSeconds END AS at,
     CASE WHEN r.received_at IS :: ZONED DATETIME THEN r.received_at.epochSeconds END AS received
WITH CASE WHEN at > received + $ahead_s OR received > now + $ahead_s
     THEN type(r) + " " + coalesce(toStringOrNull(r.event_id), elementId(r)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def future_times(domain: Domain) -> Check:
    minutes = domain.audit.ahead_minutes
    return Check(
        "future_times",
        f"events more than {minutes:g} minutes later than their receipt, or received later than"
        " now",
        render(FUTURE_TIMES, types=domain.event_relationships),
        {"ahead_s": minutes * 60},
    )


def _types(own: dict[str, list[str]], fields: dict[str, FieldSpec]) -> dict[str, list[str]]:
    return own | {name: TYPES[spec.type] for name, spec in fields.items() if not spec.node}
