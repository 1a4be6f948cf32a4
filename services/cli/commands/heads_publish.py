"""``lesko heads publish``: write where ledger and audit end to files outside of the database."""

import asyncio

from libs.clock import SystemClock
from services.admin import main as admin
from services.admin.settings import Settings as AdminSettings
from services.card_ledger import main as card_ledger
from services.card_ledger.settings import Settings as LedgerSettings
from services.cli.database import own_settings
from services.cli.screen import screen
from services.cli.settings import Settings


def publish() -> None:
    """Write the heads as they are now; give the files to somebody who cannot reach the database."""
    for place in asyncio.run(_publish(Settings())):
        screen().print(f"Published {place}")


async def _publish(settings: Settings) -> list[str]:
    heads, clock = {"heads": {"directory": settings.heads_directory}}, SystemClock()
    of_ledger = LedgerSettings.model_validate(own_settings(settings, "card_ledger") | heads)
    of_admin = AdminSettings.model_validate(own_settings(settings, "admin") | heads)
    return [
        await card_ledger.publish_heads(of_ledger, clock),
        await admin.publish_heads(of_admin, clock),
    ]
