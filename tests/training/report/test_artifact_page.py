"""The page about an artifact, as a browser reads it."""

import pytest

from tests.hostile import HOSTILE
from tests.training.report.pages import read_page
from tests.training.report.subjects import ITEMS, judged, judgement, write_catalogue, write_subject
from training.report.artifact_page import write_report

SECTIONS = [
    *("Accuracy", "Popular and rare items", "Coverage and variety", "Warm and cold"),
    *("Groups of people", "Learning", "What was tried", "The space of items", "Settings and cost"),
]


def test_the_page_holds_every_section_and_figure_and_the_card_stands_beside(tmp_path):
    written = write_report(write_subject(tmp_path / "m1"))

    page = read_page(written.page)
    assert (written.page, written.card) == (tmp_path / "m1/report.html", tmp_path / "m1/card.md")
    assert [word for word in page.words if word in SECTIONS] == SECTIONS * 2
    assert "Card: intended use" in page.words
    assert len(page.figures) == 9
    assert "On 1,234 people (latest tenth of each user) default reaches ndcg@5" in page.text
    assert {"training.loss.temperature", "score.seed", "search", "rss", "512", "torch"} <= set(
        page.words
    )
    assert "0.3050 (0.2745 to 0.3660)" in page.words
    assert written.card.read_text("utf-8").startswith("# Model m1\n")


def test_hostile_titles_names_and_groups_never_become_markup(tmp_path):
    titles = [text[:1000] for text in HOSTILE.values() if text.isprintable()][:ITEMS]
    titles[0] = HOSTILE["html"]
    catalogue = write_catalogue(tmp_path / "catalogue", title=titles)
    bad = HOSTILE["html"]
    found = judgement(models=[judged(bad, 0.3, people=f"user.{bad}")], paired=[], split=bad)
    trials = [{"model": bad, "note": bad, "ndcg": 0.1}]
    subject = write_subject(tmp_path / "m1", found, trials=trials, recipe={bad: bad})

    page = read_page(write_report(subject, snapshot=catalogue).page)

    assert len(page.scripts) == 2
    assert {"img", "b", "i"}.isdisjoint(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "onerror" in page.text
    dots = [trace for figure in page.figures for trace in figure.data if trace.text is not None]
    assert any("&lt;script&gt;" in text for trace in dots for text in trace.text)
    assert not any("<" in text for trace in dots for text in trace.text)


def test_an_artifact_without_curve_trials_and_groups_has_a_page_that_says_so(tmp_path):
    plain = judged("default", 0.3).model_copy(update={"groups": {}, "cold": {}, "warm": {}})
    subject = write_subject(
        tmp_path / "m1", judgement(models=[plain], paired=[]), curve=[], trials=[]
    )

    page = read_page(write_report(subject).page)

    assert "no learning curve" in page.text
    assert "Nothing was tried on validation" in page.text
    assert {"Warm and cold", "Groups of people"}.isdisjoint(page.words)


def test_it_is_written_where_it_is_asked_for_and_again(tmp_path):
    subject = write_subject(tmp_path / "m1")
    for _ in range(2):
        written = write_report(subject, folder=tmp_path / "new" / "folder")

    assert written.page == tmp_path / "new" / "folder" / "report.html"
    assert not (subject / "report.html").exists()


@pytest.mark.parametrize("items", [1, 2])
def test_a_catalogue_of_hardly_any_items_has_a_map(tmp_path, items):
    page = read_page(write_report(write_subject(tmp_path / "m1", items=items)).page)

    assert any(trace.text and len(trace.text) == items for f in page.figures for trace in f.data)
