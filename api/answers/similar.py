"""What is like an item or a person: items by the version's item–item weights, by their texts or by
what the graph knows of them; people by their vectors."""

from typing import Any, Literal

import numpy as np

from api.answers.answer import Answer, Query, Recommended
from api.answers.recommender import Recommender
from api.serving.index_space import query_vector
from api.serving.mapped import MappedVersion
from api.serving.serving import Serving
from graphdb.answers.likeness import list_peers, list_similar_by_knowledge
from graphdb.answers.retrieval import item_exists, list_similar
from graphdb.answers.text_likeness import list_similar_by_text
from graphdb.domain import Domain
from graphdb.errors import GraphUnavailableError
from graphdb.versions.versions import fetch_serving

By = Literal["behaviour", "text", "knowledge"]
SOURCES = {"behaviour": "similar", "text": "text", "knowledge": "knowledge"}


def similar(
    serving: Serving,
    domain: Domain,
    item_id: str,
    k: int,
    exclude_ids: frozenset[str],
    by: By | None = None,
) -> Answer | None:
    """The k items most like one item; None when nobody knows it. by: None for behaviour or, where
    there is none, text. Without the graph behaviour alone is known."""

    def in_graph() -> Answer | None:
        return _in_graph(serving, domain, item_id, k, exclude_ids, by)

    def in_memory(version: MappedVersion) -> Answer | None:
        if by in ("text", "knowledge"):
            raise GraphUnavailableError(f"what is similar by {by} is known to the graph alone")
        return _in_memory(version, item_id, k, exclude_ids)

    return serving.answer(in_graph, None, in_memory)


def _in_graph(
    serving: Serving,
    domain: Domain,
    item_id: str,
    k: int,
    exclude_ids: frozenset[str],
    by: By | None,
) -> Answer | None:
    graph, excluded = serving.graph, [*exclude_ids, item_id]
    version = fetch_serving(graph)
    rows: list[dict[str, Any]] = []
    for way in (by,) if by else ("behaviour", "text"):
        if way == "behaviour" and version is not None:
            rows = list_similar(graph, version["slot"], item_id, k, excluded)
        elif way == "text":
            rows = list_similar_by_text(graph, item_id, k, excluded)
        elif way == "knowledge":
            rows = list_similar_by_knowledge(graph, domain, item_id, k, excluded)
        if rows:
            break
    if not rows and not item_exists(graph, item_id):
        return None
    items = [
        Recommended(row["id"], rank, row["score"], [SOURCES[way]])
        for rank, row in enumerate(rows, 1)
    ]
    return Answer(version["id"] if version else None, None, items)


def similar_people(
    serving: Serving, recommender: Recommender, user_id: str, k: int
) -> tuple[str | None, list[dict[str, Any]]] | None:
    """The version and the k people most like one, by the vectors it was published with and the
    person's own of this moment; None when nobody knows the person."""

    def in_graph() -> tuple[str | None, list[dict[str, Any]]] | None:
        version, person = recommender.who(Query(user_id))
        if not person.keys:
            return None
        if version is None:
            return None, []
        history = version.history(person.keys, person.events, person.totals)
        vector = version.artifact.scorer.user_vectors(history.row, history.residuals)[0]
        if not vector.any():
            return version.id, []
        asked = query_vector(vector, version.artifact.model.similarity)
        found = list_peers(serving.graph, version.id, version.slot, asked, person.keys, k)
        if found is None:
            raise GraphUnavailableError(f"version {version.id} is gone")
        return version.id, found

    def in_memory(version: MappedVersion) -> None:
        raise GraphUnavailableError("who is similar is known to the graph alone")

    return serving.answer(in_graph, None, in_memory)


def _in_memory(
    version: MappedVersion, item_id: str, k: int, exclude_ids: frozenset[str]
) -> Answer | None:
    row = version.item_rows.get(item_id)
    if row is None:
        return None
    weights = version.artifact.scorer.similar[row]
    ids = version.artifact.item_ids
    barred = exclude_ids | version.withheld.now() | {item_id}
    order = np.argsort(-weights.data, kind="stable")
    found = [(ids[weights.indices[n]], float(weights.data[n])) for n in order]
    kept = [(item, weight) for item, weight in found if weight > 0 and item not in barred]
    items = [
        Recommended(item, rank, weight, ["memory"])
        for rank, (item, weight) in enumerate(kept[:k], 1)
    ]
    return Answer(version.id, version.as_of, items, None, ["graph"])
