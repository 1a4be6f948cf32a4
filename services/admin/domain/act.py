"""What an operator asks for: an action on an entity with its content. Its hash is signed."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from services.admin.domain.role import EVERYWHERE, Place

Json = str | int | bool | None | list["Json"] | dict[str, "Json"]


class Act(NamedTuple):
    """One action; ``action`` is a name of domain/permission.py."""

    action: str
    entity: str  # "outlet/BUMA00000000001", "card/<token>", "operator/<login>".
    content: Mapping[str, Json]
    reason: str = ""
    document: str = ""  # Reference of the paper behind it.


class Target(NamedTuple):
    """What an act is aimed at, as it stands now."""

    place: Place = EVERYWHERE
    version: int = 0  # Of the entity; 0: it has none, or is not there yet.
    current: RegistryChange | None = None


def canonical(content: Mapping[str, Json]) -> str:
    """Return the one text of a content: sorted, without spaces, in UTF-8."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def content_hash(act: Act, *, version: int) -> bytes:
    """Return what an approver agrees to: all of an act, and the version that it changes."""
    digest = sha256()
    parts = (act.action, act.entity, canonical(act.content), act.reason, act.document, str(version))
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest.digest()
