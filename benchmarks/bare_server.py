"""One of the bare references under a uvicorn process of its own, as the API runs under one."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx

from api.local.stack import Stack
from graphdb.local.processes import choose_port

READY_S = 30


@contextmanager
def bare_server(stack: Stack, module: str) -> Generator[str]:
    """`benchmarks.<module>:create_app` on the stack's servers; gives its address."""
    port = choose_port(0)
    command = ["uvicorn", "--factory", f"benchmarks.{module}:create_app", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--no-access-log", "--log-level", "warning"],
        env={**os.environ, **stack.env},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/openapi.json", trust_env=False).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    sys.exit("the bare endpoint did not start")
