"""docs/rules.md and docs/reasons.md as their reader runs them: each world's data and requests, over
HTTP."""

import pytest

from tests.pages import check_examples, served, worlds

WORLDS = [
    pytest.param(name, world, id=f"{page}-{name}")
    for page in ("rules", "reasons")
    for name, world in zip(("films", "shop"), worlds(f"docs/{page}.md"), strict=True)
]


@pytest.mark.parametrize(("name", "world"), WORLDS)
def test_the_page_is_what_the_api_answers(name, world, neo4j_address, tmp_path, empty_stream):
    with served(world, name, neo4j_address, tmp_path, empty_stream) as client:
        check_examples(client, world)
