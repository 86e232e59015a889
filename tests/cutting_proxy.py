"""A TCP proxy before Neo4j that lets a COMMIT through and cuts the line instead of its answer."""

import contextlib
import socket
import threading
from collections.abc import Generator
from urllib.parse import urlsplit

COMMIT = b"\x00\x02\xb0\x12\x00\x00"
"""Bolt's message, as a chunk of its own."""


class CuttingProxy:
    """`cuts` commits that come from now on lose their answer; `cut` counts those that did."""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self._target = (parts.hostname, parts.port)
        self.cuts = self.cut = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"bolt://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                cutting = threading.Event()
                for source, sink, check in ((client, server, True), (server, client, False)):
                    arguments = (source, sink, cutting, check)
                    threading.Thread(target=self._pump, args=arguments, daemon=True).start()

    def _pump(self, source, sink, cutting: threading.Event, check: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if check and self.cuts and COMMIT in data:
                    self.cuts -= 1
                    self.cut += 1
                    cutting.set()
                if not check and cutting.is_set():
                    break  # this is the answer: the commit is done
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        source.close()


@contextlib.contextmanager
def cutting_proxy(uri: str) -> Generator[CuttingProxy]:
    """A proxy for the length of a block."""
    proxy = CuttingProxy(uri)
    try:
        yield proxy
    finally:
        proxy.close()
