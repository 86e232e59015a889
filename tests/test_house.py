"""The house rules that would otherwise erode: arrows, one home for Cypher, tests that mirror."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api.client_types import PLACE, made

ROOT = Path(__file__).parents[1]
PACKAGES = ("graphdb", "ingest", "training", "api")
ALLOWED = {
    "graphdb": {"graphdb"},
    "ingest": {"ingest", "graphdb"},
    "training": {"training"},
    "api": {"api", "ingest", "training", "graphdb"},
}
HOMES = {
    "neo4j": {"graphdb"},
    "torch": {"training", "ingest"},
    "torch_geometric": {"training"},
    "sentence_transformers": {"ingest"},
    "fastapi": {"api"},
    "starlette": {"api"},
    "celery": {"api"},
}
TRAINING_READS = "graphdb.snapshot"
CYPHER = re.compile(
    r"^\s*(MATCH|MERGE|UNWIND|CREATE|OPTIONAL MATCH|CALL|SHOW|DROP|DETACH)\b.*[\s({`]", re.DOTALL
)
LONGEST_MODULE = 350
UNTESTED = {
    "api/worker.py": "the front door of a process that tests start",
    "api/answers/answer.py": "shapes only",
    "api/client/types.py": "made by api.client_types, and made again below",
    "graphdb/errors.py": "classes without behaviour",
    "graphdb/specs.py": "shapes only; test_domain says what is refused",
}


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_arrows(path):
    package = path.relative_to(ROOT).parts[0]
    for name in imports(path):
        top = name.split(".")[0]
        if package == "training" and name == TRAINING_READS:
            continue
        assert top not in PACKAGES or top in ALLOWED[package], f"{path} imports {name}"
        assert top not in HOMES or package in HOMES[top], f"{path} imports {name}"


def test_training_reads_snapshots_without_driver_http_or_queue():
    code = (
        "import sys, training.artifact, training.search.recipe, training.data\n"
        "heavy = {'neo4j', 'fastapi', 'celery', 'redis', 'httpx'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_client_loads_nothing_of_the_servers():
    code = (
        "import sys, api.client\n"
        "heavy = {'torch', 'numpy', 'neo4j', 'fastapi', 'celery', 'redis', 'pydantic'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "ours = {m for m in sys.modules if m.startswith(('graphdb.', 'ingest', 'training'))}\n"
        "assert ours == {'graphdb.errors'}, ours"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_client_s_types_are_those_of_the_document():
    assert made() == PLACE.read_text("utf-8"), "run: .venv/bin/python -m api.client_types"


def test_the_api_and_the_command_line_start_without_torch():
    code = (
        "import sys, api.app, api.cli, api.loop.tasks\n"
        "assert 'torch' not in sys.modules and 'sentence_transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    "path", [p for p in modules() if "graphdb" not in p.parts], ids=lambda p: p.stem
)
def test_cypher_is_written_in_graphdb_only(path):
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    }
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert node.value in docstrings or not CYPHER.match(node.value), node.value


def test_each_module_has_its_test():
    missing = []
    for path in modules():
        relative = path.relative_to(ROOT)
        if path.name.startswith("__") or str(relative) in UNTESTED:
            continue
        test = ROOT / "tests" / relative.parent / f"test_{relative.name}"
        if not test.is_file():
            missing.append(str(relative))
    assert missing == []


def test_no_module_has_got_away():
    long = [p for p in modules() if len(p.read_text().splitlines()) > LONGEST_MODULE]
    # As long as the OpenAPI document has shapes, and read by nobody from top to bottom.
    assert [str(path) for path in long if path != PLACE] == []


def test_no_registry_address_stands_in_the_project():
    hosts = "repo1?[.]maven|pypi[.]" + "org|python" + "hosted|registry[.]npm" + "js"
    found = subprocess.run(
        ["git", "grep", "-nIE", hosts], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.stdout == ""


def test_lint_and_format():
    for arguments in (["check", "."], ["format", "--check", "."]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments], check=True, cwd=ROOT)


def test_types():
    subprocess.run([sys.executable, "-m", "ty", "check"], check=True, cwd=ROOT)
