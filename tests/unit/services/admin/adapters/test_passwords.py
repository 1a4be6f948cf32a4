"""argon2id hashes: salted, of one password, beside the event loop, a few at once."""

import asyncio

import pytest

from services.admin.adapters.passwords import Argon2Passwords, TooManySignIns

PASSWORD = "sagu-dan-ikan-7"


def quick(**more: int) -> Argon2Passwords:
    return Argon2Passwords(**{"memory_kib": 64, "passes": 1, **more})


class TestArgon2Passwords:
    async def test_knows_its_own_password_alone(self) -> None:
        """The right one, however it was composed; no other, and none for an empty hash."""
        passwords = quick()
        hashed = await passwords.hash(PASSWORD)

        assert await passwords.is_right(hashed, PASSWORD)
        assert not await passwords.is_right(hashed, PASSWORD + " ")
        assert not await passwords.is_right("", PASSWORD)
        assert not await passwords.is_right("not a hash", PASSWORD)

    async def test_keeps_argon2id_with_a_salt_of_its_own(self) -> None:
        """Two people with one password have two hashes, and neither shows it."""
        first, second = await quick().hash(PASSWORD), await quick().hash(PASSWORD)

        assert first.startswith("$argon2id$")
        assert first != second
        assert PASSWORD not in first

    async def test_is_strong_by_default(self) -> None:
        """64 MiB and three passes, as RFC 9106 recommends where memory is scarce."""
        assert "m=65536,t=3,p=1" in await Argon2Passwords().hash(PASSWORD)

    async def test_leaves_the_event_loop_alone(self) -> None:
        """While a hash is made others have their turn, many times."""
        hashing = asyncio.create_task(Argon2Passwords().hash(PASSWORD))
        turns = 0
        while not hashing.done():
            turns += 1
            await asyncio.sleep(0)

        assert (await hashing).startswith("$argon2id$")
        assert 100 < turns

    async def test_refuses_the_one_too_many(self) -> None:
        """Whoever finds the waiting room full hears so at once; the others are served."""
        passwords = quick(waiting_max=2)
        found = await asyncio.gather(
            *(passwords.hash(PASSWORD) for _ in range(3)), return_exceptions=True
        )

        assert [TooManySignIns] == [type(one) for one in found if isinstance(one, Exception)]
        assert (await passwords.hash(PASSWORD)).startswith("$argon2id$")

    def test_trouble_of_many_is_worth_another_try(self) -> None:
        """The answer is 503, not a refusal."""
        with pytest.raises(TooManySignIns) as raised:
            raise TooManySignIns

        assert raised.value.retriable
