"""A page is whole in itself, and nothing that stands in it becomes markup or script."""

import base64
import hashlib

import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs

from tests.hostile import HOSTILE
from tests.training.report.pages import Page
from training.report.page import (
    DRAW,
    Picture,
    Section,
    Table,
    cell,
    html_page,
    label,
    markdown_page,
)

KNOWN = {
    *("html", "head", "meta", "title", "style", "body", "h1", "p", "nav", "a", "h2", "div"),
    *("script", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"),
}
HARM = [text[:2000] for text in HOSTILE.values()]


def section(text: str) -> Section:
    figure = go.Figure(go.Scatter(x=[1], y=[2], text=[label(text)], name=label(text)))
    return Section(text, [text, Table([text], [[text]], summary=text), Picture(figure)])


def page_of(*texts: str) -> Page:
    return Page(html_page(texts[0], texts, [section(text) for text in texts]))


def test_hostile_text_stays_text_wherever_it_stands():
    read = page_of(*HARM)

    assert set(read.tags) == KNOWN
    assert {name for _, name, _ in read.attributes} == {
        *("lang", "charset", "http-equiv", "content", "name", "href", "id", "class", "type"),
    }
    assert read.scripts == [get_plotlyjs(), DRAW]
    # Plotly turns what it is given into tags of its own unless it is escaped.
    shown = [figure.data[0].text[0] for figure in read.figures]
    assert len(shown) == len(HARM)
    assert not [text for text in shown if "<" in text or ">" in text]


def test_hostile_text_is_shown_as_it_is():
    text = HOSTILE["html"]
    read = page_of(text)

    # Title, heading, paragraph, link, heading, paragraph, summary, head and cell of the table.
    assert read.words.count(text) == 9


def test_the_page_asks_nothing_of_any_address():
    read = page_of("x")

    links = [value for _, name, value in read.attributes if name in ("href", "src")]
    assert links == ["#section-0"]
    policy = next(v for _, name, v in read.attributes if name == "content" and v and "src" in v)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "http" not in policy
    hashes = {
        "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"
        for script in read.scripts
    }
    assert set(rules["script-src"].split()) == hashes


def test_pictures_stand_after_the_element_they_are_drawn_in():
    text = html_page(
        "t", [], [Section("s", [Picture(go.Figure(), tall=True), Picture(go.Figure())])]
    )

    assert '<div class="picture tall"></div><script type="application/json">' in text
    assert '<div class="picture"></div><script type="application/json">' in text
    assert text.count("Plotly.newPlot(data.previousElementSibling") == 1


def test_markdown_shows_words_and_tables_and_no_markup_of_theirs():
    bad = "<b>*x*</b> | [y](z)\n# no"
    figure = Picture(go.Figure())
    text = markdown_page(
        bad, ["lead"], [Section("S", ["w", Table(["c"], [[bad], [None]]), figure])]
    )

    escaped = "&lt;b&gt;\\*x\\*&lt;/b&gt; \\| \\[y\\](z) \\# no"
    assert text == f"# {escaped}\n\nlead\n\n## S\n\nw\n\n| c |\n|---|\n| {escaped} |\n|  |\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (0.123456, "0.1235"), (12345.6, "12,346"), (12345, "12,345"), (True, "yes")],
)
def test_cells_are_read_easily(value, shown):
    assert cell(value) == shown
