"""The pages against the code: links, settings, commands, endpoints and names they speak of."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.app import create_app
from api.settings import Settings
from graphdb.connection import Neo4jSettings
from graphdb.local.jars import CacheSettings
from graphdb.schema import CONSTRAINTS
from ingest.text import TextSettings
from tests.documents import ROOT

SETTINGS = (Settings, Neo4jSettings, CacheSettings, TextSettings)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
METHODS = ("get", "put", "post", "patch", "delete")


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as they are linked to."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path):
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8"))

    for link in links:
        assert "://" not in link or link.startswith("https://"), link
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.is_file(), f"{path.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{path.name}: {link}"


def test_the_settings_table_is_that_of_the_classes():
    rows = re.findall(
        r"^\| `(PATHLIGHT_\w+)` \| (.*?) \| (.+) \|$", page("docs/operations.md"), re.M
    )
    told = {name: (default.strip("` "), meaning) for name, default, meaning in rows}

    real = {}
    for kind in SETTINGS:
        for name, field in kind.model_fields.items():
            default = "" if field.is_required() or field.default_factory else field.default
            if isinstance(default, SecretStr):
                default = default.get_secret_value()
            variable = f"{kind.model_config['env_prefix']}{name}".upper()
            shown = "" if default is None else str(default)
            real[variable] = (shown, field.description or told.get(variable, ("", ""))[1])

    assert told == real


def test_every_variable_that_a_page_names_is_a_setting():
    known = {
        f"{kind.model_config['env_prefix']}{name}".upper()
        for kind in SETTINGS
        for name in kind.model_fields
    }
    elsewhere = {"PATHLIGHT_REDIS_PASSWORD", "PATHLIGHT_DATA", "PATHLIGHT_FAIL_POINT"}

    named = {
        name for path in PAGES for name in re.findall(r"PATHLIGHT_\w+", path.read_text("utf-8"))
    }

    assert named <= known | elsewhere


def test_every_endpoint_is_on_the_page():
    text = page("docs/http.md")

    for path, operations in create_app().openapi()["paths"].items():
        for method in operations:
            if method in METHODS:
                shown = path.replace(":path", "")
                assert f"{method.upper()} {shown}" in text or (
                    method == "get" and f"`{path}`" in text
                ), (method, path)


def test_every_kind_of_node_is_on_the_page():
    labels = {re.search(r"\(n:(\w+)\)", statement)[1] for statement in CONSTRAINTS}  # ty: ignore

    assert all(f"| `{label}`" in page("docs/graph.md") for label in labels)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_files_and_functions_that_a_page_names_are_there(path: Path):
    text = path.read_text("utf-8")

    for name in re.findall(r"`((?:graphdb|ingest|training|api|tests|domains)/[\w./]+\.\w+)`", text):
        assert "NAME" in name or (ROOT / name).is_file(), name
    for module, name in re.findall(r"`((?:graphdb|ingest|training|api)(?:\.\w+)+?)\.(\w+)`", text):
        source = ROOT / (module.replace(".", "/") + ".py")
        if source.is_file():
            assert re.search(rf"\b(def|class) {name}\b|^{name}\b", source.read_text(), re.M), name
        else:
            assert (source.with_suffix("") / f"{name}.py").is_file(), (module, name)
    for target in re.findall(r"`make (\w+)", text):
        assert re.search(rf"^{target}:", page("Makefile"), re.M), target


def test_every_test_that_a_page_names_is_there_and_among_the_faults():
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page("docs/faults.md"))

    assert len(named) > 30
    for path, name in named:
        source = page(path)
        before, found, _ = source.partition(f"\ndef {name}(")
        marks = before.rpartition("\n\n\n")[2] + "".join(re.findall(r"^pytestmark.*", source, re.M))
        assert found, (path, name)
        assert "mark.faults" in marks, (path, name)
