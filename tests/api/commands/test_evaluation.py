"""`pathlight evaluate`: no stack runs, and a person or a program reads what it found."""

import json
from pathlib import Path

from tests.api.pathlight import Run, refused
from tests.training.recipes import QUICK
from training.train import train


def test_the_newest_artifact_is_judged_on_its_snapshot_as_tables(artifact: Path, run: Run):
    done = run(
        *("evaluate", "--split", "random", "--share=0.25", "--cutoff=5", "--group=colour"),
        "--dial=diversity=0,0.5",
    )

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "chance within each user, 25% asked for: 40 people tested (seed 1)"
    named = {line.split()[0] for line in lines if line.strip()}
    assert named >= {"default", "lightgcn", "popularity", "itemknn", "ease", "red", "blue"}
    (before, after) = (line.split() for line in lines if line.startswith("diversity"))
    assert (before[1], after[1]) == ("0", "0.5")
    assert before[-1] == before[-2] == after[-2] < after[-1]
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


def test_what_cannot_be_asked_is_one_sentence(artifact: Path, run: Run):
    done = run("evaluate", "--json", "--dial=exposure=small:0.1")

    assert "exposure: the domain says no field in item.makers" in refused(done)


def test_without_an_artifact_it_is_one_sentence(run: Run):
    assert "there is no artifact in " in refused(run("evaluate"))
