"""Bytes on a real socket: however they come, each frame has its answer and nobody else is hurt."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from libs.vault import generate_demo_keys
from loadtests.frames import TPDU, TPDU_AT
from services.iso_bridge.adapters.tcp_listener import ListenerFault
from tests.integration.services.iso_bridge.bridge import (
    PAN,
    Line,
    Switch,
    echo,
    inquiry,
    on_each_loop,
    open_switch,
    purchase,
)


@pytest.fixture(autouse=True)
def nothing_leaks(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> Iterator[None]:
    """No test may leave an exception or a card number in any log."""
    with caplog.at_level(logging.DEBUG):
        yield
    shown = capsys.readouterr()
    text = caplog.text + shown.out + shown.err
    assert "Traceback" not in text
    assert "exception" not in text.lower()
    assert "message_failed" not in text
    assert PAN not in text


async def assert_serves(switch: Switch) -> None:
    """Another terminal is served as if nothing had happened."""
    line = await switch.dial()
    assert await line.ask(purchase(stan=900, terminal=2)) == "00"
    await line.close()


class TestFrames:
    @on_each_loop
    async def test_reads_one_byte_at_a_time(self, tmp_path: Path) -> None:
        """A frame in 80 segments is one message."""
        async with open_switch(tmp_path) as switch:
            line = await switch.dial()
            for byte in purchase():
                await line.send(bytes([byte]))
                await asyncio.sleep(0)

            assert (await line.hear())[1][39] == "00"
            await line.close()

    @on_each_loop
    async def test_reads_many_frames_of_one_segment(self, tmp_path: Path) -> None:
        """400 frames and keep-alives in one segment have 400 answers, in any order."""
        async with open_switch(tmp_path) as switch:
            line = await switch.dial()
            await line.send(b"\0\0".join(inquiry(stan=number) for number in range(400)))

            answers = [await line.hear() for _ in range(400)]
            assert {f"{number:06d}" for number in range(400)} == {one[1][11] for one in answers}
            await line.close()

    @on_each_loop
    async def test_answers_a_client_that_has_closed_its_sending_side(self, tmp_path: Path) -> None:
        """Connect, one message, shut down sending: the answer comes, then our end closes."""
        async with open_switch(tmp_path) as switch:
            switch.ledger.held = {1}
            line = await switch.dial()
            await line.send(purchase(stan=1) + purchase(stan=2))
            line.writer.write_eof()
            assert (await line.hear())[1][11] == "000002"
            await switch.ledger.release()

            assert (await line.hear())[1][11] == "000001"
            assert await line.ended() == b""
            await line.close()

    @on_each_loop
    async def test_answers_an_echo_of_a_client_that_has_closed_its_sending_side(
        self, tmp_path: Path
    ) -> None:
        """An answer of the edge itself is written before the socket goes."""
        async with open_switch(tmp_path) as switch:
            line = await switch.dial()
            await line.send(echo())
            line.writer.write_eof()

            assert (await line.hear())[1][39] == "00"
            assert await line.ended() == b""
            await line.close()

    @on_each_loop
    async def test_closes_a_half_closed_socket_that_hears_nothing(self, tmp_path: Path) -> None:
        """After the deadline nothing is owed any more."""
        async with open_switch(tmp_path, answer_ms=60) as switch:
            switch.ledger.held = {1}
            line = await switch.dial()
            await line.send(purchase())
            line.writer.write_eof()

            assert await line.ended() == b""
            assert switch.count("bridge_silent", reason="deadline") == 1
            await line.close()

    @on_each_loop
    async def test_forgets_half_a_frame(self, tmp_path: Path) -> None:
        """A client that hangs up in the middle is counted; nothing is asked."""
        async with open_switch(tmp_path) as switch:
            line = await switch.dial()
            await line.send(purchase()[:40])
            await line.close()
            await until(lambda: switch.count("bridge_dropped", reason="half_frame") == 1)

            assert switch.ledger.asked == []
            await assert_serves(switch)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"\xff\xff" + b"x" * 10, "oversize"),
            (b"\x10\x01", "oversize"),
            (b"\x00\x01", "too_short"),
            (b"\x00\x0e" + TPDU + bytes(9), "too_short"),
            (b"\x00\x20\x61" + bytes(31), "tpdu_id"),
            (b"GET / HTTP/1.1\r\n\r\n", "oversize"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "oversize"),
        ],
    )
    @on_each_loop
    async def test_closes_only_the_socket_that_breaks_its_frames(
        self, tmp_path: Path, data: bytes, reason: str
    ) -> None:
        """Counted and closed; a neighbour with half a frame under way goes on."""
        async with open_switch(tmp_path) as switch:
            neighbour, line = await switch.dial(), await switch.dial()
            frame = purchase(stan=5)
            await neighbour.send(frame[:30])
            await line.send(data)

            assert await line.ended() == b""
            assert switch.count("bridge_closed", reason=reason) == 1
            await neighbour.send(frame[30:])
            assert (await neighbour.hear())[1][39] == "00"
            await neighbour.close()
            await line.close()

    @on_each_loop
    async def test_answers_what_stood_before_the_break(self, tmp_path: Path) -> None:
        """An echo in front of garbage is answered, then the socket goes."""
        async with open_switch(tmp_path) as switch:
            line = await switch.dial()
            await line.send(echo() + b"\xff\xff\xff")

            assert (await line.hear())[1][39] == "00"
            assert await line.ended() == b""
            await line.close()

    @on_each_loop
    async def test_closes_after_ten_dropped_in_a_row(self, tmp_path: Path) -> None:
        """Nine and a good one are forgiven; ten are not."""
        async with open_switch(tmp_path) as switch:
            line = await switch.dial()
            garbage = (len(TPDU) + 40).to_bytes(2, "big") + TPDU + b"\xee" * 40
            await line.send(garbage * 9 + echo() + garbage * 9)
            assert (await line.hear())[1][39] == "00"
            assert await line.ask(echo()) == "00"
            await line.send(echo(stan=7) + garbage * 10 + echo(stan=8))

            assert (await line.hear())[1][11] == "000007"
            assert await line.ended() == b""
            assert switch.count("bridge_closed", reason="dropped_in_a_row") == 1
            await assert_serves(switch)
            await line.close()

    @pytest.mark.parametrize(
        ("edit", "code"),
        [
            (lambda m: m + b"\x00", "30"),
            (lambda m: m[:-1], "30"),
            (lambda m: m[:2] + bytes([m[2] | 0x80]) + m[3:10] + b"\x80" + bytes(7) + m[10:], "30"),
            (lambda m: m[:20] + b"\xaa" + m[21:], "30"),
        ],
    )
    @on_each_loop
    async def test_answers_a_message_that_is_wrong_but_readable(
        self, tmp_path: Path, edit: Callable[[bytes], bytes], code: str
    ) -> None:
        """Bytes too many or too few, bit 65, a nibble that is no digit: 30 on the wire."""
        async with open_switch(tmp_path) as switch:
            line = await switch.dial()
            message = edit(purchase()[TPDU_AT + len(TPDU) :])
            frame = (len(TPDU) + len(message)).to_bytes(2, "big") + TPDU + message

            assert await line.ask(frame) == code
            await line.close()


class TestPatience:
    @on_each_loop
    async def test_closes_a_socket_that_says_nothing(self, tmp_path: Path) -> None:
        """A keep-alive is no message."""
        async with open_switch(tmp_path, first_message_ms=60) as switch:
            line = await switch.dial()
            await line.send(b"\0\0")

            assert await line.ended() == b""
            assert switch.count("bridge_closed", reason="first_message") == 1
            await line.close()

    @on_each_loop
    async def test_closes_a_socket_that_dribbles(self, tmp_path: Path) -> None:
        """The frame's deadline runs from its first byte, however busily bytes come."""
        async with open_switch(tmp_path, frame_ms=80) as switch:
            line = await switch.dial()
            assert await line.ask(echo()) == "00"
            task = asyncio.create_task(dribble(line, purchase()))

            assert await line.ended() == b""
            assert switch.count("bridge_closed", reason="frame") == 1
            task.cancel()
            await assert_serves(switch)
            await line.close()

    @on_each_loop
    async def test_closes_a_socket_that_fell_idle(self, tmp_path: Path) -> None:
        """After a message the idle limit holds, not the first one."""
        async with open_switch(tmp_path, first_message_ms=30, idle_ms=120) as switch:
            line = await switch.dial()
            assert await line.ask(echo()) == "00"
            await asyncio.sleep(0.06)
            assert await line.ask(echo()) == "00"

            assert await line.ended() == b""
            assert switch.count("bridge_closed", reason="idle") == 1
            await line.close()

    @on_each_loop
    async def test_parts_with_a_client_that_does_not_read(self, tmp_path: Path) -> None:
        """Answers do not pile up for somebody who never takes them; others are served."""
        async with open_switch(tmp_path, unsent_bytes_max=1_024) as switch:
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            raw.setblocking(False)  # noqa: FBT003 -- the socket's own interface
            loop = asyncio.get_running_loop()
            await loop.sock_connect(raw, ("127.0.0.1", switch.bridge.ports["edc"]))
            flood = b"".join(echo(stan=number, de62="x" * 900) for number in range(100))
            task = asyncio.create_task(pour(raw, flood))
            await until(lambda: switch.count("bridge_closed", reason="not_reading") == 1)

            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raw.close()
            await assert_serves(switch)

    @on_each_loop
    async def test_refuses_more_sockets_than_allowed(self, tmp_path: Path) -> None:
        """One too many is hung up on; a freed place is taken again."""
        async with open_switch(tmp_path, connections_max=2) as switch:
            first, second = await switch.dial(), await switch.dial()
            assert await first.ask(echo()) == "00"
            assert await second.ask(echo(terminal=2)) == "00"
            third = await switch.dial()
            assert await third.ended() == b""
            assert switch.count("bridge_closed", reason="too_many_connections") == 1
            await first.close()
            await until(lambda: len(switch.bridge.listeners[0]) == 1)

            await assert_serves(switch)
            await second.close()
            await third.close()

    @on_each_loop
    async def test_makes_room_for_who_speaks(self, tmp_path: Path) -> None:
        """Sockets that never said anything do not shut a terminal out; one that spoke stays."""
        async with open_switch(tmp_path, connections_max=3) as switch:
            spoken = await switch.dial()
            assert await spoken.ask(echo()) == "00"
            first, second = await switch.dial(), await switch.dial()
            await until(lambda: len(switch.bridge.listeners[0]) == 3)

            late = await switch.dial()
            assert await late.ask(purchase(terminal=2)) == "00"
            assert await first.ended() == b""
            assert await spoken.ask(echo()) == "00"
            assert await second.ask(echo(terminal=3)) == "00"
            assert switch.count("bridge_closed", reason="made_room") == 1
            for line in (spoken, first, second, late):
                await line.close()

    @on_each_loop
    async def test_slows_the_line_of_a_terminal_that_floods(self, tmp_path: Path) -> None:
        """What is over the rate costs its line 0.2 ms each; another line has its answers."""
        async with open_switch(tmp_path, terminal_per_second=1, terminal_burst=10) as switch:
            line, other = await switch.dial(), await switch.dial()
            began = asyncio.get_running_loop().time()
            await line.send(
                b"".join(echo(stan=number) for number in range(1_010)) + echo(terminal=3)
            )
            assert await other.ask(purchase(terminal=2)) == "00"
            answered = [(await line.hear())[1][41] for _ in range(11)]

            assert answered == ["LSK00001"] * 10 + ["LSK00003"]
            assert asyncio.get_running_loop().time() - began >= 1_000 * 0.0002 * 0.8
            assert switch.count("bridge_silent", reason="terminal_rate") == 1_000
            await line.close()
            await other.close()


class TestListening:
    @on_each_loop
    async def test_sets_the_socket_up(self, tmp_path: Path) -> None:
        """No delay, keep-alive of 30 s three times, dead within 90 s."""
        async with open_switch(tmp_path) as switch:
            line = await switch.dial()
            assert await line.ask(echo()) == "00"
            (connection,) = switch.bridge.listeners[0]._connections
            assert connection._transport is not None
            raw = connection._transport.get_extra_info("socket")
            tcp = [
                raw.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE,
                    socket.TCP_KEEPINTVL,
                    socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            ]

            assert tcp == [30, 30, 3, 90_000]
            assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
            await line.close()

    @on_each_loop
    async def test_names_the_port_and_the_setting_when_the_port_is_taken(
        self, tmp_path: Path
    ) -> None:
        """A clear sentence instead of a trace."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            sentence = f"port {port} on 127.0.0.1 is in use; .* LESKO_ISO_BRIDGE__PORT"

            with pytest.raises(ListenerFault, match=sentence):
                async with open_switch(tmp_path, port=port):
                    pass

    @on_each_loop
    async def test_names_a_certificate_that_cannot_be_used(self, tmp_path: Path) -> None:
        """TLS settings are checked before anything listens on that port."""
        generate_demo_keys(tmp_path)
        tls = {"port": 0, "certificate": tmp_path / "none.pem", "key": tmp_path / "none.key"}

        with pytest.raises(ListenerFault, match=r"none\.pem"):
            async with open_switch(tmp_path, tls=tls):
                pass

    @on_each_loop
    async def test_serves_tls_on_a_second_port(self, tmp_path: Path) -> None:
        """The same listener, enciphered; a plain client on that port is hung up on."""
        certificate, key = self_signed(tmp_path)
        tls = {"port": 0, "certificate": certificate, "key": key}
        client = ssl.create_default_context(cafile=str(certificate))
        client.check_hostname = False
        async with open_switch(tmp_path, tls=tls) as switch:
            line, plain = await switch.dial("edc/tls", client), await switch.dial()
            lost = await switch.dial("edc/tls")
            assert await line.ask(purchase(stan=1)) == "00"
            assert await plain.ask(purchase(stan=2)) == "00"
            await lost.send(purchase(stan=3))

            await lost.ended()
            assert [asked.reference.listener for asked in switch.ledger.asked] == ["edc", "edc"]
            await line.send(echo())
            assert (await line.hear())[1][39] == "00"
            for each in (line, plain, lost):
                await each.close()

    @on_each_loop
    async def test_serves_several_listeners(self, tmp_path: Path) -> None:
        """Each has its name, zone and port."""
        more = [{"name": "wit", "port": 0, "zone": "Asia/Jakarta"}]
        async with open_switch(tmp_path, more_listeners=more) as switch:
            east, west = await switch.dial("edc"), await switch.dial("wit")
            await east.send(echo())
            await west.send(echo())
            hours = [int((await line.hear())[1][12][:2]) for line in (east, west)]

            assert (hours[0] - hours[1]) % 24 in (2, 3)  # The hour may turn in between.
            assert await west.ask(purchase()) == "00"
            assert switch.ledger.asked[0].reference.listener == "wit"
            await east.close()
            await west.close()


class TestLife:
    @on_each_loop
    async def test_is_ready_when_terminals_may_come(self, tmp_path: Path) -> None:
        """Four checks, all good."""
        async with open_switch(tmp_path) as switch:
            await until(lambda: switch.health.is_ready)

            assert switch.health.problems() == {}

    @on_each_loop
    async def test_answers_what_waits_before_it_goes(self, tmp_path: Path) -> None:
        """Shutting down stops reading, waits for what is under way, writes it and closes."""
        async with open_switch(tmp_path) as switch:
            switch.ledger.held = {1}
            line = await switch.dial()
            await line.send(purchase(stan=1))
            await until(lambda: len(switch.ledger.asked) == 1)
            task = asyncio.create_task(release_soon(switch, line))
        answered = await task

        assert answered == ("000001", 1)
        assert await line.ended() == b""
        await line.close()

    @on_each_loop
    async def test_goes_without_an_answer_that_does_not_come(self, tmp_path: Path) -> None:
        """The wait has a limit; the terminal reverses by its own rule."""
        async with open_switch(tmp_path, drain_ms=50) as switch:
            switch.ledger.held = {1}
            line = await switch.dial()
            await line.send(purchase(stan=1))
            await until(lambda: len(switch.ledger.asked) == 1)

        assert await line.ended() == b""
        await line.close()

    @on_each_loop
    async def test_closes_idle_lines_while_others_wait(self, tmp_path: Path) -> None:
        """A line that owes nothing ends at once: its terminal dials again and loses no message."""
        async with open_switch(tmp_path, drain_ms=10_000) as switch:
            switch.ledger.held = {1}
            busy, idle = await switch.dial(), await switch.dial()
            await busy.send(purchase(stan=1))
            await until(lambda: len(switch.ledger.asked) == 1)
            for listener in switch.bridge.listeners:
                listener.stop_accepting()

            assert await idle.ended() == b""
            await switch.ledger.release()
            assert (await busy.ended()) != b""
            await idle.close()
            await busy.close()

    @on_each_loop
    async def test_writes_one_masked_line_for_each_money_message(self, tmp_path: Path) -> None:
        """Answered, refused at the edge, and left in silence: one line each, never the card."""
        async with open_switch(tmp_path, answer_ms=100) as switch:
            switch.ledger.held = {3}
            line = await switch.dial()
            assert await line.ask(purchase(stan=1)) == "00"
            assert await line.ask(purchase(stan=2, de4="0" * 12)) == "13"
            await line.send(purchase(stan=3))
            assert await line.ask(echo()) == "00"
            await until(lambda: switch.count("bridge_silent", reason="deadline") == 1)
            await line.close()

        text = switch.money.getvalue()
        assert [text.count(f'"de39":"{code}"') for code in ("00", "13", "")] == [1, 1, 1]
        assert text.count("936009******0016") == len(text.splitlines()) == 3
        assert PAN not in text


def self_signed(directory: Path) -> tuple[Path, Path]:
    """Write a certificate and its key that are good for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "switch")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    files = directory / "switch.pem", directory / "switch.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so; fail after five seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 -- conditions here have no event.
            await asyncio.sleep(0.005)


async def dribble(line: Line, data: bytes) -> None:
    """Send a byte every 10 ms."""
    for byte in data:
        line.writer.write(bytes([byte]))
        await asyncio.sleep(0.01)


async def pour(raw: socket.socket, data: bytes) -> None:
    """Send for ever and never read."""
    loop = asyncio.get_running_loop()
    try:
        while True:
            await loop.sock_sendall(raw, data)
    except ConnectionError:
        return


async def release_soon(switch: Switch, line: Line) -> tuple[str, int]:
    """Let the ledger answer while the edge is going down; a new message is not read."""
    await asyncio.sleep(0.05)
    await line.send(purchase(stan=2))
    await asyncio.sleep(0.05)
    await switch.ledger.release()
    return (await line.hear())[1][11], len(switch.ledger.asked)
