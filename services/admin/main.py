"""Put admin together: settings, pool, relay, API. The only composition root."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import structlog

from libs.bus import Bus
from libs.clock import Clock
from libs.contracts.lesko.v1.registry_pb2 import RegistryChange
from libs.contracts.topics import COMMANDS, REQUESTS
from libs.heads import Shelf
from libs.observe import Health
from libs.outcome import Fault
from libs.pg import Pool, open_pool
from libs.vault import Vault, VaultFault, read_vault
from libs.web import serve_app
from services.admin.adapters.ask_cards import AskCards
from services.admin.adapters.ask_ledger import AskLedger
from services.admin.adapters.card_sealer import read_card_sealer
from services.admin.adapters.factor import TotpFactors
from services.admin.adapters.passwords import Argon2Passwords
from services.admin.adapters.pdf_process import PdfProcess
from services.admin.adapters.statement_csv import write_csv
from services.admin.api.app import build_api
from services.admin.api.desk import Desk
from services.admin.api.people import People
from services.admin.handlers.adjust_wallet import AdjustWallet
from services.admin.handlers.await_answers import AwaitAnswers
from services.admin.handlers.catch_up_registry import CatchUpRegistry
from services.admin.handlers.command_cards import CommandCards
from services.admin.handlers.decide_proposal import DecideProposal
from services.admin.handlers.edit_registry import registry_executors, today_in
from services.admin.handlers.enrol import Enrol
from services.admin.handlers.find_cards import FindCards
from services.admin.handlers.import_cards import ImportCards
from services.admin.handlers.import_outlets import ImportOutlets
from services.admin.handlers.init_operators import InitOperators
from services.admin.handlers.manage_operators import ManageOperators
from services.admin.handlers.perform_act import PerformAct
from services.admin.handlers.publish_heads import PublishHeads
from services.admin.handlers.publish_registry import PublishRegistry
from services.admin.handlers.read_audit import ReadAudit
from services.admin.handlers.read_commands import ReadCommands
from services.admin.handlers.read_operators import ReadOperators
from services.admin.handlers.read_proposals import ReadProposals
from services.admin.handlers.read_registry import ReadRegistry
from services.admin.handlers.read_statement import ReadStatement
from services.admin.handlers.recover_ledger import RecoverLedger
from services.admin.handlers.send_commands import SendCommands
from services.admin.handlers.settle_commands import SettleCommands
from services.admin.handlers.sign_in import SignIn
from services.admin.handlers.sign_out import SignOut
from services.admin.handlers.verify_audit import VerifyAudit
from services.admin.ports import Executor
from services.admin.settings import AdminKnobs, Settings
from services.admin.store.adjustments import AdjustmentStore
from services.admin.store.audit import AuditStore
from services.admin.store.commands import CommandStore
from services.admin.store.registry import RegistryStore
from services.admin.store.relay import PostgresRelay
from services.admin.store.sessions import SessionStore
from services.admin.store.work import PostgresTransactions

MIGRATIONS = Path(__file__).parent / "migrations"
REGISTRY_CHECK = "admin.registry"
COMMANDS_CHECK = "admin.commands"
ANSWERS_CHECK = "admin.answers"


async def serve(settings: Settings, *, bus: Bus, clock: Clock, health: Health) -> None:
    """Publish the registry, then its changes, and serve the operators' API, until cancelled.

    The health check ``admin.registry`` is good as soon as everything was published once. A fault
    is reported and tried again: admin being down stops nobody. Raises PortTaken.
    """
    health.expect(REGISTRY_CHECK)
    knobs = settings.admin
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            open_pool(settings.postgres.dsn, name="admin", size=knobs.pool_size_max)
        )
        answers = AwaitAnswers()  # Whoever reads admin.answers.v1 delivers to it.
        requests = (await bus.topic(REQUESTS)).partitions
        ledger, cards = await _askers(knobs, bus, answers, clock, requests)
        relay, sender = (PostgresRelay(settings.postgres.dsn) for _ in range(2))
        stack.push_async_callback(relay.close)
        stack.push_async_callback(sender.close)
        outbox = _outbox(knobs, CommandStore(pool, clock), sender, answers, bus, clock)
        publish = _publish(knobs, pool, relay, bus, clock)
        await stack.enter_async_context(
            serve_app(
                build_api(_desk(settings, pool, clock, ledger, cards, outbox, requests)),
                host=knobs.host,
                port=knobs.port,
                setting="LESKO_ADMIN__PORT",
                tls=knobs.tls,
            )
        )
        heads = _heads(settings, pool, clock)
        async with asyncio.TaskGroup() as tasks:
            settling = outbox.settle.run(
                bus, instance=knobs.instance, report=partial(health.report, ANSWERS_CHECK)
            )
            tasks.create_task(settling)
            sending = outbox.send.run(
                partial(health.report, COMMANDS_CHECK), look_every_ms=knobs.outbox_every_ms
            )
            tasks.create_task(sending)
            await _keep_publishing(publish, heads, health, every_ms=knobs.relay_every_ms)


async def _askers(
    knobs: AdminKnobs, bus: Bus, answers: AwaitAnswers, clock: Clock, requests: int
) -> tuple[AskLedger, AskCards]:
    ledger = AskLedger(
        bus,
        answers,
        clock,
        partitions=(await bus.topic(COMMANDS)).partitions,
        instance=knobs.instance,
        timeout_ms=knobs.send_timeout_ms,
    )
    cards = AskCards(
        bus,
        answers,
        clock,
        partitions=requests,
        instance=knobs.instance,
        timeout_ms=knobs.ask_timeout_ms,
    )
    return ledger, cards


class _Outbox(NamedTuple):
    """What sends commands, closes them and tells of them."""

    send: SendCommands
    settle: SettleCommands
    read: ReadCommands


def _outbox(
    knobs: AdminKnobs,
    rows: CommandStore,
    relay: PostgresRelay,
    answers: AwaitAnswers,
    bus: Bus,
    clock: Clock,
) -> _Outbox:
    send = SendCommands(
        rows,
        relay,
        bus,
        clock,
        instance=knobs.instance,
        resend_every_ms=knobs.resend_every_ms,
        in_flight_max=knobs.commands_in_flight_max,
        send_timeout_ms=knobs.send_timeout_ms,
    )
    read = ReadCommands(rows, clock, send.nudge)

    def settled(commands: Sequence[bytes]) -> None:
        read.settled(commands)
        send.nudge()  # There is room for the next ones.

    return _Outbox(send, SettleCommands(rows, answers, settled), read)


def _publish(
    knobs: AdminKnobs, pool: Pool, relay: PostgresRelay, bus: Bus, clock: Clock
) -> PublishRegistry:
    return PublishRegistry(
        RegistryStore(pool),
        relay,
        bus,
        clock,
        CatchUpRegistry(PostgresTransactions(pool, clock), bus),
        rows_max=knobs.rows_max,
        send_timeout_ms=knobs.send_timeout_ms,
        again_every_ms=knobs.publish_again_every_ms,
    )


def _desk(
    settings: Settings,
    pool: Pool,
    clock: Clock,
    ledger: AskLedger,
    cards: AskCards,
    outbox: _Outbox,
    requests: int,
) -> Desk:
    transactions = PostgresTransactions(pool, clock)
    zone = ZoneInfo(settings.card_ledger.business_zone)
    today = partial(today_in, zone, clock)
    executors: Mapping[str, Executor] = {
        **registry_executors(clock, today),
        "card": CommandCards(requests, today),
        "wallet": AdjustWallet(ledger.partitions, today),
        "ledger": RecoverLedger(),
        "operator": ManageOperators(clock),
    }
    sealer = read_card_sealer(_keys_directory(settings), _vault(settings))
    return Desk(
        callers=SessionStore(pool, clock),
        people=_people(settings, transactions, clock),
        transactions=transactions,
        perform=PerformAct(transactions, executors),
        decide=DecideProposal(transactions, executors),
        proposals=ReadProposals(transactions),
        audit=ReadAudit(AuditStore(pool)),
        verify_audit=VerifyAudit(AuditStore(pool)),
        registry=ReadRegistry(transactions, today),
        wallets=ReadStatement(
            ledger, AdjustmentStore(pool, zone.key), {"csv": write_csv, "pdf": PdfProcess()}
        ),
        import_outlets=ImportOutlets(transactions, clock),
        find_cards=FindCards(cards, sealer),
        import_cards=ImportCards(transactions, sealer, partitions=requests, today=today),
        commands=outbox.read,
    )


def _people(settings: Settings, transactions: PostgresTransactions, clock: Clock) -> People:
    passwords = Argon2Passwords()
    factors = TotpFactors(_vault(settings), clock)
    return People(
        sign_in=SignIn(
            transactions, passwords, factors, clock, session_ms=settings.admin.session_ms
        ),
        sign_out=SignOut(transactions),
        enrol=Enrol(transactions, passwords, factors, clock),
        operators=ReadOperators(transactions, clock),
    )


def _vault(settings: Settings) -> Vault:
    return read_vault(_keys_directory(settings))


def _keys_directory(settings: Settings) -> Path:
    if settings.vault.keys_directory is None:
        message = "LESKO_VAULT__KEYS_DIRECTORY is not set: admin needs vault-1.key from there"
        raise VaultFault(message)
    return settings.vault.keys_directory


@asynccontextmanager
async def init_operators(settings: Settings, clock: Clock) -> AsyncIterator[InitOperators]:
    """Give what makes the first administrator, and rescues one, on the machine itself."""
    async with open_pool(settings.postgres.dsn, name="admin init", size=1) as pool:
        yield InitOperators(PostgresTransactions(pool, clock), Argon2Passwords(), clock)


async def import_registry(settings: Settings, changes: Sequence[RegistryChange]) -> int:
    """Take over records whose version is higher than what is there, all or none; return how many.

    For installations and demos, where nobody has signed in yet. Idempotent.
    """
    async with open_pool(
        settings.postgres.dsn, name="admin import", size=1, statement_timeout_ms=60_000
    ) as pool:
        return await RegistryStore(pool).record_changes(changes)


async def publish_heads(settings: Settings, clock: Clock) -> str:
    """Write the head of the audit to a place outside as it is now; return where."""
    async with open_pool(settings.postgres.dsn, name="admin heads", size=1) as pool:
        return await _heads(settings, pool, clock).now()


def _heads(settings: Settings, pool: Pool, clock: Clock) -> PublishHeads:
    return PublishHeads(AuditStore(pool), Shelf(settings.heads.directory), clock)


async def _keep_publishing(
    publish: PublishRegistry, heads: PublishHeads, health: Health, *, every_ms: int
) -> None:
    log = structlog.get_logger("admin")
    while True:
        try:
            published = await publish()
        except Fault as fault:
            health.report(REGISTRY_CHECK, f"the registry cannot be published: {fault}")
        else:
            health.report(REGISTRY_CHECK, None)
            if published:
                log.info("registry_published", records=published)
            await heads.keep_daily()  # Only whose turn it is to publish.
        await asyncio.sleep(every_ms / 1_000)
