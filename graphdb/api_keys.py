"""Who may ask the API: keys as hashes. The secrets themselves are nowhere.

    (:ApiKey {id, name, digest, scopes, rate, created_at, expires_at, revoked_at})

A revoked key stays: the list says what became of it. What a scope allows is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from graphdb.connection import Graph


@dataclass(frozen=True)
class ApiKey:
    """`rate`: requests a minute, 0 for as many as come. Times are ISO 8601, UTC."""

    id: str
    name: str
    digest: str
    scopes: list[str]
    rate: int
    created_at: str
    expires_at: str | None
    revoked_at: str | None


SAVE_API_KEY = """
MERGE (k:ApiKey {id: $id})
ON CREATE SET k.name = $name, k.digest = $digest, k.scopes = $scopes, k.rate = $rate,
              k.created_at = datetime.realtime(), k.expires_at = $expires_at
"""


def save_api_key(
    graph: Graph,
    id: str,
    digest: str,
    *,
    name: str,
    scopes: Sequence[str],
    rate: int = 0,
    expires_at: datetime | None = None,
) -> None:
    """Let the bearer of what hashes to `digest` in; an id that is there stays as it is."""
    graph.write(
        SAVE_API_KEY,
        id=id,
        digest=digest,
        name=name,
        scopes=list(scopes),
        rate=rate,
        expires_at=expires_at,
    )


LIST_API_KEYS = """
MATCH (k:ApiKey)
RETURN k.id AS id, k.name AS name, k.digest AS digest, k.scopes AS scopes, k.rate AS rate,
       toString(k.created_at) AS created_at, toString(k.expires_at) AS expires_at,
       toString(k.revoked_at) AS revoked_at
ORDER BY k.created_at, k.id
"""


def list_api_keys(graph: Graph) -> list[ApiKey]:
    """Every key, the oldest first, revoked and expired ones among them."""
    return [ApiKey(**row) for row in graph.read(LIST_API_KEYS)]


REVOKE_API_KEY = """
MATCH (k:ApiKey {id: $id})
SET k.revoked_at = coalesce(k.revoked_at, datetime.realtime())
RETURN k.id AS id
"""


def revoke_api_key(graph: Graph, id: str) -> bool:
    """Let a key in no more; False when there is none of that id. Once more changes nothing."""
    return bool(graph.write(REVOKE_API_KEY, id=id))
