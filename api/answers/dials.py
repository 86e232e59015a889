"""The dials of a request: in range by their shape, and possible in the deployment's domain.

What they do to a list is training.reranking's.
"""

from api.problems import InvalidError
from graphdb.domain import Domain
from training.reranking import Dials


def dials_asked(domain: Domain, asked: Dials, place: str) -> Dials:
    """The dials alone of what is asked. place: where the request carries them, for errors.

    Raises InvalidError for a dial that needs what the domain does not say.
    """
    dials = Dials(**{name: getattr(asked, name) for name in Dials.model_fields})
    if dials.calibration and domain.item.categories is None:
        _refuse(f"{place}.calibration", "expected 0: the domain says no field in item.categories")
    known = ", ".join(domain.groups)
    expected = f"expected one of the groups {known}" if known else "the domain has no groups"
    for n, name in enumerate(dials.shares):
        if name not in domain.groups:
            _refuse(f"{place}.exposure.{n}", expected)
    return dials


def _refuse(field: str, detail: str) -> None:
    raise InvalidError("the request is not valid", [{"field": field, "detail": detail}])
