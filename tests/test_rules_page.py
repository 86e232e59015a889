"""docs/rules.md as its reader runs it: each domain with its rules, data and requests, over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import httpx
import pytest

from api.publication import publish
from graphdb.catalogue import save_items
from graphdb.connection import Graph
from graphdb.domain import parse_domain
from graphdb.event_row import micros
from graphdb.events import save_events
from graphdb.relations import save_relations
from graphdb.schema import create_schema
from graphdb.served import save_served
from tests.api.conftest import api_on, until_mapped
from tests.api.versions import build_artifact
from tests.conftest import wipe
from tests.documents import blocks, matches
from tests.graphdb.test_served import served_row
from tests.rows import event_row, item_row

PAGE = "docs/rules.md"
DOMAINS = dict(
    zip(
        ("films", "shop"), zip(blocks(PAGE, "toml"), blocks(PAGE, "json"), strict=True), strict=True
    )
)
HTTP = blocks(PAGE, "http")
EXAMPLES = {"films": HTTP[:2], "shop": HTTP[2:]}


@dataclass
class Served:
    """A domain of the page, served with its data."""

    name: str
    client: httpx.Client


@pytest.fixture(scope="module", params=sorted(DOMAINS))
def served(request, neo4j_address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A published version of the page's items, its events newer than that."""
    name, address = request.param, neo4j_address
    rules, text = DOMAINS[name]
    data, home = json.loads(text), tmp_path_factory.mktemp(name)
    # What is asked here is right or wrong, never late.
    patient = rules.replace("timeout_ms = 200", "timeout_ms = 10000")
    toml = resources.files("domains").joinpath(f"{name}.toml").read_text() + "\n" + patient
    (home / "artifacts").mkdir()
    (home / "ruled.toml").write_text(toml)
    domain = parse_domain(toml, "ruled.toml")
    with Graph(address.uri, address.password, user=address.user) as graph:
        wipe(graph)
        create_schema(graph, domain)
        fill(graph, domain, data, home)
        told = {"PATHLIGHT_DOMAIN": str(home / "ruled.toml"), "PATHLIGHT_GRAPH_PATIENCE_S": "30"}
        with (
            api_on(address, home, **told) as url,
            httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
        ):
            until_mapped(url)
            yield Served(name, client)


def fill(graph: Graph, domain, data: dict, home: Path) -> None:
    rows = [{k: v for k, v in item.items() if k != "id"} for item in data["items"]]
    items = zip(data["items"], rows, strict=True)
    save_items(graph, domain, [item_row(item["id"], **fields) for item, fields in items])
    # Somebody has to be known to the version.
    somebody = event_row("somebody", data["items"][0]["id"], event_type=next(iter(domain.events)))
    save_events(graph, domain, "import:made", [somebody])
    build_artifact(graph, home / "artifacts" / "v1")
    publish(graph, home / "artifacts" / "v1")
    events = [
        event_row(e["user"], e["item"], event_type=e["type"], at=days_before(e["days_ago"]))
        for e in data["events"]
    ]
    save_events(graph, domain, "api", events)
    save_relations(graph, domain, [{**link, "weight": None} for link in data["relations"]])
    save_served(
        graph,
        [
            served_row(str(n), one["user"], one["items"], at=micros(days_before(one["days_ago"])))
            for n, one in enumerate(data.get("shown", []))
        ],
    )


def days_before(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def test_the_page_is_what_the_api_answers(served):
    texts = EXAMPLES[served.name]
    assert len(texts) >= 2

    for asked, told in zip(texts[::2], texts[1::2], strict=True):
        head, _, body = asked.partition("\n\n")
        method, path = head.split()
        real = served.client.request(method, path, json=json.loads(body)).json()
        documented = json.loads(told.partition("\n\n")[2])
        assert matches(documented, real), json.dumps(real, indent=1)
