"""`pathlight demo`: the whole loop on an example, in one terminal, timed and explained.

A second run starts from what the first left: only what changed is loaded, encoded and trained.
"""

import json
import os
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.ask import print_answer
from api.client import Client
from api.client.types import AnswerOut
from api.local.stack import Stack, running
from api.local.status import resident_bytes
from api.loop.cycle import export, publish_artifact, train
from api.settings import Settings
from api.terminal import Steps, say, show
from graphdb.answers.paths import fetch_history, list_typical
from graphdb.connection import Graph, Neo4jSettings
from graphdb.domain import Domain, load_domain
from graphdb.export.export import fetch_cut
from graphdb.schema import create_schema
from graphdb.versions.versions import fetch_serving
from ingest.datasets.dataset import Dataset, load
from ingest.datasets.folders import read_folder
from ingest.datasets.generator import generate
from ingest.errors import DatasetError
from training.artifact import Model, read_model

SEED = 1
PEOPLE = (0.25, 0.5, 0.75)
"""Shares of the order by activity at which the three people stand."""
HISTORY, LIST = 5, 5
PATIENCE_S = 30
"""A machine that has just trained may make the API answer from memory for a moment."""


def run_demo(
    settings: Settings, neo4j: Neo4jSettings, data: Path | None, *, leave: bool, as_json: bool
) -> None:
    """Run the loop and serve until Ctrl-C, or end there with `leave`. Raises PathlightError."""
    started = time.perf_counter()
    dataset = generate() if data is None else read_folder(data)
    if not isinstance(dataset, Dataset):
        raise DatasetError(f"{data}: the demo shows films in RecBole's files; import this instead")
    domain = load_domain(settings.domain)
    # A data set of its own is a graph of its own.
    settings = settings.model_copy(update={"home": settings.home / f"demo-{dataset.name}"})
    if not as_json:
        say(dataset.description, style="bold")
    with _peak_memory() as memory, ExitStack() as block:
        with Steps(as_json) as steps:
            stack = block.enter_context(running(settings, neo4j, steps.advance))
            with Graph.from_settings(stack.neo4j) as graph:
                model = learn(settings, stack.neo4j, graph, domain, dataset, steps)
                people = _people(graph, domain, stack, model.id)
        facts = {
            "api": stack.api_url,
            "model_version": model.id,
            "seed": model.seed,
            "metrics": model.metrics,
            "people": people,
            "seconds": {step: round(s, 1) for step, s in steps.seconds.items()},
            "total_seconds": round(time.perf_counter() - started, 1),
            "peak_memory_mb": memory["peak"] >> 20,
        }
        _tell(facts, as_json)
        if not leave:
            if not as_json:
                say(f"\nThe API answers at {stack.api_url}/docs until Ctrl-C.")
            threading.Event().wait()


def learn(
    settings: Settings,
    neo4j: Neo4jSettings,
    graph: Graph,
    domain: Domain,
    dataset: Dataset,
    steps: Steps,
) -> Model:
    """Load, export, train and publish; nothing of it when what serves has all of it."""
    create_schema(graph, domain)
    load(graph, domain, dataset, steps.advance)
    served = _up_to_date(settings, graph, domain)
    if served is not None:
        return served
    name = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    snapshot = export(settings, neo4j, graph, domain, name, steps.advance)
    artifact = train(settings, snapshot, name, steps.advance, seed=SEED)
    publish_artifact(settings, graph, artifact, 0, steps.advance)
    return read_model(artifact)


def _up_to_date(settings: Settings, graph: Graph, domain: Domain) -> Model | None:
    serving = fetch_serving(graph)
    if serving is None:
        return None
    model = read_model(settings.artifacts / serving["id"])
    same = model.domain_hash == domain.digest and model.cut == fetch_cut(graph)
    return model if same else None


def _people(graph: Graph, domain: Domain, stack: Stack, version: str) -> list[dict[str, Any]]:
    return [
        {
            "user_id": user,
            "history": fetch_history(graph, domain, user, HISTORY),
            "answer": _answer(stack, user, version),
        }
        for user in list_typical(graph, domain, PEOPLE)
    ]


def _answer(stack: Stack, user: str, version: str) -> AnswerOut:
    """What `version` recommends; asked again while another serves or the answer is degraded."""
    given_up = time.monotonic() + PATIENCE_S
    with Client(stack.api_url, stack.settings.api_key.get_secret_value()) as client:
        while True:
            answer = client.recommend(user_id=user, k=LIST, include=["item", "reasons"])
            whole = answer["model_version"] == version and not answer["degraded"]
            if whole or time.monotonic() > given_up:
                return answer
            time.sleep(0.5)


def _tell(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts, default=str), flush=True)
        return
    say(f"\nHow well (a held-out part of each history, seed {facts['seed']})", style="bold")
    show([{"model": name, **values} for name, values in facts["metrics"].items()], False)
    for person in facts["people"]:
        say(f"\n{person['user_id']} lately", style="bold")
        for event in person["history"]:
            value = "" if event["value"] is None else f" {event['value']:g}"
            title = event["item"].get("title", event["id"])
            say(f"  {event['at'][:10]}  {event['type']}{value}: {title}")
        say("and next (score; the share of it that each reason carries)")
        print_answer(person["answer"])
    seconds = "; ".join(f"{step} {seconds:g}" for step, seconds in facts["seconds"].items())
    say(f"\n{facts['total_seconds']:g} seconds in all, of them: {seconds}")
    say(f"Peak memory of all processes: {facts['peak_memory_mb']:,} MB")


@contextmanager
def _peak_memory() -> Generator[dict[str, int]]:
    """The largest sum of resident memory of this process and everything it has started."""
    measured, stopped = {"peak": 0}, threading.Event()

    def watch() -> None:
        while not stopped.wait(0.5):
            measured["peak"] = max(measured["peak"], resident_bytes(os.getpid()))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield measured
    finally:
        stopped.set()
        thread.join()
