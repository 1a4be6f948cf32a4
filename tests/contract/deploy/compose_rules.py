"""What docker-compose.yml must keep: each rule returns what it found, as sentences."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema

from libs.pg import cluster
from services.iso_bridge.settings import BridgeKnobs
from tests.contract.deploy.lesko_commands import known_services, problem_of
from tests.contract.deploy.stack import (
    FILE,
    Container,
    Stack,
    bytes_of,
    parse,
    read_stack,
    repeated_keys,
    seconds_of,
)

SCHEMA = Path(__file__).parent / "compose_spec" / "compose-spec.json"
BOX_BYTES = 6 << 30
"""What all containers together may take: a machine of 8 GB also has a system."""
NOT_IN_A_CONTAINER = {
    *("listen_addresses", "unix_socket_directories", "include_if_exists", "log_line_prefix"),
}
IMAGE = re.compile(r"[a-z-]+(/[a-z-]+)?:v?\d+\.\d+(\.\d+)?(-bookworm)?")
SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|DSN|KEY")


def fits_the_schema(root: Path) -> list[str]:
    """Find what the Compose Specification does not know."""
    text = (root / FILE).read_text()
    schema = json.loads(SCHEMA.read_text())
    judge = jsonschema.validators.validator_for(schema)(schema)
    found = [f"{key} stands twice in one mapping" for key in repeated_keys(text)]
    errors = judge.iter_errors(parse(text))
    found += [f"{error.json_path}: {error.message}" for error in errors]
    found += [f"{name} is taken from the environment" for name in re.findall(r"\$\{(\w+)", text)]
    return found


def names_meet(root: Path) -> list[str]:
    """Find names that nothing bears, and things that nobody names."""
    stack = read_stack(root)
    used: dict[str, set[str]] = {"networks": set(), "volumes": set(), "secrets": set()}
    for container in stack.containers.values():
        used["networks"] |= container.networks
        used["volumes"] |= {mount.source for mount in container.mounts if not mount.is_path}
        used["secrets"] |= set(container.secrets.values())
    found = []
    for kind, names in used.items():
        declared = set(stack.data.get(kind, {}))
        found += [f"{kind}: {name} is not declared" for name in sorted(names - declared)]
        found += [f"{kind}: {name} is used by nobody" for name in sorted(declared - names)]
    return found


def order_of_starting(root: Path) -> list[str]:
    """Find dependencies that can never be met, or that wait in a circle."""
    stack = read_stack(root)
    found = []
    for container in stack.containers.values():
        for name, how in container.depends_on.items():
            other = stack.containers.get(name)
            if other is None:
                found.append(f"{container.name} depends on {name}, which is not there")
            else:
                found += _meets(container, other, how["condition"], how.get("required", True))
        if container.name in stack.waited_for(container.name):
            found.append(f"{container.name} waits for itself")
    return found


def _meets(who: Container, other: Container, condition: str, required: object) -> Iterator[str]:
    if condition == "service_healthy" and not other.health_words:
        yield f"{who.name} waits for the health of {other.name}, which has none"
    if (condition == "service_completed_successfully") != other.is_job:
        yield f"{who.name} waits for {other.name} by {condition}"
    if set(other.raw.get("profiles", [])) - set(who.raw.get("profiles", [])) and required:
        yield f"{who.name} needs {other.name}, which only a profile starts"


def commands_are_real(root: Path) -> list[str]:
    """Find command lines that ``lesko`` would refuse."""
    stack = read_stack(root)
    found = []
    for container in stack.of_lesko:
        problem = problem_of(container.arguments or [])
        if problem is not None:
            found.append(f"{container.name}: {problem}")
        if bool(container.serves) == container.is_job:
            found.append(f"{container.name} serves and ends, or stays and serves nothing")
    served = {name for container in stack.of_lesko for name in container.serves}
    found += [f"nobody serves {name}" for name in sorted(known_services() - served)]
    return found


def containers_are_tended(root: Path) -> list[str]:
    """Find containers that would fill a disk, stay down, take all memory, or end too early."""
    stack = read_stack(root)
    found = []
    total = 0
    for name, container in stack.containers.items():
        options = container.raw.get("logging", {}).get("options", {})
        if not {"max-size", "max-file"} <= set(options):
            found.append(f"{name} never throws old log lines away")
        if container.raw.get("restart") != ("no" if container.is_job else "unless-stopped"):
            found.append(f"{name} is not started again")
        if "memory" not in container.limits:
            found.append(f"{name} may take all memory")
        elif not container.is_job:
            total += bytes_of(str(container.limits["memory"]))
        if not container.is_job and "stop_grace_period" not in container.raw:
            found.append(f"{name} has ten seconds to stop")
    if total > BOX_BYTES:
        found.append(f"together they may take {total >> 20} MB, more than {BOX_BYTES >> 20}")
    return found + _grace(stack)


def _grace(stack: Stack) -> list[str]:
    needed = BridgeKnobs().drain_ms / 1000 + 5
    return [
        f"{container.name} is killed after {container.grace}, {needed:g} s are needed"
        for container in stack.of_lesko
        if container.serves and seconds_of(container.grace) < needed
    ]


def nothing_is_lent(root: Path) -> list[str]:
    """Find secrets in clear, rights that nobody needs, images that may change under us."""
    found = []
    for name, container in read_stack(root).containers.items():
        for variable, value in container.environment.items():
            if SECRET_NAME.search(variable) and not value.startswith(("/run/secrets/", "/var/")):
                found.append(f"{name}: {variable} holds its secret in clear")
            if value.startswith("/run/secrets/") and value not in container.secrets:
                found.append(f"{name}: {variable} names a secret that it does not get")
        if IMAGE.fullmatch(container.image) is None:
            found.append(f"{name}: {container.image} is not pinned, or names a registry")
        if container.raw.get("privileged") or container.raw.get("network_mode") == "host":
            found.append(f"{name} may do what it wants with this machine")
        if container.is_ours and container.raw.get("cap_drop") != ["ALL"]:
            found.append(f"{name} keeps capabilities")
    return found


def paths_exist(root: Path) -> list[str]:
    """Find files that are mounted or built from and are not there, or that could be written."""
    stack = read_stack(root)
    found = []
    for name, container in stack.containers.items():
        for mount in container.mounts:
            if mount.is_path and not (root / mount.source).exists():
                found.append(f"{name} mounts {mount.source}, which is not there")
            if mount.is_path and not mount.is_read_only:
                found.append(f"{name} may write into {mount.source}")
        build = container.raw.get("build")
        if build and not (root / build["context"] / build["dockerfile"]).exists():
            found.append(f"{name} is built from {build['dockerfile']}, which is not there")
    ignored = (root / "deploy" / "docker" / "secrets" / ".gitignore").read_text().split()
    for name, secret in stack.data["secrets"].items():
        folder = Path(secret["file"]).parent.as_posix()
        if folder != "deploy/docker/secrets" or "*" not in ignored:
            found.append(f"the secret {name} is not kept out of git")
    return found


def volumes_are_ours(root: Path) -> list[str]:
    """Find volumes that our user could not write to: an empty one is like the image's folder."""
    stack = read_stack(root)
    user = stack.image.ending("USER").partition(":")[0]
    return [
        f"{container.name}: {mount.target} is no folder of user {user} in the image"
        for container in stack.containers.values()
        if container.is_ours
        for mount in container.mounts
        if not mount.is_path and stack.image.own_folders.get(mount.target) != user
    ]


def versions_agree(root: Path) -> list[str]:
    """Find versions that differ from those that tests and packages have."""
    stack = read_stack(root)
    pom = (root / "deploy" / "kafka" / "pom.xml").read_text()
    broker = re.search(r"<artifactId>kafka_[\d.]+</artifactId>\s*<version>([\d.]+)<", pom)
    project = re.search(r'^version = "(.+)"', (root / "pyproject.toml").read_text(), re.MULTILINE)
    assert broker is not None
    assert project is not None
    wanted = {"kafka": f"apache/kafka:{broker[1]}"}
    wanted |= {c.name: f"lesko-switch:{project[1]}" for c in stack.containers.values() if c.is_ours}
    return [
        f"{name} runs {stack.containers[name].image}, not {image}"
        for name, image in wanted.items()
        if stack.containers[name].image != image
    ]


def postgres_is_set_alike(root: Path) -> list[str]:
    """Find settings in which PostgreSQL differs from the server that libs/pg starts."""
    ours = dict(re.findall(r"^(\w+) = '?([^'\n#]*?)'?(?: +#.*)?$", cluster._SETTINGS, re.MULTILINE))
    words = [word for word in read_stack(root).containers["postgres"].words if "=" in word]
    theirs = dict(word.removeprefix("--").split("=", 1) for word in words)
    missing = set(ours) - set(theirs) - NOT_IN_A_CONTAINER
    return [f"{name} is not set" for name in sorted(missing)] + [
        f"{name} is {theirs[name]}, not {value}"
        for name, value in ours.items()
        if name in theirs and value != theirs[name] and "{" not in value
    ]


RULES = (
    fits_the_schema,
    names_meet,
    order_of_starting,
    commands_are_real,
    containers_are_tended,
    nothing_is_lent,
    paths_exist,
    volumes_are_ours,
    versions_agree,
    postgres_is_set_alike,
)
