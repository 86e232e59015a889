"""The search's command called in this process: killed by no one, its recipe is trained."""

import argparse
import json
from pathlib import Path

from training.commands import train, tune
from training.running.loop import silent


def test_what_is_found_is_trained_and_what_was_tried_is_in_the_artifact(make_snapshot, tmp_path):
    rows = [(user, (user * 5 + n) % 11, 1.0, n) for user in range(12) for n in range(9)]
    snapshot, study = make_snapshot(rows, 12, 11), tmp_path / "study"
    asked = ["--model=lightgcn", "--loss=bpr", "--set=training.max_epochs=2", "--alone"]

    told = called(tune, snapshot, study, "--trials=2", "--seed=4", *asked)
    called(train, snapshot, tmp_path / "m", "--seed=4", f"--recipe={told['recipe']}")

    recipe = json.loads((study / "recipe.json").read_text())
    model = json.loads((tmp_path / "m" / "model.json").read_text())
    assert (told["trials"], told["seed"]) == (2, 4)
    assert model["recipe"]["model"] == recipe["model"]
    assert model["recipe"]["training"]["learning_rate"] == recipe["training"]["learning_rate"]
    assert model["trials"][:2] == recipe["trials"]
    assert model["blend"] == 0


def called(command, *arguments: Path | str) -> dict:
    """What the command prints last."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(list(map(str, arguments))), silent)
