"""Kafka keeps the contract, also a broker that comes back with nothing of what it had."""

import logging

import pytest

from libs.bus.kafka.local_broker import LocalBroker
from tests.contract.libs.bus.bus_contract import BusContract, ForgettingContract
from tests.contract.libs.bus.harness import SEND_MS, Harness, a_record, take_texts
from tests.contract.libs.bus.kafka_harness import KafkaHarness, OwnBrokerHarness
from tests.contract.libs.bus.loop_contract import LoopContract

CARD = "4000001234567899"


class OnTheBrokerOfTheRun:
    """Knows where it is before a harness is made."""

    bootstrap: str

    @pytest.fixture(autouse=True)
    def _address(self, kafka_broker: str) -> None:
        self.bootstrap = kafka_broker

    def make_harness(self) -> Harness:
        """Return the variant under test."""
        return KafkaHarness(self.bootstrap)


class TestKafkaBus(OnTheBrokerOfTheRun, BusContract):
    async def test_logs_nothing_of_what_it_carries(
        self, harness: Harness, caplog: pytest.LogCaptureFixture
    ) -> None:
        """At DEBUG, too, aiokafka keeps keys and values to itself."""
        with caplog.at_level(logging.DEBUG):
            bus, topic = await self.open_topic(harness)
            reader = await bus.open_reader(topic, starts={0: None})
            await bus.publish([a_record(topic, 0, CARD, key=CARD.encode())], timeout_ms=SEND_MS)
            assert [CARD] == await take_texts(reader, 1)

        assert CARD not in caplog.text


class TestLoopOnKafka(OnTheBrokerOfTheRun, LoopContract):
    pass


class TestForgetting(ForgettingContract):
    broker: LocalBroker

    @pytest.fixture(autouse=True)
    def _hold_broker(self, own_broker: LocalBroker) -> None:
        self.broker = own_broker

    def make_harness(self) -> Harness:
        """Return the variant under test."""
        return OwnBrokerHarness(self.broker)
