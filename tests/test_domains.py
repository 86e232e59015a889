"""The shipped domains' pages: their pictures, their commands, and what their questions answer.

In an ordinary run large data sets are imported in part and only asked; `--whole` imports all of
them and compares counts and answers with the pages.
"""

import importlib.util
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from graphdb.audit.audit import require_sound
from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.exploration import explore
from graphdb.schema import create_schema
from ingest.file_import import Imported, find_dataset, import_dataset
from ingest.tables.rejects import Rejects
from tests.documents import ROOT, blocks
from tests.wiping import wipe

PAGES = ROOT / "docs" / "domains"
DATA = {"films": "ml-100k", "shop": "online-retail", "articles": "deskdrop", "social": "gowalla"}
WHOLE = {
    "films": Imported(users=943, items=1682, events=100_000),
    "shop": Imported(users=4372, items=3684, events=406_829, rows=541_909),
    "articles": Imported(users=1895, events=72_312, rows=72_312),
    "social": Imported(events=1_027_370, rows=1_027_370),
}
IN_PART = ("shop", "social")
ROWS = 12_000
EVENTS = "MATCH (:User)-[r]->(:Item) WHERE r.event_id IS NOT NULL RETURN count(r) AS events"


@dataclass
class Example:
    """A domain's data set in the graph; `whole` if all of it is."""

    name: str
    graph: Graph
    done: Imported
    whole: bool


def beginning(source: Path, target: Path, rows: int = ROWS) -> Path:
    """The first rows of the events' files, and all of the others."""
    target.mkdir()
    for path in source.iterdir():
        if path.suffix == ".parquet":
            pq.write_table(pq.read_table(path).slice(0, rows), target / path.name)
        elif path.suffix in (".inter", ".txt"):
            lines = path.read_text().split("\n")[: rows if path.suffix == ".inter" else 150]
            (target / path.name).write_text("\n".join(lines) + "\n")
        else:
            shutil.copy(path, target / path.name)
    return target


@pytest.fixture(scope="module", params=sorted(DATA))
def example(
    request: pytest.FixtureRequest, neo4j_address, data_folder: Path, tmp_path_factory
) -> Iterator[Example]:
    """Every domain's data set in turn, in a graph of its own."""
    name, address = request.param, neo4j_address
    whole = name not in IN_PART or request.config.getoption("--whole")
    folder = data_folder / DATA[name]
    if not whole:
        folder = beginning(folder, tmp_path_factory.mktemp(name) / DATA[name])
    domain = load_domain(name)
    with Graph(address.uri, address.password, user=address.user) as graph, Rejects() as rejects:
        wipe(graph)
        create_schema(graph, domain)
        done = import_dataset(graph, domain, find_dataset(folder, domain), rejects)
        yield Example(name, graph, done, whole)
        wipe(graph)


def questions(name: str) -> list[str]:
    """The Cypher of a page, in order."""
    commands = [shlex.split(line) for line in blocks(f"docs/domains/{name}.md", "sh")]
    return [words[4] for words in commands if words[3] == "cypher"]


@pytest.mark.timeout(3600)
def test_a_data_set_is_imported_with_the_counts_of_its_files(example):
    counted = example.graph.read(EVENTS)[0]["events"]

    assert counted == example.done.events > 1000
    if example.whole:
        assert example.done == WHOLE[example.name]


@pytest.mark.timeout(3600)
def test_the_audit_passes_with_the_domains_thresholds(example):
    require_sound(example.graph, load_domain(example.name))


@pytest.mark.timeout(3600)
def test_the_pages_questions_are_answered(example):
    asked = questions(example.name)
    answers = [json.loads(text) for text in blocks(f"docs/domains/{example.name}.md", "json")]
    assert len(asked) == len(answers) >= 3

    for statement, documented in zip(asked, answers, strict=True):
        table = explore(example.graph, statement, timeout=120)
        assert list(table.columns) == list(documented[0])
        if example.whole:
            assert [dict(zip(table.columns, row, strict=True)) for row in table.rows] == documented


@pytest.mark.parametrize("name", sorted(DATA))
def test_a_page_says_how_to_import_and_counts_as_the_files(name):
    text = (PAGES / f"{name}.md").read_text("utf-8")

    assert f"pathlight --domain {name} import ../shared/data/{DATA[name]}" in text
    for count in {WHOLE[name].events, WHOLE[name].rows, WHOLE[name].users} - {0, 406_829}:
        assert f"{count:,}" in text
    assert f"({name}.svg)" in text and f"../../domains/{name}.toml" in text


@pytest.mark.parametrize("name", sorted(DATA))
def test_a_picture_is_that_of_its_domain(name):
    spec = importlib.util.spec_from_file_location("draw", PAGES / "draw.py")
    draw = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(draw)
    picture = (PAGES / f"{name}.svg").read_text("utf-8")
    domain = load_domain(name)

    assert picture == draw.draw(domain), "draw it again: python docs/domains/draw.py"
    fields = [*domain.item.fields.values(), *domain.user.fields.values()]
    drawn = re.findall(r">([^<>]+)</", picture)
    for spec in domain.events.values():
        assert spec.relationship in drawn
    for label in [spec.node.label for spec in fields if spec.node]:
        assert label in drawn


def test_every_shipped_domain_has_its_page():
    shipped = {path.stem for path in (ROOT / "domains").glob("*.toml")}

    assert shipped == set(DATA) == {path.stem for path in PAGES.glob("*.md")}
