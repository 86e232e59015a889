"""Every statement of graphdb is one that the server can plan; rendered names stand for the rest."""

import importlib
import pkgutil
import re

import pytest

import graphdb
from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.schema import create_schema

NAMES = {
    "label": "Item",
    "owner": "Item",
    "type": "RATED",
    "types": "RATED|WATCHED",
    "identity": "id",
    "start": "Item",
    "end": "Item",
    "relationship": "HAS_GENRE",
    "similar": "SIMILAR_A",
    "vector": "vector_a",
    "length": "vector_length_a",
    "attention": "attention_a",
    "index": "item_vector_a",
    "name": "event_rated",
    "passes": "true",
    "nearest": "MATCH (i:Item)",
    "links": "",
    "events": "RATED|WATCHED",
    "own": "LIKES_GENRE",
    "social": "FOLLOWS",
    "walked": "HAS_GENRE",
    "things": "HAS_GENRE",
    "pattern": "(item:Item)-[:HAS_GENRE]->(group)",
    "conditions": "true",
    "rule": "'rule'",
    "seconds": "60",
    "most": "3",
    "values": "i.title",
    "direction": "DESC",
    "chosen": "MATCH (u)-[r:RATED]->(i) RETURN u, i, r.at AS at",
}
# Schema statements cannot be explained; the suite runs them for real.
SCHEMA = re.compile(r"^\s*(CREATE (CONSTRAINT|(VECTOR )?INDEX)|DROP INDEX|SHOW|ALTER)")


def statements():
    for module in pkgutil.walk_packages(graphdb.__path__, "graphdb."):
        held = vars(importlib.import_module(module.name))
        for name, value in held.items():
            if name.isupper() and isinstance(value, str) and re.search(r"\b[A-Z]{4,}\b", value):
                yield f"{module.name}.{name}", value


KEYWORD = re.compile(r"^\s*(MATCH|MERGE|UNWIND|CREATE|OPTIONAL|CALL|RETURN|WITH)\b")
CONSTANTS = [
    pytest.param(value, id=name)
    for name, value in statements()
    if KEYWORD.match(value) and not SCHEMA.match(value)
]


@pytest.fixture(scope="module")
def server(neo4j_address):
    with Graph(neo4j_address.uri, neo4j_address.password, user=neo4j_address.user) as graph:
        create_schema(graph, load_domain("films"))
        yield graph


@pytest.mark.parametrize("statement", CONSTANTS)
def test_the_server_can_plan_it(server, statement):
    for placeholder, name in NAMES.items():
        statement = statement.replace(f"<{placeholder}>", name)
    parameters = dict.fromkeys(re.findall(r"\$(\w+)", statement))

    assert server.plan_type(statement, parameters, 10) in {"r", "w", "rw", "s"}
