"""Of all who use one answers partition exactly one remains, whatever the order of what is said."""

from hypothesis import given
from hypothesis import strategies as st

from services.iso_bridge.domain.instance import Instance, Reaction, Said, Stage

ONE, OTHER = b"1" * 16, b"2" * 16


def said(nonce: bytes, stage: Stage) -> Said:
    """Return one record."""
    return Said(nonce, stage, "host, process 1")


def serving(nonce: bytes = ONE) -> Instance:
    """Return an instance whose announcement has come back."""
    instance = Instance(nonce)
    instance.hear(said(nonce, Stage.SEEKING))
    instance.hear(said(nonce, Stage.SERVING))
    return instance


def test_objects_while_it_serves() -> None:
    """Whoever asks hears that the partition is taken."""
    assert Reaction.OBJECT is serving().hear(said(OTHER, Stage.SEEKING))


def test_gives_way_to_an_objection() -> None:
    """Whoever asked and hears an objection does not serve."""
    instance = Instance(ONE)
    instance.hear(said(ONE, Stage.SEEKING))

    assert Reaction.YIELD is instance.hear(said(OTHER, Stage.HOLDING))


def test_lets_the_first_of_two_that_ask_at_once() -> None:
    """The order of the log decides: the later one gives way, the earlier one objects."""
    first, second = Instance(ONE), Instance(OTHER)
    log = [said(ONE, Stage.SEEKING), said(OTHER, Stage.SEEKING)]

    assert [Reaction.NOTHING, Reaction.OBJECT] == [first.hear(record) for record in log]
    assert [Reaction.YIELD, Reaction.NOTHING] == [second.hear(record) for record in log]


def test_gives_way_when_it_slept_through_the_question() -> None:
    """A frozen bridge that wakes finds the announcement of the one that took over."""
    sleeper, awake = serving(ONE), serving(OTHER)

    assert Reaction.OBJECT is sleeper.hear(said(OTHER, Stage.SEEKING))
    assert Reaction.YIELD is sleeper.hear(said(OTHER, Stage.SERVING))
    assert Reaction.NOTHING is awake.hear(said(ONE, Stage.HOLDING))


@given(st.lists(st.booleans(), max_size=12))
def test_leaves_one_of_two_whatever_the_order(turns: list[bool]) -> None:
    """However two starts interleave, never both and never none remain."""
    instances = {ONE: Instance(ONE), OTHER: Instance(OTHER)}
    log: list[Said] = []
    heard = {ONE: 0, OTHER: 0}
    gone: set[bytes] = set()
    plans = {ONE: [Stage.SEEKING, Stage.SERVING], OTHER: [Stage.SEEKING, Stage.SERVING]}

    def listen(nonce: bytes) -> None:
        while heard[nonce] < len(log) and nonce not in gone:
            reaction = instances[nonce].hear(log[heard[nonce]])
            heard[nonce] += 1
            if reaction is Reaction.YIELD:
                gone.add(nonce)
            elif reaction is Reaction.OBJECT:
                log.append(said(nonce, Stage.HOLDING))

    for turn in [*turns, True, False, True, False]:
        nonce = ONE if turn else OTHER
        if plans[nonce] and nonce not in gone:
            log.append(said(nonce, plans[nonce].pop(0)))
        listen(ONE)  # Both are awake: everything is heard before the next word.
        listen(OTHER)
        listen(ONE)
    assert 1 == len(gone)
