"""What the Dockerfile and .dockerignore must keep: each rule returns what it found."""

import re
import tomllib
from pathlib import Path

from tests.contract.deploy.image import kept_out, read_image, sent_files

NEVER_SENT = (
    *("deploy/docker/secrets/token.key", "deploy/docker/secrets/lesko_dsn", "var/keys/token.key"),
    *(".git/config", ".venv/bin/python", "tests/conftest.py", ".env", "libs/fakes/clock.py"),
    *("libs/__pycache__/a.pyc", "deploy/docker/Dockerfile", "docker-compose.yml"),
)


def copies_exist(root: Path) -> list[str]:
    """Find what the Dockerfile copies and the engine does not get."""
    image = read_image(root)
    found = []
    for copy in image.copies:
        if copy.origin and copy.origin not in image.stages:
            found.append(f"there is no stage {copy.origin}")
        for source in () if copy.origin else copy.sources:
            if not (root / source).exists():
                found.append(f"{source} is not there")
            elif kept_out(root, source) or not any(sent_files(root, source)):
                found.append(f".dockerignore keeps {source} out")
    return found


def secrets_stay_out(root: Path) -> list[str]:
    """Find what must never reach an image, or the engine, and would."""
    return [f"{path} reaches the engine" for path in NEVER_SENT if not kept_out(root, path)]


def image_is_plain(root: Path) -> list[str]:
    """Find what a production image must not do."""
    image = read_image(root)
    found = []
    if re.fullmatch(r"\d{4,}:\d{4,}", image.ending("USER")) is None:
        found.append("it runs as root, or as a name that engines cannot check")
    if not image.health:
        found.append("it cannot be asked for its health")
    elif not image.health[-3].startswith("/opt/lesko/"):
        found.append(f"it asks with {image.health[-3]}")
    if re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", image.base) is None:
        found.append(f"{image.base} is not pinned, or names a registry")
    if image.last == 0:
        found.append("what is needed to build it stays in it")
    for run in image.all("RUN"):
        found += [
            f"packages are not pinned: {install.strip()}"
            for install in re.findall(r"pip [^&]* install [^&]*", run.rest)
            if "--constraint deploy/constraints.txt" not in install
        ]
    if image.ending("STOPSIGNAL") != "SIGTERM":
        found.append("it is not asked to stop")
    return found


def python_is_ours(root: Path) -> list[str]:
    """Find a Python that the project does not run on."""
    wanted = tomllib.loads((root / "pyproject.toml").read_text())["project"]["requires-python"]
    lowest = tuple(int(part) for part in wanted.removeprefix(">=").split("."))
    base = read_image(root).base
    has = tuple(int(part) for part in re.findall(r"\d+", base)[:2])
    return [] if has >= lowest else [f"{base} is older than {wanted}"]


RULES = (copies_exist, secrets_stay_out, image_is_plain, python_is_ours)
