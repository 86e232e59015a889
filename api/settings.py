"""What a deployment may set, by environment variables with the prefix PATHLIGHT_.

Knows names, defaults and which addresses are acceptable; built at front doors only. The graph's
address is graphdb.connection.Neo4jSettings (PATHLIGHT_NEO4J_…), the cache of jars
graphdb.local.jars.CacheSettings (PATHLIGHT_CACHE). Hyperparameters are not settings.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from graphdb.connection import LOOPBACK, Neo4jSettings
from graphdb.errors import PathlightError
from graphdb.local.jar_lock import DEFAULT_VERSION
from graphdb.local.processes import LogBounds

ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")


class SettingsError(PathlightError):
    """A setting is missing or not acceptable; the sentence names its environment variable."""


class Settings(BaseSettings):
    """The settings of a stack; every default is good on a laptop."""

    model_config = SettingsConfigDict(env_prefix="PATHLIGHT_")

    home: Path = Field(Path(".pathlight"), description="where the local stack keeps everything")
    domain: str = Field("films", description="name of a shipped domain, or a path to a TOML file")
    redis_url: SecretStr = Field(SecretStr(""), description="empty: a local Redis is started")
    api_host: str = Field("127.0.0.1", description="address that the API listens on")
    cors_origins: str = Field(
        "", description="origins whose pages may ask from browsers, with spaces between; * for all"
    )
    api_key: SecretStr = Field(
        SecretStr(""), description="secret of the key with which commands ask the API"
    )
    api_port: int = Field(0, ge=0, le=65535, description="0 takes a free port")
    neo4j_version: str = Field(DEFAULT_VERSION, description="version of the local Neo4j")
    neo4j_port: int = Field(0, ge=0, le=65535, description="Bolt port of the local Neo4j; 0: free")
    redis_port: int = Field(0, ge=0, le=65535, description="port of the local Redis; 0: free")
    log_bytes: int = Field(5_000_000, ge=10_000, description="size at which a log file rotates")
    log_files: int = Field(3, ge=1, description="log files kept for each part")
    keep_snapshots: int = Field(3, ge=1, description="snapshots kept, newest first")
    keep_artifacts: int = Field(
        5, ge=1, description="artifacts kept, newest first, with those that serve"
    )
    retrain_minutes: int = Field(24 * 60, ge=1, description="time between scheduled trainings")
    training_processes: int = Field(
        1, ge=1, le=64, description="processes that train one model together, a GPU for each"
    )
    audit_gate: bool = Field(
        True, description="whether a graph that fails its audit is refused for training"
    )
    quality_gate: bool = Field(
        True, description="whether what is measurably worse than what serves is kept from serving"
    )
    sweep_s: int = Field(10, ge=1, description="time between looks for jobs that nobody holds")
    stream_partitions: int = Field(
        4, ge=1, le=64, description="partitions of the stream; fixed when it is made"
    )
    stream_most_waiting: int = Field(
        2_000_000, ge=1, description="events that may wait for the graph; more are refused"
    )
    stream_keep_rows: int = Field(
        200_000, ge=0, description="events that stay in the stream after they were written"
    )
    stream_lease_s: int = Field(
        5, ge=1, description="partitions of a reader that is silent are taken over"
    )
    graph_patience_s: float = Field(
        1.4, gt=0, le=60, description="an answer waits so long for the graph, then does without"
    )
    dead_letters_most: int = Field(100_000, ge=1, description="dead letters that are kept")
    served_days: int = Field(30, ge=1, description="days for which served lists are kept")
    served_most: int = Field(1_000_000, ge=1, description="served lists that are kept at most")
    job_lease_s: int = Field(30, ge=3, description="a job whose worker is silent is taken over")

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        for origin in text.split():
            if origin != "*" and not ORIGIN.fullmatch(origin):
                raise ValueError("expected origins such as https://shop.example, or *")
        return text

    @property
    def origins(self) -> list[str]:
        """`cors_origins`, one by one."""
        return self.cors_origins.split()

    @property
    def root(self) -> Path:
        """`home` as an absolute path."""
        return self.home.absolute()

    @property
    def snapshots(self) -> Path:
        """The directory of snapshots, one directory each."""
        return self.root / "snapshots"

    @property
    def studies(self) -> Path:
        """The directory of searches, one directory each."""
        return self.root / "studies"

    @property
    def artifacts(self) -> Path:
        """The directory of artifacts, one directory each."""
        return self.root / "artifacts"

    @property
    def log_bounds(self) -> LogBounds:
        """How much of each part's output is kept."""
        return LogBounds(self.log_bytes, self.log_files)


def refused_setting(error: ValidationError) -> str:
    """The sentence for a settings class that refused its environment: the first variable's name
    and what was expected, without its value, which may be a secret."""
    first = error.errors()[0]
    prefix = "PATHLIGHT_NEO4J_" if error.title == Neo4jSettings.__name__ else "PATHLIGHT_"
    return f"{prefix}{'_'.join(map(str, first['loc'])).upper()}: {first['msg']}"


def redis_database(url: str, offset: int) -> str:
    """The same Redis, `offset` databases on: 0 streams, 1 Celery's broker, 2 its results."""
    parts = urlsplit(url)
    base = int(parts.path.strip("/") or 0)
    return urlunsplit(parts._replace(path=f"/{base + offset}"))


def check_addresses(settings: Settings, neo4j: Neo4jSettings) -> None:
    """Refuse a remote address without a password (SettingsError); empty addresses mean local."""
    _require_password("PATHLIGHT_NEO4J_URI", neo4j.uri, neo4j.password.get_secret_value())
    redis = settings.redis_url.get_secret_value()
    _require_password("PATHLIGHT_REDIS_URL", redis, urlsplit(redis).password or "")


def _require_password(variable: str, url: str, password: str) -> None:
    if not url:
        return
    parts = urlsplit(url)
    if not parts.scheme or not parts.hostname:
        raise SettingsError(f"{variable} is not an address: expected scheme://host:port.")
    if not password and parts.hostname not in LOOPBACK:
        where = "PATHLIGHT_NEO4J_PASSWORD" if "NEO4J" in variable else "redis://:PASSWORD@host:port"
        raise SettingsError(
            f"{variable} names the remote host {parts.hostname} without a password; give {where}."
        )
