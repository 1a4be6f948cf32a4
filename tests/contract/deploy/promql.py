"""Names of series and labels in PromQL, and those that our processes really show."""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from prometheus_client import Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from libs.observe import Health, HealthFigures, Metrics, Tally

OF_PROMETHEUS = {"up": frozenset[str]()}
"""Series that Prometheus makes for each process that it asks."""
FUNCTIONS = {
    *("rate", "increase", "sum", "max", "min", "avg", "count", "histogram_quantile", "time"),
    *("clamp_min", "absent", "vector", "label_replace"),
}
WORDS = {"by", "without", "and", "or", "unless", "on", "ignoring", "bool", "offset"}
TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\{(?P<matchers>[^}]*)\}|(?P<name>[A-Za-z_:][\w:]*)'
    r"|\$__\w+|\d+(?:\.\d+)?|[-+*/%^(),<>=!]+|\s+"
)
MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')


class Matcher(NamedTuple):
    """One condition on a label."""

    label: str
    operator: str
    value: str


class Query(NamedTuple):
    """What an expression names."""

    series: list[str]
    grouped_by: set[str]
    matchers: list[Matcher]
    unknown: list[str]  # What is no PromQL that we know.


def read_query(text: str) -> Query:
    """Take an expression apart; ``$__rate_interval`` stands for a duration."""
    query = Query([], set(), [], [])
    position = 0
    while position < len(text):
        token = TOKEN.match(text, position)
        if token is None:
            query.unknown.append(text[position : position + 10])
            break
        position = token.end()
        if token["matchers"] is not None:
            _take_matchers(token["matchers"], query)
        elif token["name"]:
            position = _take_name(token["name"], text, position, query)
    if text.count("(") != text.count(")"):
        query.unknown.append("parentheses")
    return query


def _take_name(name: str, text: str, position: int, query: Query) -> int:
    """Sort a name; return where to read on: behind the labels of a grouping."""
    behind = text[position:].lstrip()
    if name in {"by", "without", "on", "ignoring"}:
        end = text.index(")", position) + 1
        inner = text[text.index("(", position) + 1 : end - 1]
        query.grouped_by.update(label.strip() for label in inner.split(",") if label.strip())
        return end
    if name in FUNCTIONS and (behind.startswith("(") or re.match(r"(by|without)\b", behind)):
        return position
    if name not in WORDS:
        (query.unknown if behind.startswith("(") else query.series).append(name)
    return position


def _take_matchers(text: str, query: Query) -> None:
    position = 0
    while position < len(text):
        found = MATCHER.match(text, position)
        if found is None:
            query.unknown.append(text[position:])
            return
        query.matchers.append(Matcher(found[1], found[2], found[3]))
        position = found.end()


@cache
def shown_series() -> dict[str, frozenset[str]]:
    """Return every series that a process of ours shows, with its labels."""
    metrics = Metrics()
    health = Health()
    health.expect("x")
    metrics.registry.register(HealthFigures(health))
    for figure in vars(metrics).values():
        if isinstance(figure, Tally):
            figure.add(("x",) * len(figure._labels))
        elif isinstance(figure, Counter) and figure._labelnames:
            figure.labels(*("x" for _ in figure._labelnames)).inc()
    found: dict[str, set[str]] = {}
    for name, labels in _samples(generate_latest(metrics.registry).decode()):
        found.setdefault(name, set()).update(labels)
    return {name: frozenset(labels) for name, labels in found.items()}


def _samples(text: str) -> Iterator[tuple[str, set[str]]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, set(sample.labels)
