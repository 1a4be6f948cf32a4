"""What a container finds once it runs: its settings, its ports, its neighbours; as sentences."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from libs.observe import Health, Metrics
from libs.outcome import Fault
from libs.web import build_app
from services.cli.composition import overrides, own
from services.cli.database import need_dsn, need_logins
from services.cli.logins import OWNERS
from services.cli.settings import Settings as CliSettings
from services.cli.settings import WebPart
from tests.contract.deploy.settings_of import classes_of, inside, is_known, settings_of
from tests.contract.deploy.stack import Container, Stack, read_stack

EDC = "iso_bridge"
EVERYWHERE = "0.0.0.0"


def variables_are_known(root: Path) -> list[str]:
    """Find LESKO_* variables that nothing in their container reads."""
    return [
        f"{container.name}: nothing reads {name}"
        for container in read_stack(root).of_lesko
        for name in container.environment
        if name.startswith("LESKO_") and not is_known(name, classes_of(container))
    ]


def settings_load(root: Path) -> list[str]:
    """Find containers whose settings a process would refuse, or which would find no database."""
    stack = read_stack(root)
    found: list[str] = []
    for container in stack.of_lesko:
        with inside(container, stack) as variables:
            try:
                CliSettings()
                _read_settings(container)
                found += _uses_its_secrets(container, variables)
            except ValidationError as problem:
                found += [f"{container.name}: {_place(error)}" for error in problem.errors()]
            except (Fault, OSError) as problem:
                found.append(f"{container.name}: {problem}")
    return found


def _read_settings(container: Container) -> None:
    """Read what the container's services read, as ``lesko serve`` does; raises its troubles."""
    settings = CliSettings()
    owners = [name for name in container.serves if name in OWNERS]
    over = overrides(settings, need_logins(settings, owners) if owners else None)
    for service in container.serves:
        settings_of(service).model_validate(own(over, service))


def _uses_its_secrets(container: Container, variables: Mapping[str, str]) -> Iterator[str]:
    """Find services that would enter by another login than their secret says, or by the owner's."""
    if container.arguments == ["migrate"]:
        if (named := variables.get("LESKO_POSTGRES__DSN_FILE")) is None:
            yield f"{container.name} does not get the owner's login"
        elif need_dsn(CliSettings()).get_secret_value() != Path(named).read_text().strip():
            yield f"{container.name} uses another database than its secret says"
    elif any(name.startswith("LESKO_POSTGRES__DSN") for name in variables):
        yield f"{container.name} gets the owner's login"
    owners = [name for name in container.serves if name in OWNERS]
    for service in owners:
        dsn = need_logins(CliSettings(), owners).of(service).get_secret_value()
        named = variables.get(f"LESKO_{service.upper()}__POSTGRES__DSN_FILE", "")
        if not named or dsn != Path(named).read_text().strip():
            yield f"{container.name} uses another database than its secret says"


def _place(error: object) -> str:
    assert isinstance(error, dict)
    return f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"


def health_is_asked(root: Path) -> list[str]:
    """Find containers whose health is asked on another port or path than they serve."""
    stack = read_stack(root)
    routes = {str(getattr(route, "path", "")) for route in _app_routes()}
    found = []
    for container in stack.containers.values():
        words = container.health_words
        if not words and not container.is_job:
            found.append(f"{container.name} has no health check")
        if container.serves:
            web = web_of(container, stack)
            if words[-2] != str(web.port):
                found.append(f"{container.name} is asked on {words[-2]}, it listens on {web.port}")
            if words[-1] not in routes:
                found.append(f"{container.name} is asked for {words[-1]}, which it does not know")
            if web.host != EVERYWHERE:
                found.append(f"{container.name} can be asked by nobody: it listens on {web.host}")
    return found


def web_of(container: Container, stack: Stack) -> WebPart:
    """Return where a process answers for health and figures."""
    with inside(container, stack):
        return CliSettings().web


def _app_routes() -> list[object]:
    return list(build_app(Health(), Metrics().registry).routes)


def ports_meet(root: Path) -> list[str]:
    """Find published ports that nobody listens on, or that strangers could reach."""
    stack = read_stack(root)
    found = []
    for container in stack.containers.values():
        found += [
            f"{container.name} publishes {port.published} to everybody"
            for port in container.ports
            if container.name != EDC and port.address != "127.0.0.1"
        ]
        if container.ports and not _can_publish(container, stack):
            found.append(f"{container.name} publishes a port from networks that are internal")
    bridge = stack.containers[EDC]
    with inside(bridge, stack):
        edge = CliSettings().iso_bridge
    if [(edge.port, edge.port)] != [(port.published, port.target) for port in bridge.ports]:
        found.append(f"terminals are let in on {bridge.ports}, the bridge listens on {edge.port}")
    if edge.host != EVERYWHERE:
        found.append(f"no terminal reaches the bridge: it listens on {edge.host}")
    exposed = stack.image.ending("EXPOSE").split()
    if str(edge.port) not in exposed:
        found.append(f"the image does not expose {edge.port}")
    return found


def _can_publish(container: Container, stack: Stack) -> bool:
    networks = stack.data["networks"]
    return any(not (networks.get(name) or {}).get("internal") for name in container.networks)


def neighbours_are_reached(root: Path) -> list[str]:
    """Find addresses of Kafka, PostgreSQL and Prometheus where nothing of ours answers."""
    stack = read_stack(root)
    found = []
    kafka = stack.containers["kafka"]
    offered = kafka.environment["KAFKA_ADVERTISED_LISTENERS"].removeprefix("PLAINTEXT://")
    port = offered.partition(":")[2]
    if not kafka.environment["KAFKA_LISTENERS"].startswith(f"PLAINTEXT://:{port},"):
        found.append(f"kafka does not listen on {port}")
    if f"/{port}" not in kafka.health_words[-1]:
        found.append(f"kafka is not asked for its health on {port}")
    if offered.partition(":")[0] != kafka.name:
        found.append(f"kafka calls itself {offered}")
    for container in stack.of_lesko:
        bootstrap = container.environment.get("LESKO_KAFKA__BOOTSTRAP", offered)
        if bootstrap != offered:
            found.append(f"{container.name} looks for kafka at {bootstrap}")
        for name in _needs(container):
            if name not in stack.waited_for(container.name):
                found.append(f"{container.name} needs {name} and does not wait for it")
            elif not container.networks & stack.containers[name].networks:
                found.append(f"{container.name} shares no network with {name}")
    script = (root / "deploy" / "docker" / "make-secrets").read_text()
    if "\nplace=postgres:5432/lesko\n" not in script or "postgres" not in stack.containers:
        found.append("the DSN that make-secrets makes does not lead to postgres")
    return found


def _needs(container: Container) -> Iterator[str]:
    if "LESKO_KAFKA__BOOTSTRAP" in container.environment:
        yield "kafka"
        if container.serves:
            yield "topics"
    if any(name.endswith("POSTGRES__DSN_FILE") for name in container.environment):
        yield "postgres"
        if container.serves:
            yield "migrate"


RULES = (variables_are_known, settings_load, health_is_asked, ports_meet, neighbours_are_reached)
