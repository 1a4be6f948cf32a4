"""What an answer becomes on HTTP; the only place that knows status codes and error bodies."""

from collections.abc import Mapping

from fastapi.responses import JSONResponse

from services.admin.domain.act import Json
from services.admin.domain.refusal import Refused
from services.admin.handlers.perform_act import Answer, Done, Proposed


class RefusedRequest(Exception):
    """Ends a request with a refusal."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.why.name)
        self.refused = refused


def reply(answer: Answer) -> JSONResponse:
    """200 with the result, 202 with the number of a proposal, else the refusal's own status."""
    match answer:
        case Done(result):
            return JSONResponse(dict(result))
        case Proposed(number):
            return JSONResponse({"proposal": number}, status_code=202)
        case Refused():
            return refusal_reply(answer)


def refusal_reply(refused: Refused) -> JSONResponse:
    """Return a refusal: its code and a sentence in both languages."""
    words = refused.why.value
    return error_reply(
        words.status, refused.why.name, words.text_id, words.text_en, {"detail": refused.detail}
    )


def error_reply(
    status: int, code: str, text_id: str, text_en: str, more: Mapping[str, Json] | None = None
) -> JSONResponse:
    """Return the one shape that all errors have."""
    error: dict[str, Json] = {"code": code, "id": text_id, "en": text_en}
    error.update({name: value for name, value in (more or {}).items() if value})
    return JSONResponse({"error": error}, status_code=status)
