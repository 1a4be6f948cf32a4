"""The Dockerfile and .dockerignore as an engine reads them; no rule is judged here."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

FILE = "deploy/docker/Dockerfile"


class Instruction(NamedTuple):
    """One line of the Dockerfile, continuations joined."""

    stage: int
    word: str
    rest: str


class Copy(NamedTuple):
    """One COPY."""

    stage: int
    origin: str  # Another stage; empty: the repository.
    sources: tuple[str, ...]
    target: PurePosixPath


class Image:
    """What the last stage of a Dockerfile makes."""

    def __init__(self, instructions: list[Instruction]) -> None:
        self.instructions = instructions
        self.last = instructions[-1].stage

    def all(self, word: str) -> list[Instruction]:
        """Return the instructions with this word, of all stages."""
        return [each for each in self.instructions if each.word == word]

    def ending(self, word: str) -> str:
        """Return what the last stage says last with this word."""
        found = [each.rest for each in self.all(word) if each.stage == self.last]
        return found[-1] if found else ""

    @property
    def stages(self) -> list[str]:
        """The names of the stages, empty for one without."""
        return [(re.findall(r"\bAS (\S+)$", each.rest) or [""])[0] for each in self.all("FROM")]

    @property
    def base(self) -> str:
        """The image that it is built from."""
        return self.all("ARG")[0].rest.partition("=")[2]

    @property
    def entrypoint(self) -> list[str]:
        """What runs."""
        return list(json.loads(self.ending("ENTRYPOINT") or "[]"))

    @property
    def command(self) -> list[str]:
        """With which words, if none are given."""
        return list(json.loads(self.ending("CMD") or "[]"))

    @property
    def health(self) -> list[str]:
        """What asks for its health."""
        words = self.ending("HEALTHCHECK").partition("CMD ")[2]
        return list(json.loads(words or "[]"))

    @property
    def environment(self) -> dict[str, str]:
        """Its variables."""
        of_last = [each.rest for each in self.all("ENV") if each.stage == self.last]
        pairs = [word.partition("=") for rest in of_last for word in shlex.split(rest)]
        return {name: value for name, _, value in pairs}

    @property
    def own_folders(self) -> dict[str, str]:
        """The folders that it makes, with the number of their owner."""
        made = re.compile(r"install -d -o (\d+) -g \d+ -m 0700((?:\s+/\S+)+)")
        runs = [each.rest for each in self.all("RUN") if each.stage == self.last]
        return {
            folder: found[1]
            for run in runs
            for found in made.finditer(run)
            for folder in found[2].split()
        }

    @property
    def copies(self) -> list[Copy]:
        """What it takes from the repository and from other stages."""
        found = []
        workdirs = {each.stage: each.rest for each in self.all("WORKDIR")}
        for each in self.all("COPY"):
            words = shlex.split(each.rest)
            flags = [word for word in words if word.startswith("--")]
            *sources, target = [word for word in words if not word.startswith("--")]
            origin = next((f.partition("=")[2] for f in flags if f.startswith("--from=")), "")
            place = PurePosixPath(workdirs.get(each.stage, "/")) / target
            found.append(Copy(each.stage, origin, tuple(sources), place))
        return found


def read_image(root: Path) -> Image:
    """Read the Dockerfile below ``root``."""
    lines = (root / FILE).read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    found, stage = [], -1
    for line in re.sub(r"\\\n", " ", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            stage += word == "FROM"
            found.append(Instruction(stage, word, " ".join(rest.split())))
    return Image(found)


def kept_out(root: Path, path: str) -> bool:
    """Tell whether .dockerignore keeps a path out: the last line that fits it or its parent."""
    parts = PurePosixPath(path).parts
    names = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
    out = False
    for line in (root / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = _expression(pattern.removeprefix("!").strip("/"))
        if any(wanted.fullmatch(name) for name in names):
            out = not pattern.startswith("!")
    return out


def _expression(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*")
    return re.compile(text.replace(r"\*", "[^/]*").replace(r"\?", "[^/]"))


def sent_files(root: Path, source: str) -> Iterator[str]:
    """Yield the files below a COPY's source that reach the engine."""
    start = root / source
    walked = [start] if start.is_file() else sorted(start.rglob("*"))
    for path in walked:
        name = path.relative_to(root).as_posix()
        if path.is_file() and not kept_out(root, name):
            yield name


def lay_out(root: Path, target: Path) -> None:
    """Copy what the image takes from the repository to where the image has it, below a folder."""
    for copy in read_image(root).copies:
        if copy.origin:
            continue
        for source in copy.sources:
            for name in sent_files(root, source):
                inside = PurePosixPath(name).relative_to(source)
                ends = [copy.target, inside] if inside.parts else [copy.target]
                if not inside.parts and (len(copy.sources) > 1 or copy.target.name == "lesko"):
                    ends.append(PurePosixPath(PurePosixPath(source).name))
                place = target.joinpath(*(str(end).lstrip("/") for end in ends))
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / name, place)
