"""Links: each names what its operations have, and stands in the document."""

import re

import pytest

from api.app import create_app
from api.links import LINKS, Link


@pytest.fixture(scope="module")
def document() -> dict:
    return create_app().openapi()


def operation(document, name: str) -> dict:
    method, path = name.split()[:2]
    return document["paths"][path][method.lower()]


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link.source} {link.name}")
def test_a_link_fills_parameters_that_there_are(document, link: Link):
    target = operation(document, link.target)
    source = operation(document, link.source)
    told = source["responses"][link.source.split()[2]]["links"][link.name]

    assert told["operationId"] == target["operationId"]
    assert set(told.get("parameters", {})) <= {p["name"] for p in target.get("parameters", [])}
    assert bool(told.get("requestBody")) <= ("requestBody" in target)


def test_what_a_request_is_asked_for_is_in_it(document):
    for link in LINKS:
        names = {p["name"] for p in operation(document, link.source).get("parameters", [])}
        asked = re.findall(r"\$request\.path\.(\w+)", " ".join(link.parameters.values()))
        assert set(asked) <= names, link


def test_no_two_links_of_a_response_share_a_name():
    assert len({(link.source, link.name) for link in LINKS}) == len(LINKS)
