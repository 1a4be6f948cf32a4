"""``lesko admin openapi``: the description of admin's API, which it shows to nobody over HTTP."""

from services.admin.api.app import describe_api
from services.cli.screen import write_json


def openapi() -> None:
    """Print the API's description as one line of JSON (OpenAPI)."""
    write_json(describe_api())
