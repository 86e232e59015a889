"""`pathlight evaluate`: no stack runs, and a person or a program reads what it found."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from graphdb.snapshot import EVENTS, write_snapshot
from tests.api.pathlight import Run, refused
from tests.training.recipes import QUICK
from training.train import train

PEOPLE, ITEMS, EACH = 40, 20, 8


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """An artifact in the home, and the snapshot of two tastes that it was trained on."""
    home = tmp_path / "home"
    generator = np.random.default_rng(1)
    user = np.repeat(np.arange(PEOPLE), EACH)
    item = np.concatenate([generator.permutation(10)[:EACH] * 2 + u % 2 for u in range(PEOPLE)])
    rows = len(user)
    events = pa.record_batch(
        [
            pa.array(user, pa.int32()),
            pa.array(item, pa.int32()),
            pa.array(["RATED"] * rows).dictionary_encode().cast(EVENTS.field("type").type),
            pa.array(np.tile(np.arange(EACH), PEOPLE)).cast(EVENTS.field("at").type),
            pa.nulls(rows, pa.float64()),
            pa.array(np.ones(rows), pa.float32()),
            pa.array([True] * rows),
        ],
        schema=EVENTS,
    )
    write_snapshot(
        home / "snapshots" / "s1",
        users=pa.table({"key": [f"u{n}" for n in range(PEOPLE)]}),
        items=pa.table(
            {
                "id": [f"i{n}" for n in range(ITEMS)],
                "text": pa.nulls(ITEMS, pa.string()),
                "text_vector": pa.nulls(ITEMS, pa.list_(pa.float32())),
                "colour": ["red", "blue"] * (ITEMS // 2),
            }
        ),
        events=[events],
        edges={},
        domain="films",
        domain_hash="0" * 64,
        cut={},
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
    )
    train(home / "snapshots" / "s1", home / "artifacts" / "a1", config=QUICK)
    return home / "artifacts" / "a1"


def test_the_newest_artifact_is_judged_on_its_snapshot_as_tables(artifact: Path, run: Run):
    done = run("evaluate", "--split", "random", "--share=0.25", "--cutoff=5", "--group=colour")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "chance within each user, 25% asked for: 40 people tested (seed 1)"
    named = {line.split()[0] for line in lines if line.strip()}
    assert named >= {"default", "lightgcn", "popularity", "itemknn", "ease", "red", "blue"}
    assert "ndcg@5" in lines[1] and "coverage@5" in lines[1]
    assert lines[-1] == f"judgement {artifact}/judgement.json"


def test_json_is_the_judgement_itself_with_the_other_artifact_in_it(
    artifact: Path, run: Run, tmp_path: Path
):
    other = train(artifact.parents[1] / "snapshots" / "s1", tmp_path / "b1", config=QUICK, seed=2)
    before = (artifact / "judgement.json").read_bytes()

    done = run(
        *("evaluate", str(artifact), "--against", str(tmp_path / "b1"), "--split=users", "--json"),
        *("--share=0.3", "--out", str(tmp_path / "j.json")),
    )

    told = json.loads(done.stdout)
    assert told == json.loads((tmp_path / "j.json").read_text())
    assert (artifact / "judgement.json").read_bytes() == before
    assert told["users"] == 12
    assert other.id in {pair["second"] for pair in told["paired"]}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--split=monday"], "there is no split 'monday': expected one of latest, random, items,"),
        (["--share=2"], "share is 2.0, expected a number more than 0 and less than 1"),
        (["--group=size"], "property 'size' is not there: expected one of item.colour"),
        (["--against=nowhere"], "nowhere is not an artifact: it has no model.json"),
        (["--given=none.csv"], "there is no file none.csv"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(words, sentence, artifact: Path, run: Run):
    assert sentence in refused(run("evaluate", "--json", *words))


def test_without_an_artifact_it_is_one_sentence(run: Run):
    assert "there is no artifact in " in refused(run("evaluate"))
