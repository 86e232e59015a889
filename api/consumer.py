"""The front door of the process that reads the stream: `python -m api.consumer --name NAME`.

Ends by SIGTERM or SIGINT: the batches under way are finished and the partitions let go.
"""

import argparse
import logging
import os
import signal
import socket
import threading
import time

from api.settings import Settings
from api.streaming import open_stream
from graphdb.connection import READING, Graph, Neo4jSettings
from graphdb.domain import load_domain
from ingest.stream.consumer import Consumer
from ingest.stream.dead_letters import DeadLetters
from ingest.stream.partition_reader import Terms


def main() -> None:
    """Read until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default=socket.gethostname(), help="what this reader is called")
    name = f"{parser.parse_args().name}:{os.getpid()}:{time.time():.3f}"
    settings, neo4j = Settings(), Neo4jSettings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    domain = load_domain(settings.domain)
    stream = open_stream(settings)
    letters = DeadLetters(stream, settings.dead_letters_most)
    terms = Terms(settings.stream_lease_s, settings.stream_keep_rows // settings.stream_partitions)
    with Graph.from_settings(neo4j, READING) as graph:
        Consumer(graph, domain, stream, letters, name, terms).run(stopping)
    stream.close()


if __name__ == "__main__":
    main()
