"""The filter language: text to a checked tree, or an error that says where and what was expected.

    year in 1990..1999 and (genres has "Drama" or not countries has "France")

A tree is made of conditions; a field that is missing passes none, and so passes its negation: there
is no third value. Fields are those that the domain lets be filtered. What a filter means in the
graph is graphdb.answers.filtering's affair.
"""

import json
import re
from dataclasses import dataclass
from typing import Literal, NoReturn, Protocol, get_args

from graphdb.errors import PathlightError
from graphdb.specs import FieldSpec, ItemSpec

Value = str | int | float | bool
Operator = Literal["in", "<", "<=", ">", ">=", "present"]

LONGEST, DEEPEST = 4_000, 30
"""Characters of a filter, and how deep parentheses and `not` may be nested in it."""
LARGEST = 2**53
"""Beyond it whole numbers and fractions no longer compare exactly."""
LEAST_FACTOR, MOST_FACTOR = 0.1, 10.0
MOST_QUOTED = 20
"""Characters of a filter that a sentence repeats."""

TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<sign>\.\.|<=|>=|!=|[=<>()\[\],])
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
COMPARISONS = {"<", "<=", ">", ">="} & set(get_args(Operator))


class Catalogue(Protocol):
    """What a filter is read by of a domain, which itself reads those of its rankings."""

    @property
    def name(self) -> str: ...

    @property
    def item(self) -> ItemSpec: ...


class FilterError(PathlightError):
    """A filter that cannot be read: the sentence names the character, counted from 1."""

    def __init__(self, position: int, sentence: str) -> None:
        super().__init__(f"at character {position}: {sentence}")
        self.position = position


@dataclass(frozen=True)
class Condition:
    """On one field. in: it is, or a list has, one of the values; the others compare with the first;
    present: there is a value, or a list that is not empty."""

    field: str
    operator: Operator
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Not:
    inner: "Filter"


@dataclass(frozen=True)
class All:
    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Any:
    parts: tuple["Filter", ...]


Filter = Condition | Not | All | Any


@dataclass(frozen=True)
class Boost:
    """What passes counts `factor` times."""

    passing: Filter
    factor: float


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    position: int


def parse_filter(text: str, domain: Catalogue) -> Filter:
    """The tree of a filter. Raises FilterError."""
    parser = Parser(text, domain)
    tree = parser.alternatives(0)
    parser.end("and, or, or the end")
    return tree


def parse_boost(text: str, domain: Catalogue) -> Boost:
    """A filter, `by`, and a factor. Raises FilterError."""
    parser = Parser(text, domain)
    tree = parser.alternatives(0)
    parser.take("by", "and, or, or by and a factor")
    factor = parser.factor()
    parser.end("the end")
    return Boost(tree, factor)


class Parser:
    """Reads from left to right; each method reads what its name says."""

    def __init__(self, text: str, domain: Catalogue) -> None:
        if len(text) > LONGEST:
            raise FilterError(
                LONGEST + 1, f"expected at most {LONGEST} characters, found {len(text)}"
            )
        self._tokens = _tokens(text)
        self._at = 0
        self._fields = {n: spec for n, spec in domain.item.fields.items() if spec.filter}
        self._domain = domain.name

    def alternatives(self, depth: int) -> Filter:
        """Parts with `or` between them."""
        parts = [self._conjunction(depth)]
        while self._take("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def factor(self) -> float:
        """The factor of a boost."""
        token, value = self._now, self._number()
        if not LEAST_FACTOR <= value <= MOST_FACTOR:
            raise FilterError(
                token.position, f"expected a factor from {LEAST_FACTOR:g} to {MOST_FACTOR:g}"
            )
        return float(value)

    def take(self, text: str, expected: str) -> None:
        """Read exactly this word or sign."""
        if not self._take(text):
            self._refuse(expected)

    def end(self, expected: str) -> None:
        """Nothing more."""
        if self._now.kind != "end":
            self._refuse(expected)

    def _conjunction(self, depth: int) -> Filter:
        parts = [self._negation(depth)]
        while self._take("and"):
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _negation(self, depth: int) -> Filter:
        if depth > DEEPEST:
            raise FilterError(
                self._now.position, f"expected at most {DEEPEST} parentheses and nots within others"
            )
        if self._take("not"):
            return Not(self._negation(depth + 1))
        if self._take("("):
            inner = self.alternatives(depth + 1)
            self.take(")", "and, or, or )")
            return inner
        if self._take("has"):
            return Condition(self._field()[0], "present")
        return self._test()

    def _test(self) -> Filter:
        name, spec = self._field()
        several = spec.type == "strings"
        token = self._now
        if several and self._take("has"):
            return Condition(name, "in", (self._value(spec),))
        if self._take("in"):
            return self._among(name, spec, several)
        if several:
            self._refuse(f'has or in, for {name} is a list (as in {name} has "…")')
        if self._take("="):
            return Condition(name, "in", (self._value(spec),))
        if self._take("!="):
            return Not(Condition(name, "in", (self._value(spec),)))
        if token.text not in COMPARISONS or spec.type == "boolean":
            ordered = "" if spec.type == "boolean" else "<, <=, >, >=, "
            self._refuse(f"=, !=, {ordered}or in after {name}")
        self._at += 1
        return Condition(name, token.text, (self._value(spec),))  # ty: ignore

    def _among(self, name: str, spec: FieldSpec, several: bool) -> Filter:
        """[a, b, …], or a..b with both ends."""
        if self._take("["):
            values = [self._value(spec)]
            while self._take(","):
                values.append(self._value(spec))
            self.take("]", "a comma or ]")
            return Condition(name, "in", tuple(values))
        if several or spec.type == "boolean":
            self._refuse("[ and values")
        token = self._now
        if token.kind not in ("number", "string"):
            self._refuse("[ and values, or a range such as 1..5")
        least = self._value(spec)
        self.take("..", "..")
        most = self._value(spec)
        if most < least:  # ty: ignore[unsupported-operator]
            raise FilterError(token.position, "expected a range from the smaller to the larger")
        return All((Condition(name, ">=", (least,)), Condition(name, "<=", (most,))))

    def _field(self) -> tuple[str, FieldSpec]:
        token = self._now
        spec = self._fields.get(token.text)
        if token.kind != "word":
            self._refuse("a field, has, not, or (")
        if spec is None:
            known = ", ".join(self._fields) or "none"
            raise FilterError(
                token.position,
                f"no field {_quoted(token.text)} that may be filtered in domain {self._domain}; "
                f"there are: {known}",
            )
        self._at += 1
        return token.text, spec

    def _value(self, spec: FieldSpec) -> Value:
        if spec.type in ("integer", "float"):
            return self._number()
        if spec.type == "boolean":
            token = self._now
            if not (self._take("true") or self._take("false")):
                self._refuse("true or false")
            return token.text == "true"
        return self._string()

    def _number(self) -> int | float:
        token = self._now
        if token.kind != "number":
            self._refuse("a number")
        whole = token.text.lstrip("-").isdigit()
        value = int(token.text) if whole else float(token.text)
        if not abs(value) <= LARGEST:
            raise FilterError(token.position, f"expected a number of at most {LARGEST}")
        self._at += 1
        return value

    def _string(self) -> str:
        token = self._now
        if token.kind != "string":
            self._refuse('text in double quotes, as in "Drama"')
        try:
            value: str = json.loads(token.text)
            value.encode()
        except ValueError:
            raise FilterError(
                token.position, "expected text as in JSON: an escape in it is not one"
            ) from None
        self._at += 1
        return value

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _take(self, text: str) -> bool:
        if self._now.kind in ("word", "sign") and self._now.text == text:
            self._at += 1
            return True
        return False

    def _refuse(self, expected: str) -> NoReturn:
        found = "the end" if self._now.kind == "end" else _quoted(self._now.text)
        raise FilterError(self._now.position, f"expected {expected}, found {found}")


def _tokens(text: str) -> list[Token]:
    tokens, at = [], 0
    while not tokens or tokens[-1].kind != "end":
        found = TOKEN.match(text, at)
        if found is None:
            blank = len(text[at:]) - len(text[at:].lstrip())
            raise FilterError(
                at + blank + 1, f"nothing can begin with {_quoted(text[at + blank :])}"
            )
        kind = str(found.lastgroup)
        tokens.append(Token(kind, found[kind], found.start(kind) + 1))
        at = found.end()
    return tokens


def _quoted(text: str) -> str:
    """Its beginning, printable."""
    return repr(text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 1]}…")
