"""Sections of words, tables and pictures as one HTML page that needs nothing else, or as Markdown.

It knows shapes, not what they say. Whatever it is given is text: it never becomes markup or script.
"""

import base64
import hashlib
import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 0 auto;
       max-width: 62rem; padding: 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; border-top: 1px solid #ddd; padding-top: 1rem; }
p { margin: .5rem 0; max-width: 48rem; overflow-wrap: anywhere; }
.picture { height: 26rem; } .picture.tall { height: 42rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .75rem 0; font-size: .875rem; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top;
         border-bottom: 1px solid #eee; overflow-wrap: anywhere;
         font-variant-numeric: tabular-nums; }
th { white-space: nowrap; }
summary { cursor: pointer; color: #0072b2; margin: .75rem 0; }
nav { font-size: .875rem; } nav a { margin-right: 1rem; color: #0072b2; }
"""
DRAW = """
for (const data of document.querySelectorAll('script[type="application/json"]')) {
  const {data: traces, layout} = JSON.parse(data.textContent);
  Plotly.newPlot(data.previousElementSibling, traces, layout,
    {responsive: true, displaylogo: false, plotlyServerURL: "", topojsonURL: ""});
}
"""
MARKDOWN = re.compile(r"([\\`*_\[\]#|~])")


@dataclass(frozen=True)
class Table:
    """Rows under columns; with a `summary` it is shown when that is clicked."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    summary: str = ""


@dataclass(frozen=True)
class Picture:
    """A figure; what it says stands in words before it. Texts in it are `label`s."""

    figure: go.Figure
    tall: bool = False


Part = str | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, in order; words are paragraphs."""

    title: str
    parts: Sequence[Part]


def label(text: Any) -> str:
    """Any text as a label of a figure: Plotly reads tags and entities in those."""
    return html.escape(str(text), quote=False)


def cell(value: Any) -> str:
    """A value as a table shows it: four digits of a number, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def html_page(title: str, lead: Sequence[str], sections: Sequence[Section]) -> str:
    """The whole page; Plotly and its data are inside, and a policy forbids every address."""
    scripts = [get_plotlyjs(), DRAW]
    allowed = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline';"
        " img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    page = ET.Element("html", lang="en")
    head = ET.SubElement(page, "head")
    ET.SubElement(head, "meta", charset="utf-8")
    ET.SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": policy})
    ET.SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _add(head, "title", title)
    _add(head, "style", STYLE)
    body = ET.SubElement(page, "body")
    _add(body, "h1", title)
    for words in lead:
        _add(body, "p", words)
    contents = ET.SubElement(body, "nav")
    for number, section in enumerate(sections):
        _add(contents, "a", section.title, href=f"#section-{number}")
    for number, section in enumerate(sections):
        _add(body, "h2", section.title, id=f"section-{number}")
        for part in section.parts:
            _add_part(body, part)
    for script in scripts:
        _add(body, "script", script)
    return "<!DOCTYPE html>\n" + ET.tostring(page, "unicode", "html") + "\n"


def markdown_page(title: str, lead: Sequence[str], sections: Sequence[Section]) -> str:
    """Words and tables as Markdown; pictures are left out."""
    blocks = [f"# {_plain(title)}", *map(_plain, lead)]
    for section in sections:
        blocks.append(f"## {_plain(section.title)}")
        for part in section.parts:
            if isinstance(part, str):
                blocks.append(_plain(part))
            elif isinstance(part, Table):
                blocks.append("\n".join(_markdown_rows(part)))
    return "\n\n".join(blocks) + "\n"


def _add(parent: ET.Element, tag: str, text: str, **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, tag, attributes)
    made.text = text
    return made


def _add_part(body: ET.Element, part: Part) -> None:
    if isinstance(part, str):
        _add(body, "p", part)
    elif isinstance(part, Picture):
        ET.SubElement(body, "div", {"class": "picture tall" if part.tall else "picture"})
        # An element whose text is not escaped: to_json writes <, > and / as \\u escapes.
        data = part.figure.to_json()
        assert data is not None and "<" not in data
        _add(body, "script", data, type="application/json")
    else:
        _add_table(body, part)


def _add_table(body: ET.Element, table: Table) -> None:
    if table.summary:
        body = ET.SubElement(body, "details")
        _add(body, "summary", table.summary)
    made = ET.SubElement(ET.SubElement(body, "div", {"class": "scroll"}), "table")
    heads = ET.SubElement(ET.SubElement(made, "thead"), "tr")
    for name in table.columns:
        _add(heads, "th", name)
    rows = ET.SubElement(made, "tbody")
    for values in table.rows:
        row = ET.SubElement(rows, "tr")
        for value in values:
            _add(row, "td", cell(value))


def _markdown_rows(table: Table) -> Iterator[str]:
    yield "| " + " | ".join(map(_plain, table.columns)) + " |"
    yield "|" + "---|" * len(table.columns)
    for values in table.rows:
        yield "| " + " | ".join(_plain(cell(value)) for value in values) + " |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it stands, on one line."""
    return MARKDOWN.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
