"""``lesko ledger head``: the newest hash of each partition, to be noted outside."""

import asyncio
from typing import Annotated

import typer

from services.card_ledger.main import read_heads
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.database import own_settings
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
    own = LedgerSettings.model_validate(own_settings(settings, "card_ledger"))
    return {head.partition: (head.batch_no, head.hash.hex()) for head in await read_heads(own)}
