"""The stream at a deployment's address, with its bounds."""

from api.settings import Settings, redis_database
from ingest.stream.stream import EventStream

DEFAULT_REDIS = "redis://127.0.0.1:6379/0"


def open_stream(settings: Settings, patience: float | None = None) -> EventStream:
    """The stream of the settings' Redis; nothing is connected yet.

    Without an address it is the local one's default port: where none listens, events are refused.
    """
    url = settings.redis_url.get_secret_value() or DEFAULT_REDIS
    return EventStream(
        redis_database(url, 0),
        settings.stream_partitions,
        settings.stream_most_waiting,
        patience,
    )
