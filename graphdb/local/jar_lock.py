"""The committed lock of a Neo4j version: which jars it is made of, by coordinates and sha256.

Knows how to read a lock and how to make one (`python -m graphdb.local.jar_lock VERSION`, about two
minutes); knows no addresses and nothing of caches: fetching is graphdb.local.jars.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from graphdb.errors import LockError

DEFAULT_VERSION = "2026.08.1"
WITHDRAWN = {"2026.08.0"}
FOLDER = Path(__file__).parent
ROOTS = (("org.neo4j.app", "neo4j-server"), ("org.neo4j", "neo4j"))
RUNTIME_SCOPES = {None, "compile", "runtime"}


@dataclass(frozen=True, order=True)
class Jar:
    """One jar of a lock: Maven coordinates and the sha256 (hex) of its bytes."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def filename(self) -> str:
        """The jar's name in a flat library folder."""
        tail = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{tail}.jar"


def locked_versions() -> list[str]:
    """The Neo4j versions that have a committed lock."""
    return sorted(p.name[len("neo4j-") : -len(".lock.json")] for p in FOLDER.glob("neo4j-*.json"))


def lock_path(version: str) -> Path:
    """Where the lock of `version` is committed."""
    return FOLDER / f"neo4j-{version}.lock.json"


def read_lock(version: str) -> list[Jar]:
    """The jars of a locked version. Raises LockError for a version without a lock."""
    if version not in locked_versions():
        known = ", ".join(locked_versions())
        raise LockError(f"Neo4j {version!r} has no committed lock; these have: {known}.")
    rows = json.loads(lock_path(version).read_text(encoding="utf-8"))["jars"]
    return [Jar(**{"classifier": "", **row}) for row in rows]


def write_lock(version: str, jars: list[Jar]) -> Path:
    """Write the lock, one jar a line, so that a changed jar is a one-line diff."""
    rows = [{k: v for k, v in vars(jar).items() if v} for jar in sorted(jars)]
    lines = ",\n".join(f"  {json.dumps(row)}" for row in rows)
    path = lock_path(version)
    path.write_text(f'{{"neo4j": "{version}", "jars": [\n{lines}\n]}}\n', encoding="utf-8")
    return path


def sha256_of(path: Path) -> str:
    """The sha256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def resolve_jars(version: str) -> list[Jar]:
    """Resolve the runtime tree of a Neo4j version with jgo and hash what it names (network)."""
    from jgo.maven import MavenContext

    if version in WITHDRAWN:
        raise LockError(f"Neo4j {version} was withdrawn by its makers; take a later one.")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(16) as pool:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        roots = [context.create_dependency(f"{g}:{a}:{version}") for g, a in ROOTS]
        inputs, transitive = context.resolver.resolve(roots)
        found = [d.artifact for d in inputs + transitive if d.scope in RUNTIME_SCOPES]
        jars = list(pool.map(_hashed, (a for a in found if a.packaging == "jar")))
    _check_names(jars)
    return jars


def _hashed(artifact) -> Jar:
    digest = sha256_of(artifact.resolve())
    classifier = artifact.classifier or ""
    return Jar(artifact.groupId, artifact.artifactId, artifact.version, classifier, digest)


def _check_names(jars: list[Jar]) -> None:
    names = [jar.filename for jar in jars]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise LockError(f"Two jars would have the same file name: {', '.join(doubled)}.")


def main() -> int:
    """Make the lock of one Neo4j version anew."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("version", help="exact version, for example 2026.08.1")
    version = parser.parse_args().version
    try:
        jars = resolve_jars(version)
    except LockError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{write_lock(version, jars)}: {len(jars)} jars")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
