"""What items have in one field of the catalogue, whether it is a property or nodes."""

from collections.abc import Sequence

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain

HELD = "i.<field>"
ATTACHED = "COLLECT { MATCH (i)-[:<relationship>]->(a:<label>) RETURN a.id ORDER BY a.id }"
LIST_VALUES = """
UNWIND $ids AS id
MATCH (i:Item {id: id})
RETURN collect([id, <values>]) AS found
"""


def list_field_values(
    graph: Graph, domain: Domain, field: str, ids: Sequence[str]
) -> dict[str, list[str]]:
    """The values in a text field of those of `ids` that have any."""
    node = domain.item.fields[field].node
    values = (
        render(ATTACHED, relationship=node.relationship, label=node.label)
        if node
        else render(HELD, field=field)
    )
    rows = graph.read(LIST_VALUES.replace("<values>", values), ids=list(ids))[0]["found"]
    return {id: [held] if isinstance(held, str) else held for id, held in rows if held}
