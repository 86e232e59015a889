"""The stream of the settings."""

from pydantic import SecretStr

from api.settings import Settings
from api.streaming import open_stream
from tests.rows import event_row


def test_the_settings_name_the_stream_and_its_bounds(empty_stream):
    settings = Settings(redis_url=SecretStr(empty_stream), stream_partitions=3)
    stream = open_stream(settings)

    stream.append([event_row("ann", "1")])

    assert (stream.partitions(), len(stream.backlog())) == (3, 3)
    stream.close()
