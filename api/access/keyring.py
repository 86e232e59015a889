"""The keys of this deployment in this process's memory, and whose secret a request brings.

It knows neither HTTP nor what a scope allows. Keys are read from the graph again and again; while
it does not answer, what was read last counts, in a process that starts then too: the hashes stand
in a file beside what served last.
"""

import hmac
import json
import secrets
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from graphdb.api_keys import ApiKey, list_api_keys
from graphdb.connection import Graph
from graphdb.local.processes import write_private

PREFIX = "plk"
LONGEST = 256
"""Characters of a secret that are looked at: hashing takes the same time for all of them."""
NEVER = "9999-12-31T00:00:00+00:00"
NOBODY = ApiKey("", "", sha256(secrets.token_bytes(32)).hexdigest(), [], 0, "", None, "never valid")
"""What an unknown id is compared with, so that it takes as long as a known one."""


def new_secret() -> tuple[str, str]:
    """A key's id, and the secret that holds it: `plk_ID_…`, 256 random bits."""
    id = secrets.token_hex(6)
    return id, f"{PREFIX}_{id}_{secrets.token_urlsafe(32)}"


def digest_of(secret: str) -> str:
    """What is kept of a secret. So many random bits need no slow hash."""
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


class Keyring:
    """The keys as they were read last; `file` remembers them for a start without the graph."""

    def __init__(self, graph: Graph, file: Path) -> None:
        self._graph, self._file = graph, file
        self._keys: dict[str, ApiKey] | None = None

    @property
    def known(self) -> bool:
        """Whether it is known which keys there are; before that nobody may be let in."""
        return self._keys is not None

    @property
    def empty(self) -> bool:
        """Whether no key was ever created; revoked ones count."""
        return self._keys == {}

    def refresh(self) -> None:
        """Read the keys again. Raises GraphUnavailableError, and those read last stay."""
        keys = {key.id: key for key in list_api_keys(self._graph)}
        if keys != self._keys or not self._file.exists():
            self._keys = keys
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_private(self._file, json.dumps([asdict(key) for key in keys.values()]))

    def recall(self) -> None:
        """What an earlier process here has read last, for a start while the graph is away."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            if self._keys is None:
                rows = json.loads(self._file.read_text("utf-8"))
                self._keys = {row["id"]: ApiKey(**row) for row in rows}

    def find(self, secret: str) -> ApiKey | None:
        """The key whose secret that is, if it may be used now.

        Nothing is left out for a secret that is missing, wrong, revoked or expired, so that time
        does not tell them apart.
        """
        secret = secret[:LONGEST]
        key = (self._keys or {}).get(secret[len(PREFIX) + 1 :].partition("_")[0], NOBODY)
        right = hmac.compare_digest(digest_of(secret), key.digest)
        ends = datetime.fromisoformat(key.expires_at or NEVER)
        return key if right & (key.revoked_at is None) & (datetime.now(UTC) < ends) else None
