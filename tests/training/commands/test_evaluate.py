"""The evaluation command called in this process."""

import argparse
from pathlib import Path

import pytest

from training.commands.evaluate import add_arguments, run
from training.errors import TrainingError
from training.judging.judgement import read_judgement
from training.running.loop import Progress
from training.train import train

ROWS = [(user, (user + step) % 4, 1.0, step) for user in range(8) for step in range(3)]


@pytest.fixture
def places(make_snapshot, tmp_path: Path) -> list[str]:
    """The directories of an artifact and of its snapshot."""
    snapshot = make_snapshot(ROWS, 8, 4)
    train(snapshot, tmp_path / "m")
    return [str(tmp_path / "m"), str(snapshot)]


def called(words: list[str], told: list[Progress] | None = None) -> dict:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(words), (told if told is not None else []).append)


def test_the_artifacts_judgement_is_the_latest_one(places):
    told: list[Progress] = []

    result = called([*places, "--split", "last", "--cutoff", "2", "--cutoff", "1"], told)

    found = read_judgement(Path(places[0]))
    assert result == {"judgement": f"{places[0]}/judgement.json", "users": 8}
    assert (found.split, found.cutoffs) == ("leaving each user's last item out", [1, 2])
    assert {step.step for step in told} == {"refit of m", "evaluation"}


def test_or_a_file_of_its_own(places, tmp_path):
    called([*places, "--split", "last"])
    before = read_judgement(Path(places[0]))

    called([*places, "--split", "random", "--share", "0.3", "--out", str(tmp_path / "j.json")])

    assert read_judgement(Path(places[0])) == before
    assert "chance within each user" in read_judgement(tmp_path / "j.json").split


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--share", "1.5"], "share is 1.5, expected a number more than 0 and less than 1"),
        (["--cutoff", "0"], r"cutoffs are \[0\], expected whole numbers of at least 1"),
        (["--against", "nowhere"], "nowhere is not an artifact: it has no model.json"),
        (["--given", "none.csv"], "there is no file none.csv"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(words, sentence, places):
    with pytest.raises(TrainingError, match=sentence):
        called([*places, "--split", "last", *words])
