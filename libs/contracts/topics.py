"""Names of topics and schemas, as DESIGN 3 lists them."""

from typing import Final

REQUESTS: Final = "authorization.requests.v1"
COMMANDS: Final = "card_ledger.commands.v1"
ENTRIES: Final = "card_ledger.entries.v1"
BRIDGE_ANSWERS: Final = "iso_bridge.answers.v1"
REGISTRY: Final = "registry.changes.v1"
ADMIN_ANSWERS: Final = "admin.answers.v1"

AUTHORIZE_REQUESTED: Final = "lesko.v1.AuthorizeRequested"
LEDGER_COMMAND: Final = "lesko.v1.LedgerCommand"
LEDGER_ANSWER: Final = "lesko.v1.LedgerAnswer"
LEDGER_ENTRIES: Final = "lesko.v1.LedgerEntries"
REGISTRY_CHANGE: Final = "lesko.v1.RegistryChange"
INSTANCE_CLAIM: Final = "lesko.v1.InstanceClaim"
CARD_COMMAND: Final = "lesko.v1.CardCommand"
CARD_ANSWER: Final = "lesko.v1.CardAnswer"
WALLET_MOVEMENTS: Final = "lesko.v1.WalletMovements"
DEAD_RECORD: Final = "lesko.v1.DeadRecord"


def dead_letters(topic: str) -> str:
    """Return where records of a topic go that could not be handled."""
    return f"{topic}.dead.v1"
