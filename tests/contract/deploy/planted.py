"""The same house with one mistake each: what is replaced in which file, and what must be found."""

import shutil
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = "docker-compose.yml"
DOCKERFILE = "deploy/docker/Dockerfile"
IGNORE = ".dockerignore"
SCRAPE = "deploy/prometheus/prometheus.yml"
BOARD = "deploy/grafana/dashboards/switch.json"
SOURCE = "deploy/grafana/provisioning/datasources/prometheus.yml"
PROVIDER = "deploy/grafana/provisioning/dashboards/lesko.yml"
PAGE = "docs/from-one-machine-to-many.md"
COPIED = (COMPOSE, IGNORE, "pyproject.toml", "README.md", "LICENSE", "deploy", PAGE)
LINKED = ("libs", "services", "proto")


class Planted(NamedTuple):
    """One mistake."""

    rule: str
    finding: str  # With this it begins.
    file: str
    old: str
    new: str

    def write(self, root: Path) -> None:
        """Copy the house with the mistake; the text to replace stands there exactly once."""
        for name in COPIED:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=_without_secrets)
            else:
                shutil.copy(ROOT / name, root / name)
        for name in LINKED:
            (root / name).symlink_to(ROOT / name)
        text = (root / self.file).read_text()
        assert text.count(self.old) == 1, f"{self.file} holds this {text.count(self.old)} times"
        (root / self.file).write_text(text.replace(self.old, self.new))


def _without_secrets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(folder).name == "secrets" and name != ".gitignore"]


def compose(rule: str, finding: str, old: str, new: str) -> Planted:
    """Return a mistake in the compose file."""
    return Planted(rule, finding, COMPOSE, old, new)


def dockerfile(rule: str, finding: str, old: str, new: str) -> Planted:
    """Return a mistake in the Dockerfile."""
    return Planted(rule, finding, DOCKERFILE, old, new)


def board(rule: str, finding: str, old: str, new: str) -> Planted:
    """Return a mistake in the dashboard."""
    return Planted(rule, finding, BOARD, old, new)


BRIDGE = "    command: [serve, iso_bridge]\n"
HOSTNAME = "    hostname: authorization #"

PLANTED = (
    compose(
        "fits_the_schema",
        "$.services.kafka: Unevaluated properties",
        "    hostname: kafka\n",
        "    host_name: kafka\n",
    ),
    compose(
        "fits_the_schema",
        "hostname stands twice",
        "    hostname: kafka\n",
        "    hostname: kafka\n    hostname: kafka\n",
    ),
    compose(
        "fits_the_schema",
        "PORT is taken from the environment",
        '"8583:8583"',
        '"${PORT}:8583"',
    ),
    compose("names_meet", "networks: outside is not declared", "  outside: {}", "  outsiders: {}"),
    compose(
        "names_meet", "volumes: kafka_log is used by nobody", "  kafka_data: {}", "  kafka_log: {}"
    ),
    compose(
        "names_meet",
        "secrets: lesko_password is not declared",
        "  lesko_password: {file",
        "  lesko_word: {file",
    ),
    compose(
        "order_of_starting",
        "grafana depends on prometheuss, which is not there",
        "      prometheus: {condition: service_healthy}",
        "      prometheuss: {condition: service_healthy}",
    ),
    compose(
        "order_of_starting",
        "iso_bridge waits for keys by service_started",
        "      keys: {condition: service_completed_successfully}\n      admin:",
        "      keys: {condition: service_started}\n      admin:",
    ),
    compose(
        "order_of_starting",
        "card_ledger needs seed, which only a profile starts",
        ", required: false}",
        "}",
    ),
    compose(
        "order_of_starting",
        "kafka waits for itself",
        "    hostname: kafka\n",
        "    hostname: kafka\n    depends_on: {iso_bridge: {condition: service_healthy}}\n",
    ),
    compose(
        "commands_are_real",
        "iso_bridge: there is no service iso_brige",
        BRIDGE,
        BRIDGE.replace("bridge]", "brige]"),
    ),
    compose(
        "commands_are_real",
        "nobody serves iso_bridge",
        BRIDGE,
        BRIDGE.replace("iso_bridge", "admin"),
    ),
    compose(
        "commands_are_real", "migrate: ", "    command: [migrate]", "    command: [migrate, --now]"
    ),
    compose("commands_are_real", "seed: ", '--cards, "1000"', '--cards, "many"'),
    compose("commands_are_real", "topics: ", "[topics, apply]", "[topics, aply]"),
    compose(
        "variables_are_known",
        "iso_bridge: nothing reads LESKO_ISO_BRIDGE__ANSWERS_PARTITION",
        "LESKO_ISO_BRIDGE__ANSWER_PARTITION",
        "LESKO_ISO_BRIDGE__ANSWERS_PARTITION",
    ),
    compose(
        "variables_are_known",
        "migrate: nothing reads LESKO_POSTGRES__DNS_FILE",
        "  LESKO_POSTGRES__DSN_FILE",
        "  LESKO_POSTGRES__DNS_FILE",
    ),
    compose(
        "variables_are_known",
        "admin: nothing reads LESKO_ADMIN__POSTGRES__DNS_FILE",
        "DSN_FILE: /run/secrets/admin_dsn\n      LESKO_VAULT",
        "DNS_FILE: /run/secrets/admin_dsn\n      LESKO_VAULT",
    ),
    compose(
        "variables_are_known",
        "authorization: nothing reads LESKO_KAFKA__BOOTSTRAPS",
        "  LESKO_KAFKA__BOOTSTRAP:",
        "  LESKO_KAFKA__BOOTSTRAPS:",
    ),
    compose(
        "variables_are_known",
        "iso_bridge: nothing reads LESKO_CARD_LEDGER__PARTITIONS",
        "      <<: *kafka-of\n      LESKO_ISO",
        "      <<: [*kafka-of, *ledger-of]\n      LESKO_ISO",
    ),
    compose(
        "settings_load",
        "card_ledger: card_ledger.partitions: ",
        '__PARTITIONS: "8"',
        '__PARTITIONS: "800"',
    ),
    compose(
        "settings_load",
        "iso_bridge: iso_bridge.port: ",
        'LESKO_ISO_BRIDGE__PORT: "8583"',
        'LESKO_ISO_BRIDGE__PORT: "edc"',
    ),
    compose(
        "settings_load",
        "admin: admin.postgres: ",
        "DSN_FILE: /run/secrets/admin_dsn\n      LESKO_VAULT",
        "DSN_FILE: /run/secrets/admin.dsn\n      LESKO_VAULT",
    ),
    compose(
        "settings_load",
        "migrate does not get the owner's login",
        "      LESKO_POSTGRES__DSN_FILE: /run/secrets/lesko_dsn\n",
        "",
    ),
    compose(
        "settings_load",
        "card_ledger gets the owner's login",
        "/run/secrets/card_ledger_dsn\n      LESKO_HEADS",
        "/run/secrets/card_ledger_dsn\n"
        "      LESKO_POSTGRES__DSN_FILE: /run/secrets/card_ledger_dsn\n      LESKO_HEADS",
    ),
    dockerfile(
        "health_is_asked", "admin is asked on 8580, it listens on 8590", "PORT=8580", "PORT=8590"
    ),
    dockerfile("health_is_asked", "admin is asked for /ready,", '"/readyz"]', '"/ready"]'),
    dockerfile("health_is_asked", "admin can be asked by nobody", "=0.0.0.0", "=127.0.0.1"),
    compose(
        "health_is_asked",
        "grafana has no health check",
        '      test: [CMD, wget, -q, --spider, "http://127.0.0.1:3000/api/health"]',
        "      disable: true",
    ),
    compose(
        "ports_meet", "prometheus publishes 9090 to everybody", "127.0.0.1:9090:9090", "9090:9090"
    ),
    compose("ports_meet", "terminals are let in on", '"8583:8583"', '"8583:8584"'),
    compose("ports_meet", "no terminal reaches the bridge", "HOST: 0.0.0.0", "HOST: 127.0.0.1"),
    compose(
        "ports_meet",
        "grafana publishes a port from networks",
        "  outside: {}",
        "  outside: {internal: true}",
    ),
    dockerfile("ports_meet", "the image does not expose 8583", "8580 8583", "8580"),
    compose(
        "neighbours_are_reached",
        "admin looks for kafka at kafka:9093",
        "BOOTSTRAP: kafka:9092",
        "BOOTSTRAP: kafka:9093",
    ),
    compose(
        "neighbours_are_reached",
        "kafka does not listen on 9092",
        "PLAINTEXT://:9092",
        "PLAINTEXT://:9094",
    ),
    compose(
        "neighbours_are_reached",
        "kafka is not asked for its health on 9092",
        "/127.0.0.1/9092",
        "/127.0.0.1/9093",
    ),
    compose(
        "neighbours_are_reached",
        "kafka calls itself broker:9092",
        "PLAINTEXT://kafka:9092",
        "PLAINTEXT://broker:9092",
    ),
    compose(
        "neighbours_are_reached",
        "migrate needs postgres and does not wait for it",
        "    depends_on:\n      postgres: {condition: service_healthy}\n",
        "",
    ),
    Planted(
        "neighbours_are_reached",
        "the DSN that make-secrets makes",
        "deploy/docker/make-secrets",
        "place=postgres:5432/lesko",
        "place=database:5432/lesko",
    ),
    compose(
        "containers_are_tended",
        "admin never throws old log lines away",
        'options: {max-size: 20m, max-file: "5"}',
        "options: {max-size: 20m}",
    ),
    compose(
        "containers_are_tended",
        "admin is not started again",
        "  <<: *lesko\n  restart: unless-stopped",
        "  <<: *lesko\n  restart: on-failure",
    ),
    compose(
        "containers_are_tended", "iso_bridge may take all memory", "{memory: 384M}", '{cpus: "1"}'
    ),
    compose("containers_are_tended", "together they may take", "{memory: 384M}", "{memory: 4G}"),
    compose(
        "containers_are_tended", "kafka has ten seconds to stop", "    stop_grace_period: 60s\n", ""
    ),
    compose(
        "containers_are_tended",
        "iso_bridge is killed after 10s",
        "period: 30s\n\n# No",
        "period: 10s\n\n# No",
    ),
    compose(
        "nothing_is_lent",
        "postgres: POSTGRES_PASSWORD holds its secret in clear",
        "POSTGRES_PASSWORD_FILE: /run/secrets/postgres_admin_password",
        "POSTGRES_PASSWORD: lesko",
    ),
    compose(
        "nothing_is_lent",
        "grafana: GF_SECURITY_ADMIN_PASSWORD__FILE names a secret that it does not get",
        "__FILE: /run/secrets/grafana_admin_password",
        "__FILE: /run/secrets/grafana_password",
    ),
    compose(
        "nothing_is_lent",
        "kafka: apache/kafka:latest is not pinned",
        "apache/kafka:4.1.1",
        "apache/kafka:latest",
    ),
    compose(
        "nothing_is_lent",
        "postgres: mirror.example/postgres",
        "image: postgres:",
        "image: mirror.example/postgres:",
    ),
    compose("nothing_is_lent", "admin keeps capabilities", "  cap_drop: [ALL]\n", ""),
    compose(
        "nothing_is_lent",
        "kafka may do what it wants",
        "    hostname: kafka\n",
        "    hostname: kafka\n    privileged: true\n",
    ),
    compose(
        "paths_exist",
        "prometheus mounts ./deploy/prometheus/rules.yml",
        "./deploy/prometheus/prometheus.yml",
        "./deploy/prometheus/rules.yml",
    ),
    compose("paths_exist", "postgres may write into", "role.sh:ro", "role.sh"),
    compose(
        "paths_exist",
        "admin is built from Dockerfile",
        "dockerfile: deploy/docker/Dockerfile",
        "dockerfile: Dockerfile",
    ),
    compose(
        "paths_exist",
        "the secret token_key is not kept out",
        "./deploy/docker/secrets/token.key",
        "./deploy/docker/token.key",
    ),
    Planted(
        "paths_exist",
        "the secret lesko_dsn is not kept out",
        "deploy/docker/secrets/.gitignore",
        "\n*\n",
        "\n",
    ),
    compose(
        "volumes_are_ours",
        "keys: /var/lib/lesko/edges is no folder",
        'edge_keys:/var/lib/lesko/edge"',
        'edge_keys:/var/lib/lesko/edges"',
    ),
    dockerfile(
        "volumes_are_ours",
        "keys: /var/lib/lesko/edge is no folder of user 10001",
        "install -d -o 10001",
        "install -d -o 10002",
    ),
    compose(
        "versions_agree",
        "kafka runs apache/kafka:4.1.0",
        "apache/kafka:4.1.1",
        "apache/kafka:4.1.0",
    ),
    compose(
        "versions_agree",
        "admin runs lesko-switch:0.0.9",
        "lesko-switch:0.1.0",
        "lesko-switch:0.0.9",
    ),
    compose("postgres_is_set_alike", "fsync is off, not on", "--fsync=on", "--fsync=off"),
    compose(
        "postgres_is_set_alike",
        "synchronous_commit is not set",
        "      - --synchronous_commit=on\n",
        "",
    ),
    dockerfile(
        "copies_exist", "service is not there", "COPY services services", "COPY service services"
    ),
    dockerfile(
        "copies_exist", ".dockerignore keeps docs out", "COPY proto proto", "COPY docs docs"
    ),
    Planted("copies_exist", ".dockerignore keeps deploy/seed out", IGNORE, "!deploy/seed\n", ""),
    dockerfile("copies_exist", "there is no stage build", "} AS build", "} AS builder"),
    Planted(
        "secrets_stay_out",
        "deploy/docker/secrets/token.key reaches",
        IGNORE,
        "!deploy/docker/health.py",
        "!deploy/docker",
    ),
    Planted("secrets_stay_out", "var/keys/token.key reaches", IGNORE, "\n*\n", "\n.git\n"),
    Planted("secrets_stay_out", "libs/fakes/clock.py reaches", IGNORE, "libs/fakes\n", ""),
    dockerfile("image_is_plain", "it runs as root", "USER 10001:10001\n", ""),
    dockerfile(
        "image_is_plain", "mirror.example/python", "IMAGE=python", "IMAGE=mirror.example/python"
    ),
    dockerfile(
        "image_is_plain",
        "packages are not pinned",
        " --constraint deploy/constraints.txt setuptools",
        " setuptools",
    ),
    dockerfile(
        "image_is_plain",
        "it asks with /tmp/health.py",
        '"/opt/lesko/deploy/docker/health.py"',
        '"/tmp/health.py"',
    ),
    dockerfile(
        "image_is_plain", "it is not asked to stop", "STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL"
    ),
    dockerfile(
        "python_is_ours",
        "python:3.10.14-slim-bookworm is older",
        "python:3.11.14",
        "python:3.10.14",
    ),
    board(
        "series_exist",
        "Late answers per second: nothing shows lesko_bridge_late_total",
        "rate(lesko_bridge_late_answers_total",
        "rate(lesko_bridge_late_total",
    ),
    board(
        "series_exist",
        "Event loop lag: no label process",
        "max by (service) (lesko_event_loop",
        "max by (process) (lesko_event_loop",
    ),
    board(
        "series_exist",
        "Purchases per second: no label kind",
        '"sum(rate(lesko_bridge_answers_total{operation=\\"purchase\\"}',
        '"sum(rate(lesko_bridge_answers_total{kind=\\"purchase\\"}',
    ),
    board(
        "series_exist",
        "Late answers per second: rat is no PromQL",
        "rate(lesko_bridge_late",
        "rat(lesko_bridge_late",
    ),
    board(
        "values_exist",
        "Shed under overload: no reason is ever overload",
        '{reason=\\"shed\\"}',
        '{reason=\\"overload\\"}',
    ),
    board("values_exist", "Purchases approved: no de39 is ever 0", 'de39=\\"00\\"', 'de39=\\"0\\"'),
    board(
        "values_exist",
        "Memory: no job is ever switch",
        'resident_memory_bytes{job=~\\"lesko|',
        'resident_memory_bytes{job=~\\"switch|',
    ),
    board(
        "panels_can_be_read",
        "Event loop lag does not say what it shows",
        "seconds of it mean a process that is starved or stuck.",
        "late",
    ),
    board(
        "operators_see_it",
        "no panel shows lesko_ledger_days_ahead",
        "max(lesko_ledger_days_ahead",
        "max(lesko_ledger_rows_in_default",
    ),
    board(
        "operators_see_it",
        "no panel shows lesko_check_failing",
        "(lesko_check_failing == 1 or",
        "(lesko_event_loop_lag_seconds > 1 or",
    ),
    board(
        "colours_fit_every_size",
        "Ledger partitions held turns",
        '"color": "blue",\n        "value": 1',
        '"color": "green",\n        "value": 8',
    ),
    board(
        "panels_can_be_read",
        "Answer time, 99 of 100 are faster covers",
        '"w": 4,\n    "x": 8,',
        '"w": 4,\n    "x": 7,',
    ),
    board(
        "panels_can_be_read",
        "Late answers per second is off",
        '"x": 12,\n    "y": 29\n',
        '"x": 13,\n    "y": 29\n',
    ),
    board("panels_can_be_read", "Purchases approved has the number", '"id": 3,', '"id": 2,'),
    Planted(
        "page_commands_are_real",
        "lesko serve iso_bridge2: there is no service iso_bridge2",
        PAGE,
        "lesko serve iso_bridge\n",
        "lesko serve iso_bridge2\n",
    ),
    Planted(
        "page_commands_are_real",
        "docker compose run --rm seeds: there is no container seeds",
        PAGE,
        "docker compose run --rm seed ",
        "docker compose run --rm seeds ",
    ),
    Planted(
        "page_commands_are_real",
        "docker compose exec card_ledger lesko ledger verifies: ",
        PAGE,
        "exec card_ledger lesko ledger verify",
        "exec card_ledger lesko ledger verifies",
    ),
    Planted(
        "page_commands_are_real",
        "docker compose --profile stand-by up --detach: there is no profile stand-by",
        PAGE,
        "--profile standby",
        "--profile stand-by",
    ),
    compose(
        "page_commands_are_real",
        "sh deploy/docker/secret: deploy/docker/secret is not there",
        "sh deploy/docker/make-secrets ",
        "sh deploy/docker/secret ",
    ),
    Planted(
        "page_variables_are_known",
        "nothing reads LESKO_KAFKA__REPLICAS",
        PAGE,
        "LESKO_KAFKA__REPLICATION=3",
        "LESKO_KAFKA__REPLICAS=3",
    ),
    Planted(
        "sources_meet",
        "Purchases per second asks prometheus, which is not there",
        SOURCE,
        "uid: prometheus",
        "uid: prom",
    ),
    Planted("sources_meet", "nothing answers at http://prometheus:9091", SOURCE, ":9090", ":9091"),
    Planted(
        "sources_meet",
        "no dashboard is in /var/lib/dashboards",
        PROVIDER,
        "/var/lib/grafana-dashboards",
        "/var/lib/dashboards",
    ),
    compose(
        "sources_meet",
        "the first page, ",
        "grafana-dashboards/switch.json",
        "grafana-dashboards/lesko.json",
    ),
    Planted(
        "everybody_is_scraped",
        "nobody reads the figures of admin",
        SCRAPE,
        "          - admin:8580\n",
        "",
    ),
    Planted(
        "everybody_is_scraped",
        "admin is asked for figures on 8581",
        SCRAPE,
        "admin:8580",
        "admin:8581",
    ),
    Planted(
        "everybody_is_scraped",
        "bank_api is asked for figures",
        SCRAPE,
        "admin:8580",
        "bank_api:8580",
    ),
    compose(
        "everybody_is_scraped",
        "Prometheus reads",
        "config.file=/etc/prometheus/prometheus.yml",
        "config.file=/etc/prometheus.yml",
    ),
)
