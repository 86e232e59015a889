"""The films domain with a rule of every kind, and a source."""

from importlib import resources

from graphdb.domain import parse_domain

FILMS = resources.files("domains").joinpath("films.toml").read_text()
TEXT = (
    FILMS
    + """
[relations.blocks]
relationship = "BLOCKS"
from = "user"
to = "item"

[rules.blocked]
never = "(person)-[:BLOCKS]->(item)"

[rules.lately]
never = "(person)-[:RATED]->(item)"
within_days = 30
unless = "(item)-[:HAS_TAG]->(:Tag {id: 'again'})"

[rules.variety]
at_most = 2
per = "(item)-[:HAS_GENRE]->(group)"

[rules.sponsored]
place = "(item)-[:HAS_TAG]->(:Tag {id: 'sponsored'})"
position = 2

[rules.tired]
shown_at_most = 2
within_days = 7

[sources.sequels]
cypher = \"\"\"
MATCH (:User {id: $person})-[:RATED]->(:Film)<-[:SEQUEL_OF]-(film:Film)
RETURN DISTINCT film.id AS id LIMIT $rows
\"\"\"
rows = 50
timeout_ms = 10000
factor = 10
"""
)
RULED = parse_domain(TEXT, "ruled.toml")
