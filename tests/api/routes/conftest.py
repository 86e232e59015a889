"""One real API for the tests of a module: they use people and items of their own."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.conftest import api_on, until_mapped
from tests.conftest import empty_stream_of
from tests.related import TEXT


@pytest.fixture(scope="module")
def module_api(neo4j_address, module_world, module_home, redis_url) -> Iterator[str]:
    """A real API that serves the module's world, and a consumer."""
    home = module_home
    empty_stream_of(redis_url)
    (home / "related.toml").write_text(TEXT)
    domain = str(home / "related.toml")
    # What is asked here is right or wrong, never late: a shared machine pauses for seconds.
    told = {"PATHLIGHT_DOMAIN": domain, "PATHLIGHT_GRAPH_PATIENCE_S": "30"}
    with api_on(neo4j_address, home, redis_url, **told) as url:
        until_mapped(url)
        yield url


@pytest.fixture(scope="module")
def client(module_api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=module_api, trust_env=False, timeout=60) as client:
        yield client


def said(answer: dict) -> dict:
    """An answer without what each has of its own."""
    own = ("took_ms", "recommendation_id", "next_cursor")
    return {name: value for name, value in answer.items() if name not in own}
