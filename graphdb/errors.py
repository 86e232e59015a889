"""The errors of the graph layer: each carries one sentence that a person can act on.

Knows nothing of HTTP status codes or exit codes; the outermost layer maps classes to those.
"""


class PathlightError(Exception):
    """Something the reader can act on: the message is one sentence, without a trace."""


class GraphUnavailableError(PathlightError):
    """The graph did not answer in time; asking again later may help."""


class IndexLostError(PathlightError):
    """A vector index is missing, has failed or is not filled: what it is asked can be computed."""


class LockError(PathlightError):
    """A Neo4j version has no committed lock, or its lock cannot be made."""


class FetchError(PathlightError):
    """Jars of the local Neo4j are neither in the cache nor to be fetched."""


class ServerError(PathlightError):
    """A local server could not be started, joined or stopped."""


class DataVersionError(ServerError):
    """A data directory belongs to another line of Neo4j than the one asked for."""


class LeaseLostError(PathlightError):
    """Another process holds the job or the source by now: this one's output must not be kept."""
