"""The small world, published once and then put back: node by node, into the indexes that stand.

A publication makes vector indexes, and an index that comes or goes has the server plan every
statement anew: most of what a test would otherwise take.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from api.loop.publication import publish
from graphdb.connection import Graph
from graphdb.domain import Domain
from tests.api.versions import build_artifact, fill_graph
from tests.wiping import wipe
from training.artifact import Artifact

LIST_INDEXES = """
SHOW VECTOR INDEXES YIELD name, state, properties, options
RETURN name, state, properties, options
ORDER BY name
"""

# Places in the lists stand for nodes: ids of the server do not come back.
COPY = """
MATCH (n)
WITH n ORDER BY elementId(n)
WITH collect(n) AS nodes
RETURN [n IN nodes | [labels(n), properties(n)]] AS nodes,
       COLLECT {
         UNWIND range(0, size(nodes) - 1) AS start
         WITH start, nodes[start] AS n
         MATCH (n)-[r]->(m)
         RETURN [start, type(r), properties(r), elementId(m)]
       } AS ties,
       [n IN nodes | elementId(n)] AS ids
"""

PUT_BACK = """
UNWIND $nodes AS node
CREATE (n:$(node[0]))
SET n = node[1]
WITH collect(n) AS nodes
UNWIND $ties AS tie
WITH nodes[tie[0]] AS a, tie, nodes[tie[3]] AS b
CREATE (a)-[r:$(tie[1])]->(b)
SET r = tie[2]
RETURN count(r) AS ties
"""


@dataclass(frozen=True)
class Kept:
    """What a publication has left: in the graph, in its indexes, and on disk."""

    nodes: list
    ties: list
    indexes: list
    artifact: Artifact
    directory: Path


class Worlds:
    """A run's worlds, by domain; `directory` keeps their files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._kept: dict[str, Kept] = {}

    def place(self, graph: Graph, domain: Domain, artifacts: Path) -> Artifact:
        """Put the world into a graph without nodes; version v1 serves, its files in `artifacts`."""
        kept = self._kept.get(domain.model_dump_json())
        if kept and kept.indexes == graph.read(LIST_INDEXES):
            graph.write(PUT_BACK, nodes=kept.nodes, ties=kept.ties)
            shutil.copytree(kept.directory, artifacts / "v1")
            return kept.artifact
        wipe(graph)  # the indexes as well
        fill_graph(graph, domain)
        artifact = build_artifact(graph, artifacts / "v1")
        publish(graph, artifacts / "v1")
        self._keep(graph, domain, artifact, artifacts / "v1")
        return artifact

    def _keep(self, graph: Graph, domain: Domain, artifact: Artifact, directory: Path) -> None:
        kept = self._directory / str(len(self._kept))
        shutil.copytree(directory, kept, dirs_exist_ok=True)
        [copy] = graph.read(COPY)
        place = {id: n for n, id in enumerate(copy["ids"])}
        ties = [[*tie[:3], place[tie[3]]] for tie in copy["ties"]]
        indexes = graph.read(LIST_INDEXES)
        self._kept[domain.model_dump_json()] = Kept(copy["nodes"], ties, indexes, artifact, kept)
