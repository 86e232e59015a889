"""The training command called in this process."""

import argparse
import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.commands.train import add_arguments, run
from training.errors import SettingError
from training.running.loop import Progress
from training.search.choice import Choice


def test_what_is_parsed_is_trained_and_told(make_snapshot, tmp_path: Path):
    snapshot = make_snapshot([(user, user % 3, 1.0, user) for user in range(6)], 6, 3)
    told: list[Progress] = []

    result = run(parsed(str(snapshot), str(tmp_path / "m"), "--seed", "4"), told.append)

    assert result["model"] == "m"
    assert json.loads((tmp_path / "m" / "model.json").read_text())["seed"] == 4
    assert told
    (events,) = (tmp_path / "m" / "tensorboard").iterdir()
    curves = EventAccumulator(str(events)).Reload().Tags()["scalars"]
    assert any(name.endswith("/loss") for name in curves)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "snapshot"]


def test_another_attempt_of_another_name_goes_on_from_the_same_checkpoints(
    make_snapshot, tmp_path: Path
):
    snapshot = make_snapshot([(user, user % 3, 1.0, user) for user in range(6)], 6, 3)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    steps: dict[str, list[str]] = {"first": [], "second": []}

    def attempt(name: str, until: int) -> None:
        def report(progress: Progress) -> None:
            steps[name].append(progress.step)
            if len(set(steps[name])) == until:
                raise KeyboardInterrupt

        arguments = [str(snapshot), str(tmp_path / name), "--checkpoints", str(tmp_path / "kept")]
        run(parser.parse_args(arguments), report)

    with pytest.raises(KeyboardInterrupt):
        attempt("first", until=3)
    assert steps["first"][0] == "refit"
    attempt("second", until=99)

    assert "refit" not in steps["second"]
    assert "refit on all" in steps["second"]
    assert (tmp_path / "second").is_dir()
    assert not (tmp_path / "first").exists()
    assert not (tmp_path / "kept").exists()


def test_what_is_asked_for_is_trained(make_snapshot, tmp_path: Path):
    snapshot = make_snapshot([(user, user % 3, 1.0, user) for user in range(6)], 6, 3)
    settings = ("model.hops=0", "training.max_epochs=2")
    asked = Choice("lightgcn", "bpr", settings, alone=True).arguments()

    run(parsed(str(snapshot), str(tmp_path / "m"), *asked), lambda progress: None)

    told = json.loads((tmp_path / "m" / "model.json").read_text())
    assert told["recipe"]["model"]["hops"] == 0
    assert told["recipe"]["training"]["loss"]["name"] == "bpr"
    assert (told["similarity"], told["blend"]) == ("inner_product", 0)


def test_a_setting_out_of_range_is_refused_before_anything_is_read(tmp_path: Path):
    with pytest.raises(SettingError, match=r"hops is 9, expected .* at least 0 and at most 8"):
        run(parsed(str(tmp_path), str(tmp_path / "m"), "--set=model.hops=9"), lambda progress: None)


def test_settings_beside_an_artifact_to_go_on_from_are_refused(tmp_path: Path):
    asked = (str(tmp_path), str(tmp_path / "m"), "--from", "m0", "--loss=bpr")

    with pytest.raises(SettingError, match="takes that artifact's settings as they are"):
        run(parsed(*asked), lambda progress: None)


def parsed(*arguments: str) -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)
