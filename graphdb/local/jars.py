"""Neo4j's jars in the user's cache: fetched once, in parallel, and verified on every start.

Knows the lock's coordinates and hashes and the cache's layout (`neo4j/<version>/*.jar`); knows
nothing of running a server, and draws nothing: progress is reported as (done, total).
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from graphdb.errors import FetchError
from graphdb.local.jar_lock import Jar, read_lock, sha256_of

if TYPE_CHECKING:
    from jgo.maven import MavenContext

Progress = Callable[[int, int], None]

THREADS = 16
ATTEMPTS = 3
STALE_STAGING_S = 3600


class CacheSettings(BaseSettings):
    """Where fetched jars are kept (PATHLIGHT_CACHE)."""

    model_config = SettingsConfigDict(env_prefix="PATHLIGHT_")

    cache: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("pathlight")))


class _DamagedJarError(Exception):
    """What came over the network does not have the hash of the lock."""


def fetch_jars(version: str, cache: Path, progress: Progress | None = None) -> Path:
    """Make sure that every jar of a locked version is in the cache, whole; return its folder.

    Each jar present is hashed (0.3 s for all of them); what is missing, truncated or altered is
    fetched again, 16 at a time, and moved into place in one step, so that several processes may
    do this at once. `progress(done, total)` counts jars. Raises LockError and FetchError.
    """
    jars = read_lock(version)
    lib = cache / "neo4j" / version
    try:
        lib.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(THREADS) as pool:
            whole = list(pool.map(lambda jar: _is_whole(lib / jar.filename, jar), jars))
        missing = [jar for jar, ok in zip(jars, whole, strict=True) if not ok]
        report = progress or (lambda done, total: None)
        report(len(jars) - len(missing), len(jars))
        if missing:
            _fetch_all(version, missing, lib, lambda n: report(len(jars) - n, len(jars)))
    except OSError as error:
        raise FetchError(
            f"The jars of Neo4j {version} cannot be kept in {lib}: {error}."
        ) from error
    return lib


def _is_whole(path: Path, jar: Jar) -> bool:
    return path.is_file() and sha256_of(path) == jar.sha256


def _fetch_all(version: str, jars: list[Jar], lib: Path, left: Callable[[int], None]) -> None:
    from jgo.maven import MavenContext

    _drop_stale_staging(lib)
    with (
        tempfile.TemporaryDirectory(prefix=".staging-", dir=lib) as staging,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        context = MavenContext(repo_cache=Path(staging), timeout=20)
        futures = {pool.submit(_fetch, context, jar, lib): jar for jar in jars}
        for count, future in enumerate(_finished(futures, pool), start=1):
            _raise_clearly(future, futures[future], version, len(jars), lib)
            left(len(jars) - count)


def _finished(futures: dict, pool: ThreadPoolExecutor):
    """As futures finish; whoever leaves early (error, Ctrl-C) does not wait for the queue."""
    try:
        yield from as_completed(futures)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _fetch(context: "MavenContext", jar: Jar, lib: Path) -> None:
    from requests import RequestException

    target = lib / jar.filename
    for attempt in range(1, ATTEMPTS + 1):
        if _is_whole(target, jar):
            break
        try:
            _fetch_once(context, jar, target)
        except (RequestException, _DamagedJarError):
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.3 * attempt)


def _fetch_once(context: "MavenContext", jar: Jar, target: Path) -> None:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    staged = component.artifact(classifier=jar.classifier, packaging="jar").resolve()
    found = sha256_of(staged)
    if found != jar.sha256:
        staged.unlink()
        raise _DamagedJarError(f"sha256 is {found}, the lock says {jar.sha256}")
    staged.replace(target)


def _raise_clearly(future: Future, jar: Jar, version: str, missing: int, lib: Path) -> None:
    from requests import RequestException

    error = future.exception()
    if error is None:
        return
    if isinstance(error, RequestException):
        raise FetchError(
            f"Neo4j {version} cannot start: {missing} of its jars are not in the cache ({lib}) and "
            "there is no network to fetch them; connect once, or point PATHLIGHT_CACHE at a cache "
            "that holds them."
        ) from error
    if isinstance(error, OSError):
        raise error
    raise FetchError(f"{jar.filename} of Neo4j {version} cannot be fetched: {error}.") from error


def _drop_stale_staging(lib: Path) -> None:
    for folder in lib.glob(".staging-*"):
        if time.time() - folder.stat().st_mtime > STALE_STAGING_S:
            shutil.rmtree(folder, ignore_errors=True)
