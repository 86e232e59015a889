"""Constraints and indexes: what makes every write repeatable. Creating them twice is harmless, and
what is there is not asked for again: each such statement takes the schema's lock.

Community constrains uniqueness only; presence and types are checked at the door.
"""

import logging
from collections.abc import Iterator
from typing import LiteralString

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.errors import IndexLostError

log = logging.getLogger(__name__)

CONSTRAINTS = (
    "CREATE CONSTRAINT user_id IF NOT EXISTS FOR (n:User) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT user_key IF NOT EXISTS FOR (n:User) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT item_id IF NOT EXISTS FOR (n:Item) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT source_id IF NOT EXISTS FOR (n:Source) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT serving_id IF NOT EXISTS FOR (n:Serving) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT version_id IF NOT EXISTS FOR (n:ModelVersion) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT tombstone_id IF NOT EXISTS FOR (n:Tombstone) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT job_key IF NOT EXISTS FOR (n:Job) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT served_list_id IF NOT EXISTS FOR (n:ServedList) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT api_key_id IF NOT EXISTS FOR (n:ApiKey) REQUIRE n.id IS UNIQUE",
)

# Processes ask every moment who was joined since; lists are removed from the oldest on.
INDEXES = (
    "CREATE INDEX same_as_at IF NOT EXISTS FOR ()-[r:SAME_AS]-() ON (r.at)",
    "CREATE INDEX served_list_at IF NOT EXISTS FOR (n:ServedList) ON (n.at)",
)

EVENT_CONSTRAINT = (
    "CREATE CONSTRAINT <name> IF NOT EXISTS FOR ()-[r:<type>]-() REQUIRE r.event_id IS UNIQUE"
)

# So that what was chosen last is found without looking at every event.
TIME_INDEX = "CREATE INDEX <name> IF NOT EXISTS FOR ()-[r:<type>]-() ON (r.at)"

ATTRIBUTE_CONSTRAINT = (
    "CREATE CONSTRAINT <name> IF NOT EXISTS FOR (n:<label>) REQUIRE n.id IS UNIQUE"
)

# So that what passes a filter is found without looking at every item.
FIELD_INDEX = "CREATE INDEX <name> IF NOT EXISTS FOR (n:Item) ON (n.<field>)"

# A constraint is listed by its index.
LIST_SCHEMA = "SHOW INDEXES YIELD name RETURN collect(name) AS names"

AWAIT_INDEXES = "CALL db.awaitIndexes(300)"


def create_schema(graph: Graph, domain: Domain) -> None:
    """Create what the domain's graph needs; what is there already stays."""
    there = set(graph.read(LIST_SCHEMA)[0]["names"])
    for statement in (*CONSTRAINTS, *INDEXES, *_of_domain(domain)):
        name = statement.split()[2].strip("`")
        if name not in there:
            graph.define(statement)
    try:
        graph.read(AWAIT_INDEXES)
    except IndexLostError as error:  # statements do without it: they take longer
        log.warning("%s", error)


def _of_domain(domain: Domain) -> Iterator[LiteralString]:
    """The statements of what events, attributes and filters need."""
    for spec in domain.events.values():
        name = f"event_{spec.relationship.lower()}"
        yield render(EVENT_CONSTRAINT, name=name, type=spec.relationship)
    for relationship in domain.positive_relationships:
        yield render(TIME_INDEX, name=f"time_{relationship.lower()}", type=relationship)
    fields = [*domain.item.fields.values(), *domain.user.fields.values()]
    for label in sorted({spec.node.label for spec in fields if spec.node}):
        yield render(ATTRIBUTE_CONSTRAINT, name=f"attribute_{label.lower()}", label=label)
    for field in domain.compared_fields:
        yield render(FIELD_INDEX, name=f"item_field_{field}", field=field)
