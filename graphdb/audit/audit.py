"""The audit: what Community cannot constrain, counted in the graph and held against thresholds.

It knows which checks there are and how much of each is too much; what one counts is theirs
(graphdb.audit.properties, graphdb.audit.links, graphdb.audit.habits). It never writes.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from graphdb.audit.checks import Check
from graphdb.audit.habits import habit_checks
from graphdb.audit.links import link_checks
from graphdb.audit.properties import property_checks
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.errors import PathlightError

ATTEMPTS = 5
"""At a check that fails: beside writers a reading is of more than one moment."""

Progress = Callable[[str, int, int], None]


class AuditError(PathlightError):
    """More is at fault than the domain allows."""


@dataclass(frozen=True)
class Finding:
    """What a check counted: `count` at fault `of` those it looked at, `threshold` the share of
    them that may be."""

    check: Check
    count: int
    of: int
    threshold: float
    examples: list[str]
    seconds: float

    @property
    def passed(self) -> bool:
        return self.count <= self.threshold * self.of

    @property
    def share(self) -> float:
        return self.count / max(self.of, 1)

    def __str__(self) -> str:
        return (
            f"{self.check.name} counts {self.count:,} of {self.of:,}"
            f" ({percent(self.share)}), {percent(self.threshold)} may be"
        )


def list_checks(graph: Graph, domain: Domain) -> list[Check]:
    """All checks of the domain's graph."""
    return [*property_checks(domain), *link_checks(graph, domain), *habit_checks(domain)]


def audit(graph: Graph, domain: Domain, progress: Progress | None = None) -> list[Finding]:
    """Run every check, one after the other."""
    report = progress or (lambda step, done, total: None)
    checks = list_checks(graph, domain)
    findings = []
    for done, check in enumerate(checks):
        report("audit", done, len(checks))
        findings.append(confirmed(graph, domain, check))
    report("audit", len(checks), len(checks))
    return findings


def require_sound(graph: Graph, domain: Domain, progress: Progress | None = None) -> None:
    """Raise AuditError, naming the first check that fails, unless all pass."""
    if refusal := refused(audit(graph, domain, progress)):
        raise AuditError(
            f"{refusal}: nothing is learned from this graph; `pathlight audit` shows the queries,"
            " PATHLIGHT_AUDIT_GATE=false has it trained anyway"
        )


def refused(findings: Iterable[Finding]) -> str | None:
    """What fails, in words; None if all pass."""
    failed = [finding for finding in findings if not finding.passed]
    if not failed:
        return None
    others = f", and {len(failed) - 1} more" if failed[1:] else ""
    return f"the audit fails: {failed[0]}{others}"


def percent(share: float) -> str:
    """0.0035 as 0.35 %."""
    return f"{share * 100:.3g} %"


def confirmed(graph: Graph, domain: Domain, check: Check) -> Finding:
    """What the check counts; of several readings the first that passes."""
    for _ in range(ATTEMPTS):
        finding = _find(graph, domain, check)
        if finding.passed:
            break
    return finding


def _find(graph: Graph, domain: Domain, check: Check) -> Finding:
    began = time.perf_counter()
    row = graph.read(check.statement, **check.parameters)[0]
    threshold = getattr(domain.audit.thresholds, check.name)
    examples = dict.fromkeys(str(x) for x in row["examples"] if x is not None)
    seconds = time.perf_counter() - began
    return Finding(check, row["count"], row["of"], threshold, list(examples), seconds)
