"""``lesko ledger head``: the newest hash of each partition, to be noted outside."""

import asyncio
from typing import Annotated

import typer

from libs.pg import open_pool
from services.card_ledger.store.audit import open_audit
from services.cli.database import need_dsn
from services.cli.heads import Heads, heads_json
from services.cli.screen import screen, write_json, write_table
from services.cli.settings import Settings


def head(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As verify --head reads it.")] = False,
) -> None:
    """Show each partition's newest batch and hash; keep them where nobody can change them."""
    heads = asyncio.run(_heads(Settings()))
    if as_json:
        write_json(heads_json(heads))
        return
    rows = [(str(partition), str(no), digest) for partition, (no, digest) in sorted(heads.items())]
    write_table(screen(), ("partition", "batch", "hash"), rows)


async def _heads(settings: Settings) -> Heads:
    async with (
        open_pool(need_dsn(settings), name="lesko head", size=1) as pool,
        open_audit(pool) as books,
    ):
        return {
            owner.partition: (owner.batch_no, owner.head.hex()) for owner in await books.owners()
        }
