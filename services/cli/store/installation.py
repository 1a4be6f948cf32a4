"""Whether a database holds demo data, or what somebody works with."""

from typing import Final, NamedTuple

from libs.pg import Pool

_HELD: Final = """
    SELECT EXISTS (SELECT FROM admin.registry
                    WHERE entity = $1 AND position($2::bytea IN record) > 0) AS is_demo,
           EXISTS (SELECT FROM admin.registry) OR EXISTS (SELECT FROM admin.operator) AS is_used
"""


class Held(NamedTuple):
    """What a database holds, as admin's role may see it."""

    is_demo: bool
    is_used: bool  # It has operators, outlets or products.


async def what_is_held(pool: Pool, demo_entity: str, words: str) -> Held:
    """Look; every demo has this entity, and these words stand in its record."""
    [row] = await pool.read(_HELD, demo_entity, words.encode())
    return Held(row["is_demo"], row["is_used"])
