"""What Prometheus and Grafana are given: each rule returns what names nothing that exists."""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from libs.iso8583 import load_dialect
from tests.contract.deploy.promql import OF_PROMETHEUS, Query, read_query, shown_series
from tests.contract.deploy.reach_rules import web_of
from tests.contract.deploy.stack import Container, parse, read_stack

ROOT = Path(__file__).resolve().parents[3]
EDC = ROOT / "proto" / "iso8583" / "edc"
DASHBOARD = "deploy/grafana/dashboards/switch.json"
SCRAPE = "deploy/prometheus/prometheus.yml"
PROVISIONING = "deploy/grafana/provisioning"
WIDTH = 24
"""Columns of a dashboard."""
MUST_SHOW = (
    *("lesko_bridge_answers_total", "lesko_bridge_answer_seconds_bucket"),
    *("lesko_bridge_late_answers_total", "lesko_bridge_silent_total", "lesko_records_dead_total"),
    *("lesko_ledger_partitions_held", "lesko_ledger_days_ahead", "lesko_ledger_rows_in_default"),
    *(
        "lesko_event_loop_lag_seconds",
        "lesko_ledger_commit_seconds_count",
        "lesko_check_failing",
        "up",
    ),
)
SIZED_BY_SETTINGS = {"lesko_ledger_partitions_held"}
"""Series whose good value is what an installation chose."""


class Panel(NamedTuple):
    """One panel with its expressions."""

    title: str
    raw: dict[str, Any]
    queries: list[Query]


def dashboard(root: Path) -> dict[str, Any]:
    """Read the dashboard."""
    return dict(json.loads((root / DASHBOARD).read_text()))


def panels(root: Path) -> Iterator[Panel]:
    """Yield the panels that show something."""
    for raw in dashboard(root)["panels"]:
        if raw["type"] != "row":
            yield Panel(raw["title"], raw, [read_query(t["expr"]) for t in raw["targets"]])


def series_exist(root: Path) -> list[str]:
    """Find series and labels that no process shows."""
    known = {**shown_series(), **OF_PROMETHEUS}
    of_scrape = scrape_labels(root)
    found = []
    for panel in panels(root):
        for query in panel.queries:
            found += [f"{panel.title}: {word} is no PromQL" for word in query.unknown]
            labels = set(of_scrape)
            for series in query.series:
                if series not in known:
                    found.append(f"{panel.title}: nothing shows {series}")
                labels |= known.get(series, frozenset())
            asked = query.grouped_by | {each.label for each in query.matchers}
            found += [f"{panel.title}: no label {label}" for label in sorted(asked - labels)]
    return found


def scrape_labels(root: Path) -> set[str]:
    """Return the labels that Prometheus adds to what it reads."""
    jobs = parse((root / SCRAPE).read_text())["scrape_configs"]
    added = {each["target_label"] for job in jobs for each in job.get("relabel_configs", [])}
    return {"job", "instance", *added}


def values_exist(root: Path) -> list[str]:
    """Find label values that no process ever writes."""
    jobs = parse((root / SCRAPE).read_text())["scrape_configs"]
    known = {
        "operation": written("services/iso_bridge") | {"purchase", "inquiry", "reversal"},
        "de39": set(load_dialect(EDC).response_codes.values()),
        "reason": written("services/iso_bridge"),
        "job": {job["job_name"] for job in jobs},
        "service": set(read_stack(root).containers),
    }
    return [
        f"{panel.title}: no {each.label} is ever {value}"
        for panel in panels(root)
        for query in panel.queries
        for each in query.matchers
        for value in each.value.removesuffix(".*").split("|")
        if value not in known.get(each.label, set())
    ]


@cache
def written(folder: str) -> frozenset[str]:
    """Return every text in the sources below a folder."""
    return frozenset(
        node.value
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def panels_can_be_read(root: Path) -> list[str]:
    """Find panels without words, with the same number, off the board, or one over another."""
    found = []
    taken: dict[tuple[int, int], str] = {}
    numbers: set[int] = set()
    for raw in dashboard(root)["panels"]:
        title, place = raw["title"], raw["gridPos"]
        if not title or (raw["type"] != "row" and not raw.get("description", "").endswith(".")):
            found.append(f"{title or raw['id']} does not say what it shows")
        if raw["id"] in numbers:
            found.append(f"{title} has the number of another panel")
        numbers.add(raw["id"])
        if place["x"] + place["w"] > WIDTH:
            found.append(f"{title} is off the board")
        cells = [
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        over = {taken[cell] for cell in cells if cell in taken}
        found += [f"{title} covers {other}" for other in sorted(over)]
        taken |= dict.fromkeys(cells, title)
    return found


def operators_see_it(root: Path) -> list[str]:
    """Find figures that an operator needs and no panel shows."""
    shown = {series for panel in panels(root) for query in panel.queries for series in query.series}
    return [f"no panel shows {series}" for series in MUST_SHOW if series not in shown]


def colours_fit_every_size(root: Path) -> list[str]:
    """Find panels that turn good or bad at the size of one installation."""
    found = []
    for panel in panels(root):
        steps = panel.raw["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
        sized = {each for query in panel.queries for each in query.series} & SIZED_BY_SETTINGS
        if sized and any((step["value"] or 0) > 1 for step in steps):
            found.append(f"{panel.title} turns at a number that is a setting")
    return found


def sources_meet(root: Path) -> list[str]:
    """Find panels whose source is not provisioned, and folders that Grafana does not see."""
    stack = read_stack(root)
    grafana = stack.containers["grafana"]
    sources = parse((root / PROVISIONING / "datasources/prometheus.yml").read_text())
    provider = parse((root / PROVISIONING / "dashboards/lesko.yml").read_text())
    uids = {source["uid"] for source in sources["datasources"]}
    found = [
        f"{panel.title} asks {target['datasource']['uid']}, which is not there"
        for panel in panels(root)
        for target in (panel.raw, *panel.raw["targets"])
        if target["datasource"]["uid"] not in uids
    ]
    url = sources["datasources"][0]["url"]
    ports = [port.target for port in stack.containers["prometheus"].ports]
    if url not in {f"http://prometheus:{port}" for port in ports}:
        found.append(f"nothing answers at {url}")
    inside = {mount.target: mount.source for mount in grafana.mounts}
    folder = provider["providers"][0]["options"]["path"]
    if inside.get(folder) != "./deploy/grafana/dashboards":
        found.append(f"no dashboard is in {folder}")
    home = grafana.environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    if home != f"{folder}/{Path(DASHBOARD).name}":
        found.append(f"the first page, {home}, is not there")
    if "/etc/grafana/provisioning" not in inside:
        found.append("Grafana sees no provisioning")
    return found


def everybody_is_scraped(root: Path) -> list[str]:
    """Find processes whose figures nobody reads, and addresses where no process answers."""
    stack = read_stack(root)
    prometheus = stack.containers["prometheus"]
    asked = dict(_targets(root))
    serving = {each.name: each for each in stack.of_lesko if each.serves}
    found = [f"nobody reads the figures of {name}" for name in sorted(set(serving) - set(asked))]
    for name, port in asked.items():
        if name not in serving:
            found.append(f"{name} is asked for figures and is no process of ours")
        elif port != web_of(serving[name], stack).port:
            found.append(f"{name} is asked for figures on {port}")
        elif not _meet(prometheus, serving[name]):
            found.append(f"Prometheus shares no network with {name}")
    named = [word.partition("=")[2] for word in prometheus.words if "config.file" in word]
    if {mount.target for mount in prometheus.mounts if mount.source == f"./{SCRAPE}"} != set(named):
        found.append(f"Prometheus reads {named}, which is not {SCRAPE}")
    return found


def _targets(root: Path) -> Iterator[tuple[str, int]]:
    for job in parse((root / SCRAPE).read_text())["scrape_configs"]:
        for listed in job.get("static_configs", []):
            for target in listed["targets"]:
                name, _, port = target.partition(":")
                yield name, int(port)
        for looked_up in job.get("dns_sd_configs", []):
            yield from ((name, looked_up["port"]) for name in looked_up["names"])


def _meet(one: Container, other: Container) -> bool:
    return bool(one.networks & other.networks)


RULES = (
    series_exist,
    values_exist,
    panels_can_be_read,
    operators_see_it,
    colours_fit_every_size,
    sources_meet,
    everybody_is_scraped,
)
