"""From a trained model's attention to a property that an analyst reads."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from api.loop.attention import attended, publish_attention
from api.loop.publication import publish
from api.settings import Settings
from graphdb.export.export import export_snapshot
from graphdb.snapshot import SnapshotError
from graphdb.versions.attention import Attended
from tests.api.pathlight import Run, refused
from training.attention_file import ATTENTION
from training.models.gat import GATConfig
from training.running.loop import TrainingConfig
from training.search.recipe import RecipeConfig
from training.train import train

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
US = int(MOMENT.timestamp()) * 1_000_000
SUMS = """
MATCH (u:User)-[r:RATED]->(:Item)
RETURN count(r) AS events, sum(r.attention_b) AS attention, min(r.attention_b) AS least,
       count(r.attention_a) AS others, u.id AS user
"""


def test_rows_are_put_together_by_person():
    columns = {
        "user": ["k1", "k1", "k2"],
        "item": ["1", "2", "1"],
        "type": ["rated", "watched", "rated"],
        "at": [MOMENT, MOMENT + timedelta(seconds=1), MOMENT],
        "attention": [0.25, 0.75, 1.0],
    }

    assert list(attended(pa.table(columns, ATTENTION))) == [
        Attended("k1", {("rated", "1", US): 0.25, ("watched", "2", US + 1_000_000): 0.75}),
        Attended("k2", {("rated", "1", US): 1.0}),
    ]


def test_what_gat_attends_to_stands_on_the_events_and_sums_to_one(
    graph, domain, world, artifacts, monkeypatch
):
    monkeypatch.setenv("PATHLIGHT_HOME", str(artifacts.parent))
    settings = Settings()
    export_snapshot(graph, domain, settings.snapshots / "s1")
    config = RecipeConfig(
        model=GATConfig(dimensions=8), training=TrainingConfig(max_epochs=2), hops=(1,), alone=True
    )
    train(settings.snapshots / "s1", artifacts / "v2", config=config)
    publish(graph, artifacts / "v2")
    told = []

    written = publish_attention(
        settings, graph, domain, artifacts / "v2", lambda *step: told.append(step)
    )

    assert written == 120
    rows = graph.read(SUMS)
    assert len(rows) == 12
    assert all(row["events"] == 10 and row["least"] > 0 and not row["others"] for row in rows)
    assert [row["attention"] for row in rows] == pytest.approx([1] * 12, abs=1e-5)
    assert ("attention", 1, 1) in told and told[-1] == ("write", 1, 1)


def test_without_its_snapshot_it_is_refused(graph, domain, world, artifacts, monkeypatch):
    monkeypatch.setenv("PATHLIGHT_HOME", str(artifacts.parent))

    with pytest.raises(SnapshotError, match="made is not a snapshot"):
        publish_attention(Settings(), graph, domain, artifacts / "v1", lambda *step: None)


def test_the_command_says_in_a_sentence_what_it_lacks(on_graph: Run, artifacts):
    assert "made is not a snapshot" in refused(on_graph("attention", str(artifacts / "v1")))
