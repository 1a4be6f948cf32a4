"""Answers find whoever waits for them, once, and nobody else."""

import asyncio

from services.admin.handlers.await_answers import AwaitAnswers

ONE, TWO = b"1" * 16, b"2" * 16


class TestAwaitAnswers:
    async def test_hands_an_answer_to_whoever_expects_it(self) -> None:
        """By correlation id, in any order."""
        answers = AwaitAnswers()
        first, second = answers.expect(ONE), answers.expect(TWO)

        assert answers.deliver(TWO, "s", b"two")
        assert answers.deliver(ONE, "s", b"one")
        assert (b"one", b"two") == (await first, await second)

    async def test_tells_that_nobody_waits(self) -> None:
        """For an id that was never asked, answered before, or given up."""
        answers = AwaitAnswers()
        answered, given_up = answers.expect(ONE), answers.expect(TWO)
        answers.deliver(ONE, "s", b"one")
        given_up.cancel()

        assert not answers.deliver(b"3" * 16, "s", b"")
        assert not answers.deliver(ONE, "s", b"again")
        assert not answers.deliver(TWO, "s", b"late")
        assert b"one" == await answered

    async def test_takes_no_answer_of_another_schema(self) -> None:
        """It is left to wait for its own."""
        answers = AwaitAnswers()
        waiting = answers.expect(ONE, schema="right")

        assert not answers.deliver(ONE, "wrong", b"")
        assert answers.deliver(ONE, "right", b"value")
        assert b"value" == await waiting

    async def test_forgets_what_is_over(self) -> None:
        """Neither answers nor those who gave up pile up."""
        answers = AwaitAnswers()
        answered, given_up = answers.expect(ONE), answers.expect(TWO)
        answers.deliver(ONE, "s", b"one")
        given_up.cancel()
        await asyncio.wait({answered, given_up})

        assert {} == answers._expected
