"""An artifact asked for its attention again: the same model on the same events."""

from pathlib import Path

import numpy as np
import pytest

from graphdb.snapshot import read_snapshot
from training.artifact import ArtifactError
from training.attended import NoAttentionError, export_attention
from training.attention_file import read_attention
from training.models.gat import GATConfig
from training.models.mf import MFConfig
from training.running.loop import TrainingConfig
from training.search.recipe import RecipeConfig
from training.train import train

ROWS = [
    (user, (user * step) % 5, 0.5 + step / 8, user + step)
    for user in range(6)
    for step in (1, 2, 3)
]


def trained(snapshot: Path, artifact: Path, model) -> None:
    config = RecipeConfig(
        model=model,
        training=TrainingConfig(max_epochs=2),
        hops=(1,),
        temperature_ratios=(),
        others=(),
        alone=True,
    )
    train(snapshot, artifact, config=config)


@pytest.mark.parametrize("head", ["inner_product", "bilinear"])
def test_a_persons_events_share_one_in_the_order_of_the_snapshot(make_snapshot, tmp_path, head):
    snapshot, artifact = make_snapshot(ROWS, 7, 5), tmp_path / "m"
    trained(snapshot, artifact, GATConfig(dimensions=8, head=head))

    assert export_attention(snapshot, artifact) == len(ROWS)

    table, events = read_attention(artifact), read_snapshot(snapshot).events
    assert table["user"].to_pylist() == [f"u{row}" for row in events["user"].to_pylist()]
    assert table["item"].to_pylist() == [f"i{row}" for row in events["item"].to_pylist()]
    assert table["at"].equals(events["at"])
    shares = table["attention"].to_numpy()
    sums = np.bincount(events["user"].to_numpy(), shares, minlength=7)
    np.testing.assert_allclose(sums, [1] * 6 + [0], atol=1e-5)
    assert np.ptp(shares) > 1e-4, "uniform shares are those of a model that learned nothing"


def test_a_model_without_attention_is_refused(make_snapshot, tmp_path):
    snapshot = make_snapshot(ROWS, 7, 5)
    trained(snapshot, tmp_path / "m", MFConfig(dimensions=8))

    with pytest.raises(NoAttentionError, match="model mf attends to nothing: train gat"):
        export_attention(snapshot, tmp_path / "m")


def test_another_snapshot_is_refused(make_snapshot, tmp_path):
    trained(make_snapshot(ROWS, 7, 5), tmp_path / "m", GATConfig(dimensions=8))
    other = make_snapshot(ROWS[:-1], 7, 5, name="other")

    with pytest.raises(ArtifactError, match="was trained on snapshot snapshot, not on other"):
        export_attention(other, tmp_path / "m")
