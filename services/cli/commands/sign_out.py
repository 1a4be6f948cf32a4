"""``lesko sign-out``: end the session, here and at admin."""

from services.cli.admin_client import AdminClient
from services.cli.admin_session import forget_session, read_session
from services.cli.screen import screen
from services.cli.settings import Settings


def sign_out() -> None:
    """End your session; its token is of no use to anybody from now on."""
    settings = Settings()
    session = read_session(settings.home)
    if session is None:
        screen().print("Nobody is signed in here.")
        return
    try:
        AdminClient(settings).delete("/v1/sessions/current")
    finally:
        forget_session(settings.home)
    screen().print(f"Signed out {session.login}.")
