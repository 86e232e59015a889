"""Items like an item: by the version's item–item weights, else by their texts."""

import numpy as np

from api.answer import Answer, Recommended
from api.mapped import MappedVersion
from api.serving import Serving
from graphdb.retrieval import item_exists, list_similar, list_similar_by_text
from graphdb.versions import fetch_serving


def similar(serving: Serving, item_id: str, k: int, exclude_ids: frozenset[str]) -> Answer | None:
    """The k items most like one item; None when nobody knows it."""

    def in_graph() -> Answer | None:
        return _in_graph(serving, item_id, k, exclude_ids)

    def in_memory(version: MappedVersion, missing: str) -> Answer | None:
        return _in_memory(version, missing, item_id, k, exclude_ids)

    return serving.answer(in_graph, in_memory)


def _in_graph(serving: Serving, item_id: str, k: int, exclude_ids: frozenset[str]) -> Answer | None:
    excluded = [*exclude_ids, item_id]
    version = fetch_serving(serving.graph)
    rows, source = [], "similar"
    if version is not None:
        rows = list_similar(serving.graph, version["slot"], item_id, k, excluded)
    if not rows:
        rows, source = list_similar_by_text(serving.graph, item_id, k, excluded), "text"
    if not rows and not item_exists(serving.graph, item_id):
        return None
    items = [
        Recommended(row["id"], rank, row["score"], [source]) for rank, row in enumerate(rows, 1)
    ]
    return Answer(version["id"] if version else None, None, items)


def _in_memory(
    version: MappedVersion, missing: str, item_id: str, k: int, exclude_ids: frozenset[str]
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
    return Answer(version.id, version.as_of, items, None, [missing])
