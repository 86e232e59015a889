"""`pathlight report`: a page without a running stack, or one sentence."""

import json
from pathlib import Path

from tests.api.pathlight import Run, refused
from tests.training.report.pages import read_page
from tests.training.report.subjects import write_catalogue, write_subject


def test_a_report_of_the_newest_artifact_finds_titles_by_itself(run: Run, tmp_path: Path):
    home = tmp_path / "home"
    for folder in ("artifacts", "snapshots"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    subject = write_subject(home / "artifacts" / "m1")

    untitled = run("report")
    write_catalogue(home / "snapshots" / "catalogue", title=["Alien"] * 9)
    told = json.loads(run("report", "--json").stdout)

    assert f"page {subject / 'report.html'}, card {subject / 'card.md'}; items" in untitled.stdout
    assert told["snapshot"] == str(home / "snapshots" / "catalogue")
    texts = [trace.text for f in read_page(Path(told["page"])).figures for trace in f.data]
    assert ("Alien",) * 9 in texts


def test_what_cannot_be_reported_on_is_one_sentence(run: Run, tmp_path: Path):
    subject = write_subject(tmp_path / "m1")
    (subject / "judgement.json").unlink()

    assert refused(run("report")).startswith("there is no artifact in ")
    assert "is not an artifact: it has no model.json" in refused(run("report", str(tmp_path)))
    assert "there is no" in refused(run("report", str(subject)))
    assert "is not a snapshot" in refused(
        run("report", str(write_subject(tmp_path / "m2")), "--snapshot", str(tmp_path))
    )


def test_two_artifacts_are_compared_into_the_folder_one_is_in(run: Run, tmp_path: Path):
    for name in ("m1", "m2"):
        write_subject(tmp_path / name)
    page = tmp_path / "pages" / "both.html"

    done = run("compare", str(tmp_path / "m1"), str(tmp_path / "m2"), "--to", str(page))
    told = json.loads(
        run(
            "compare", str(tmp_path / "m1"), str(tmp_path / "m2"), "--to", str(page), "--json"
        ).stdout
    )

    assert done.stdout.startswith("m1 is not surely different from m2: ndcg@5 differs by 0.0000")
    assert done.stdout.endswith(f"page {page}\n")
    assert (told["page"], told["comparable"], len(told["paired"])) == (str(page), True, 2)
    assert "is not an artifact" in refused(run("compare", str(tmp_path), str(tmp_path / "m1")))
