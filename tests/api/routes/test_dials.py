"""docs/dials.md as its reader asks: every dial on films and on a shop, through a real API."""

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import httpx
import numpy as np
import pytest
import scipy.sparse as sp

from api.loop.publication import publish
from graphdb.catalogue.catalogue import save_items
from graphdb.connection import Graph
from graphdb.domain import parse_domain
from graphdb.events.events import save_events
from graphdb.people.people import fetch_people
from graphdb.schema import create_schema
from tests.api.conftest import api_on, until_mapped
from tests.api.versions import D, build_artifact
from tests.documents import blocks
from tests.rows import event_row, item_row
from tests.wiping import wipe
from training.scorer import Scorer

PAGE = "docs/dials.md"
EXAMPLES = list(zip(blocks(PAGE, "http")[::2], blocks(PAGE, "http")[1::2], strict=True))
FILMS = [pair for pair in EXAMPLES if '"bob"' not in pair[0] and "=bob" not in pair[0]]
SHOP = [pair for pair in EXAMPLES if pair not in FILMS]

Rows = list[tuple[str, dict, list[float], int]]
"""Of each item its id, its fields, its vector, and how popular it is."""

SCI_FI, DRAMA, COMEDY = ({"genres": [genre]} for genre in ("Sci-Fi", "Drama", "Comedy"))
SEEN_FILMS: Rows = [
    ("alien", SCI_FI, [1, 0, 0], 95),
    ("contact", SCI_FI, [1, 0, 0], 60),
    ("tokyo-story", DRAMA, [0, 1, 0], 20),
]
SOME_FILMS: Rows = [
    ("arrival", SCI_FI, [0.95, 0.05, 0], 90),
    ("moon", SCI_FI, [0.92, 0, 0.1], 20),
    ("solaris", SCI_FI, [0.85, 0.25, 0], 30),
    ("stalker", SCI_FI, [0.8, 0.3, 0], 6),
    ("ikiru", DRAMA, [0.1, 0.95, 0], 9),
    ("rashomon", DRAMA, [0, 0.9, 0], 40),
    ("amelie", COMEDY, [0, 0.05, 0.95], 80),
    ("playtime", COMEDY, [0, 0, 0.9], 3),
]
KITCHEN, LIVING = {"categories": ["Kitchen"]}, {"categories": ["Living"]}
BOUGHT: Rows = [("cup", KITCHEN, [1, 0], 10), ("candle", LIVING, [0, 1], 10)]
ARTICLES: Rows = [
    ("teapot", KITCHEN | {"brand": "Acme"}, [0.95, 0.1], 50),
    ("kettle", KITCHEN | {"brand": "Acme"}, [0.9, 0.15], 40),
    ("mug", KITCHEN | {"brand": "Acme"}, [0.85, 0.2], 70),
    ("tray", KITCHEN | {"brand": "Smith"}, [0.5, 0.2], 4),
    ("bowl", KITCHEN | {"brand": "Baker"}, [0.45, 0.1], 3),
    ("lamp", LIVING | {"brand": "Acme"}, [0.1, 0.6], 30),
    ("cushion", LIVING, [0.05, 0.5], 2),
]


def padded(vector: list[float]) -> list[float]:
    return [*vector, *[0.0] * (D - len(vector))]


def fill(graph: Graph, home: Path, text: str, user: str, taste: list[float], *rows: Rows) -> None:
    """Publish a version that scores an item by `taste` · its vector. The user has met the first
    rows."""
    domain, (seen, unseen) = parse_domain(text, "domain.toml"), rows
    wipe(graph)
    create_schema(graph, domain)
    found = {id: (fields, vector, count) for id, fields, vector, count in [*seen, *unseen]}
    save_items(graph, domain, [item_row(id, **fields) for id, (fields, _, _) in found.items()])
    kind = "rated" if "rated" in domain.events else "bought"
    save_events(graph, domain, "api", [event_row(user, id, event_type=kind) for id, *_ in seen])
    ids = sorted(found)
    history = np.isin(ids, [id for id, *_ in seen]).astype(np.float32)[None, :]
    vectors = np.array([padded(found[id][1]) for id in ids], np.float32)
    nothing = sp.csr_matrix((len(ids), len(ids)), dtype=np.float32)
    scorer = Scorer(vectors, np.zeros_like(vectors), nothing, 0.0, cosine=False)
    build_artifact(
        graph,
        home / "artifacts" / "v1",
        similarity="inner_product",
        scorer=scorer,
        residuals=np.array([padded(taste)], np.float32),
        history=sp.csr_matrix(history),
        seen=sp.csr_matrix(history),
        popularity=np.array([found[id][2] for id in ids], np.float32),
    )
    assert len(fetch_people(graph)) == 1
    publish(graph, home / "artifacts" / "v1")


@pytest.fixture(scope="module", params=["films", "shop"])
def asked(request, neo4j_address, tmp_path_factory) -> Iterator[tuple[httpx.Client, list]]:
    """An API on the one domain or the other, and the page's examples for it."""
    films = request.param == "films"
    home = tmp_path_factory.mktemp(request.param)
    (home / "artifacts").mkdir()
    text = resources.files("domains").joinpath(f"{request.param}.toml").read_text()
    if not films:
        (groups,) = blocks(PAGE, "toml")
        text = f"{text}\n{groups}\n"
    (home / "domain.toml").write_text(text)
    address = neo4j_address
    with Graph(address.uri, address.password, user=address.user) as graph:
        if films:
            fill(graph, home, text, "ann", [1, 0.7, 0.5], SEEN_FILMS, SOME_FILMS)
        else:
            fill(graph, home, text, "bob", [1, 0.5], BOUGHT, ARTICLES)
    told = {"PATHLIGHT_DOMAIN": str(home / "domain.toml"), "PATHLIGHT_GRAPH_PATIENCE_S": "30"}
    with (
        api_on(address, home, **told) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        until_mapped(url)
        yield client, FILMS if films else SHOP


def test_each_request_of_the_page_is_answered_as_it_says(asked):
    client, examples = asked
    assert len(examples) >= 4
    for request, documented in examples:
        head, _, body = request.partition("\n\n")
        method, path = head.split()
        answer = client.request(method, path, json=json.loads(body) if body else None)
        line, _, text = documented.partition("\n\n")
        assert answer.status_code == int(line.split()[1]), request
        assert same(json.loads(text), answer.json()), (request, answer.json())


def same(documented, real) -> bool:
    """As tests.documents.matches, but that scores are the page's own."""
    if documented == "…":
        return True
    if isinstance(documented, dict):
        return documented.keys() == real.keys() and all(
            name == "took_ms" or same(value, real[name]) for name, value in documented.items()
        )
    if isinstance(documented, list):
        return len(documented) == len(real) and all(map(same, documented, real))
    if isinstance(documented, float):
        return real == pytest.approx(documented, abs=0.006)
    return documented == real
