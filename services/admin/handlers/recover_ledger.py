"""Permission to recover the ledger's books: nothing is done here, a second person says yes."""

from collections.abc import Mapping

from services.admin.domain.act import Act, Json, Target
from services.admin.domain.refusal import Refused
from services.admin.ports import Author, Work

RECOVER = "ledger.recover"
LEDGER = "ledger/books"


class RecoverLedger:
    """The executor of ``ledger.recover``: the command itself is run by a person at the machine."""

    async def target(
        self,
        work: Work,  # noqa: ARG002 -- the port's
        act: Act,  # noqa: ARG002 -- the port's
    ) -> Target | Refused:
        """Return the books: they are everywhere and have no version."""
        return Target()

    async def execute(
        self,
        work: Work,  # noqa: ARG002 -- the port's
        act: Act,  # noqa: ARG002 -- the port's
        target: Target,  # noqa: ARG002 -- the port's
        author: Author,
    ) -> Mapping[str, Json] | Refused:
        """Say what to do now; the proposal's number is what the command asks for."""
        return {"allowed": RECOVER, "by": author.maker_login, "with": author.checker_login}
