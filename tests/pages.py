"""A page's worlds, served as its reader would have them: a domain, its data, requests and answers.

A page has for each world a TOML block, which goes behind a shipped domain's file, then a JSON block
of items, events, relations and lists that were shown, then requests and their answers.
"""

import json
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import httpx

from api.loop.publication import publish
from graphdb.answers.served import save_served
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import save_relations
from graphdb.connection import Graph
from graphdb.domain import Domain, parse_domain
from graphdb.events.event_row import micros
from graphdb.events.events import save_events
from graphdb.schema import create_schema
from tests.api.conftest import api_on, until_mapped, until_ranked
from tests.api.versions import build_artifact
from tests.documents import FENCE, ROOT, matches
from tests.graphdb.answers.test_served import served_row
from tests.rows import event_row, item_row
from tests.wiping import wipe


@dataclass(frozen=True)
class World:
    """One world of a page; examples: requests, each with its answer."""

    more: str
    data: dict
    examples: list[tuple[str, str]]


def worlds(page: str) -> list[World]:
    """The worlds of a page, in order."""
    text = (ROOT / page).read_text("utf-8")
    found = []
    for part in re.split(r"^(?=```toml$)", text, flags=re.MULTILINE)[1:]:
        blocks = [(kind, block.strip()) for kind, block in FENCE.findall(part)]
        (_, more), (_, data), *http = blocks
        told = [block for kind, block in http if kind == "http"]
        found.append(World(more, json.loads(data), list(zip(told[::2], told[1::2], strict=True))))
    return found


@contextmanager
def served(world: World, name: str, address, home: Path, redis: str) -> Generator[httpx.Client]:
    """A published version of the world's items over the shipped domain, its events newer."""
    # What is asked here is right or wrong, never late.
    patient = world.more.replace("timeout_ms = 200", "timeout_ms = 10000")
    toml = resources.files("domains").joinpath(f"{name}.toml").read_text() + "\n" + patient
    (home / "artifacts").mkdir()
    (home / "page.toml").write_text(toml)
    domain = parse_domain(toml, "page.toml")
    with Graph(address.uri, address.password, user=address.user) as graph:
        wipe(graph)
        create_schema(graph, domain)
        _fill(graph, domain, world.data, home)
        told = {
            "PATHLIGHT_DOMAIN": str(home / "page.toml"),
            "PATHLIGHT_GRAPH_PATIENCE_S": "30",
            "PATHLIGHT_REDIS_URL": redis,
        }
        with (
            api_on(address, home, **told) as url,
            httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
        ):
            until_mapped(url)
            until_ranked(url)
            yield client


def _fill(graph: Graph, domain: Domain, data: dict, home: Path) -> None:
    rows = [{k: v for k, v in item.items() if k != "id"} for item in data["items"]]
    items = zip(data["items"], rows, strict=True)
    save_items(graph, domain, [item_row(item["id"], **fields) for item, fields in items])
    # Somebody has to be known to the version.
    somebody = event_row("somebody", data["items"][0]["id"], event_type=next(iter(domain.events)))
    save_events(graph, domain, "import:made", [somebody])
    build_artifact(graph, home / "artifacts" / "v1")
    publish(graph, home / "artifacts" / "v1")
    events = [
        event_row(e["user"], e["item"], event_type=e["type"], at=_days_before(e["days_ago"]))
        for e in data["events"]
    ]
    save_events(graph, domain, "api", events)
    save_relations(graph, domain, [{**link, "weight": None} for link in data["relations"]])
    save_served(
        graph,
        [
            served_row(str(n), one["user"], one["items"], at=micros(_days_before(one["days_ago"])))
            for n, one in enumerate(data.get("shown", []))
        ],
    )


def _days_before(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def check_examples(client: httpx.Client, world: World) -> None:
    """Ask what the page asks; each answer must be as it is told there."""
    assert world.examples
    for asked, told in world.examples:
        head, _, body = asked.partition("\n\n")
        method, path = head.split()
        real = client.request(method, path, json=json.loads(body) if body else None).json()
        documented = json.loads(told.partition("\n\n")[2])
        assert matches(documented, real), json.dumps(real, indent=1)
