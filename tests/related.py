"""The films domain with relations of every kind."""

from importlib import resources

from graphdb.domain import parse_domain

FILMS = resources.files("domains").joinpath("films.toml").read_text()
RELATIONS = """
[social]
relations = ["follows"]

[relations.follows]
relationship = "FOLLOWS"
from = "user"
to = "user"

[relations.set_in]
relationship = "SET_IN"
from = "item"
to = "countries"

[relations.likes_genre]
relationship = "LIKES_GENRE"
from = "user"
to = "genres"
"""

TEXT = f"{FILMS}\n{RELATIONS}"
RELATED = parse_domain(TEXT, "related.toml")
