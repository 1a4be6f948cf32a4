"""The handlers behind signing in and operators, as the desk holds them."""

from dataclasses import dataclass

from services.admin.handlers.enrol import Enrol
from services.admin.handlers.read_operators import ReadOperators
from services.admin.handlers.sign_in import SignIn
from services.admin.handlers.sign_out import SignOut


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who they are, and how they come in and go."""

    sign_in: SignIn
    sign_out: SignOut
    enrol: Enrol
    operators: ReadOperators
