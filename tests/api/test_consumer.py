"""The consumer's process: its name says whose it is; what it does is tests/ingest/test_consumer."""

from graphdb.local.processes import wait_until
from ingest.stream.stream import EventStream
from tests.api.conftest import consumer_on


def test_it_announces_itself_by_host_process_and_time(graph, neo4j_address, empty_stream, tmp_path):
    stream = EventStream(empty_stream)
    with consumer_on(neo4j_address, tmp_path, empty_stream) as process:
        assert wait_until(lambda: len(stream.readers()) == 1, 60, 0.1)
        (name,) = stream.readers()
    stream.close()

    assert name.split(":")[1] == str(process.pid)
    assert process.returncode == 0
