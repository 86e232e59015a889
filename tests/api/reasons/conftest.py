"""In place of the fixtures of these names: one small world for a module. Its tests read, and what
one writes no other asks for."""

from pathlib import Path

import pytest

from graphdb.connection import Graph
from training.artifact import Artifact


@pytest.fixture
def graph(module_graph: Graph) -> Graph:
    return module_graph


@pytest.fixture
def artifacts(module_home: Path) -> Path:
    return module_home / "artifacts"


@pytest.fixture
def world(module_world: Artifact) -> Artifact:
    return module_world
