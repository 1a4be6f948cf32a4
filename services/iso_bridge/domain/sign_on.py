"""Which terminals have signed on at one listener; memory only, a restart asks them again."""


class SignOns:
    """Terminals by DE41. A listener that demands nothing counts everybody as signed on."""

    __slots__ = ("_demanded", "_terminals")

    def __init__(self, *, demanded: bool) -> None:
        self._demanded = demanded
        self._terminals: set[str] = set()

    def sign_on(self, terminal: str) -> None:
        """Let a terminal's money messages in, on whatever socket they come."""
        if self._demanded:
            self._terminals.add(terminal)

    def sign_off(self, terminal: str) -> None:
        """Keep its new purchases out until it signs on again."""
        self._terminals.discard(terminal)

    def is_signed_on(self, terminal: str) -> bool:
        """Tell whether new purchases of this terminal may go on."""
        return not self._demanded or terminal in self._terminals
