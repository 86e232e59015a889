"""A page as a browser reads it: elements, words, figures, scripts."""

import json
from html.parser import HTMLParser
from pathlib import Path

import plotly.io
from plotly.graph_objects import Figure

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """The elements of a page: `tags`, `attributes`, `words` outside scripts, `figures`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.data: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert self._open == []

    @property
    def figures(self) -> list[Figure]:
        """What Plotly is given, each checked by it."""
        return [plotly.io.from_json(data) for data in self.data]

    @property
    def text(self) -> str:
        return "\n".join(self.words)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self._open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        if not self._open:
            assert not data.strip()
            return
        tag, attributes = self._open[-1]
        if tag != "script":
            self.words.append(data)
        elif attributes.get("type") == "application/json":
            json.loads(data)
            self.data.append(data)
        else:
            self.scripts.append(data)


def read_page(path: Path) -> Page:
    return Page(path.read_text("utf-8"))
