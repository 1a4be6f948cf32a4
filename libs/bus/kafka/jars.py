"""Kafka's published jars on this machine: found, or fetched once by Maven; nothing is run here."""

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from libs.bus.kafka.local_broker_program import run_program
from libs.bus.kafka.local_broker_trouble import LocalBrokerFault, LocalBrokerMissing, explain

__all__ = ["POM", "default_cache", "fetch_jars", "find_java"]

POM: Final = Path(__file__).resolve().parents[3] / "deploy" / "kafka" / "pom.xml"
_JAVA_MIN: Final = 17
_JAVA_VERSION: Final = re.compile(r'version "(?:1\.)?(\d+)')
_JAVA_SECONDS: Final = 30
_FETCH_SECONDS: Final = 600  # 43 MB over a slow line; another run may be fetching them already.
_LOOK_EVERY_S: Final = 0.1
_ADVICE: Final = (
    "Install them (on Debian: apt install default-jre-headless maven), "
    "or let LESKO_KAFKA__BOOTSTRAP name a broker that runs already."
)


def default_cache() -> Path:
    """Return where jars are kept between runs and shared by all clones of one user."""
    return Path("~/.cache/lesko-switch/kafka").expanduser()


async def find_java() -> Path:
    """Return the Java on the PATH; raises LocalBrokerMissing for none or an old one."""
    found = shutil.which("java")
    if found is None:
        raise LocalBrokerMissing(f"A broker of our own needs Java, which is not here. {_ADVICE}")
    code, said = await run_program([found, "-version"], seconds=_JAVA_SECONDS)
    version = _JAVA_VERSION.search(said)
    if code != 0 or version is None:
        raise LocalBrokerMissing(f"{found} does not start: {explain(said)}")
    if int(version[1]) < _JAVA_MIN:
        raise LocalBrokerMissing(
            f"{found} is Java {version[1]}; Kafka needs Java {_JAVA_MIN} or newer."
        )
    return Path(found)


async def fetch_jars(
    *,
    cache: Path | None = None,
    pom: Path = POM,
    report: Callable[[str], None] = lambda _: None,
) -> Path:
    """Return the directory with the jars that ``pom`` names; fetched when it is not there yet.

    Several processes may ask at once: one fetches, the others wait for it, and nobody sees half a
    directory. Another pom makes another directory. Raises LocalBrokerMissing when they
    cannot be fetched or kept.
    """
    kept = cache or default_cache()
    try:
        target = _target(kept, pom)
        if target.is_dir():
            return target
        async with _lock(kept / "lock"):
            if not target.is_dir():  # Nobody fetched them while we waited.
                await _fetch(pom, target, report)
    except OSError as error:
        raise LocalBrokerMissing(f"{kept} cannot be used: {explain(str(error))}") from error
    return target


def _target(kept: Path, pom: Path) -> Path:
    """Return where the jars of a pom belong, in a directory that exists."""
    kept.mkdir(parents=True, exist_ok=True)
    return kept / f"jars-{hashlib.sha256(pom.read_bytes()).hexdigest()[:16]}"


async def _fetch(pom: Path, target: Path, report: Callable[[str], None]) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalBrokerMissing(
            f"Kafka's jars are fetched by Maven (mvn), which is not here. {_ADVICE}"
        )
    for left in target.parent.glob("fetching-*"):
        shutil.rmtree(left, ignore_errors=True)  # Of a run that was killed: we hold the lock.
    report("Kafka's jars are fetched (43 MB); this happens once.")
    fresh = tempfile.mkdtemp(prefix="fetching-", dir=target.parent)
    options = (f"-DoutputDirectory={fresh}", "-DincludeScope=runtime")
    try:
        code, said = await run_program(
            [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", *options],
            seconds=_FETCH_SECONDS,
        )
        if code != 0:
            raise LocalBrokerMissing(f"Maven could not fetch Kafka's jars: {explain(said)}")
        _keep(Path(fresh), target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _keep(fresh: Path, target: Path) -> None:
    """Let others see the jars, all at once."""
    if not any(fresh.glob("*.jar")):
        raise LocalBrokerMissing("Maven fetched no jar at all for Kafka.")
    fresh.chmod(0o755)
    fresh.rename(target)


@asynccontextmanager
async def _lock(path: Path) -> AsyncIterator[None]:
    """Hold a file's lock, waiting for whoever has it; the kernel lets go of a killed holder's."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for _ in range(round(_FETCH_SECONDS / _LOOK_EVERY_S)):
            with suppress(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            await asyncio.sleep(_LOOK_EVERY_S)
        else:
            raise LocalBrokerFault(f"Another process has held {path} for {_FETCH_SECONDS} s.")
        yield
    finally:
        os.close(handle)
