"""Kafka's jars: fetched once, by one process, all or none; programs stand in for Java and Maven."""

import asyncio
from pathlib import Path

import pytest

from libs.bus.kafka.jars import POM, fetch_jars, find_java
from libs.bus.kafka.local_broker import LocalBrokerMissing

# Notes that it was called, and puts one jar where it was asked to.
MAVEN = """
echo called >> "$0.calls"
for word; do case "$word" in -DoutputDirectory=*) out="${word#*=}";; esac; done
/bin/sleep 0.2
echo jar > "$out/kafka.jar"
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the only directory in which programs are looked for."""
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def install(directory: Path, name: str, script: str) -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def names_in(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


class TestFindJava:
    async def test_takes_the_one_on_the_path(self, programs: Path) -> None:
        """Java 17 is enough."""
        java = install(programs, "java", """echo 'openjdk version "17.0.15" 2025-04-15' >&2""")

        assert java == await find_java()

    async def test_says_what_to_install(self, programs: Path) -> None:
        """Without Java the sentence names the package, and the way without it."""
        with pytest.raises(LocalBrokerMissing, match=r"apt install .*LESKO_KAFKA__BOOTSTRAP"):
            await find_java()

    @pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2", "16"])
    async def test_refuses_an_old_one(self, programs: Path, version: str) -> None:
        """Kafka 4 does not start with them."""
        install(programs, "java", f"echo 'java version \"{version}\"'")

        with pytest.raises(LocalBrokerMissing, match="17 or newer"):
            await find_java()

    async def test_refuses_one_that_does_not_start(self, programs: Path) -> None:
        """Some systems have a java that only says where to get one."""
        install(programs, "java", "echo 'Unable to locate a Java Runtime.'; exit 1")

        with pytest.raises(LocalBrokerMissing, match="does not start: Unable to locate"):
            await find_java()


class TestFetchJars:
    async def test_fetches_once(self, programs: Path, cache: Path) -> None:
        """The second time they are there, and Maven need not be."""
        maven = install(programs, "mvn", MAVEN)
        said: list[str] = []

        jars = await fetch_jars(cache=cache, report=said.append)
        maven.unlink()
        again = await fetch_jars(cache=cache, report=said.append)

        assert [jars / "kafka.jar"] == list(jars.iterdir())
        assert jars == again
        assert 1 == len(said)

    async def test_lets_one_fetch_for_all(self, programs: Path, cache: Path) -> None:
        """Runs that begin together wait for the first."""
        install(programs, "mvn", MAVEN)

        found = await asyncio.gather(*(fetch_jars(cache=cache) for _ in range(4)))

        assert 1 == len(set(found))
        assert "called\n" == (programs / "mvn.calls").read_text()

    async def test_fetches_for_another_pom(
        self, programs: Path, cache: Path, tmp_path: Path
    ) -> None:
        """A new version does not use the old one's jars."""
        install(programs, "mvn", MAVEN)
        pom = tmp_path / "pom.xml"
        pom.write_text("<project/>")

        assert await fetch_jars(cache=cache) != await fetch_jars(cache=cache, pom=pom)

    async def test_leaves_nothing_when_it_fails(self, programs: Path, cache: Path) -> None:
        """Half a directory is never taken for a whole one; the next call tries again."""
        broken = (
            'echo "[ERROR] Could not transfer artifact a:b:1 from central: Unknown host" ; exit 1'
        )
        install(programs, "mvn", MAVEN + broken)
        with pytest.raises(LocalBrokerMissing, match="needs a network"):
            await fetch_jars(cache=cache)
        left = names_in(cache)
        install(programs, "mvn", MAVEN)

        assert {"lock"} == left
        assert (await fetch_jars(cache=cache)).is_dir()

    async def test_removes_what_a_killed_run_left(self, programs: Path, cache: Path) -> None:
        """Its half directory is of no use to anybody."""
        install(programs, "mvn", MAVEN)
        (cache / "fetching-abc").mkdir(parents=True)

        jars = await fetch_jars(cache=cache)

        assert {"lock", jars.name} == names_in(cache)

    async def test_says_that_maven_is_missing(self, programs: Path, cache: Path) -> None:
        """The sentence names what to install."""
        with pytest.raises(LocalBrokerMissing, match="apt install"):
            await fetch_jars(cache=cache)

    async def test_says_that_maven_gave_nothing(self, programs: Path, cache: Path) -> None:
        """A success without a jar is none."""
        install(programs, "mvn", "exit 0")

        with pytest.raises(LocalBrokerMissing, match="no jar"):
            await fetch_jars(cache=cache)

    async def test_says_that_the_cache_cannot_be_used(self, programs: Path, tmp_path: Path) -> None:
        """A file in its place, for one."""
        (tmp_path / "file").write_text("")

        with pytest.raises(LocalBrokerMissing, match="cannot be used"):
            await fetch_jars(cache=tmp_path / "file")


def test_names_the_version_of_the_containers() -> None:
    """Tests and the whole stack run one Kafka."""
    version = POM.read_text().partition("kafka_2.13</artifactId>")[2].split("version>")[1][:-2]
    compose = POM.parents[2] / "docker-compose.yml"

    assert f"image: apache/kafka:{version}\n" in compose.read_text()
