"""What can be wrong with a request before any rule of the trade is asked; one sentence each."""

from collections.abc import Mapping
from enum import Enum, unique

from fastapi.responses import JSONResponse

from services.admin.api.replies import error_reply
from services.admin.domain.act import Json
from services.admin.domain.refusal import Words


@unique
class Problem(Enum):
    """The name is its code on the wire."""

    NO_ROUTE = Words(404, "Alamat ini tidak dilayani.", "This address is not served.")
    WRONG_METHOD = Words(
        405, "Alamat ini tidak dilayani dengan cara itu.", "This address is not served that way."
    )
    TOO_SLOW = Words(
        408,
        "Permintaan terlalu lama diterima; periksa jaringan lalu ulangi.",
        "The request took too long to arrive; check the network, then try again.",
    )
    TOO_LARGE = Words(
        413,
        "Permintaan terlalu besar; kirim sedikit demi sedikit.",
        "The request is too large; send less at a time.",
    )
    WRONG_TYPE = Words(
        415,
        "Jenis isi permintaan tidak diterima di sini.",
        "The request's content type or encoding is not accepted here.",
    )
    MALFORMED = Words(
        400,
        "Permintaan tidak dapat dibaca; periksa bentuknya.",
        "The request cannot be read; check its form.",
    )
    INVALID = Words(
        422,
        "Isi permintaan tidak sesuai bentuknya; periksa kolom yang disebut.",
        "The request does not have the right form; check the fields that are named.",
    )
    UNAVAILABLE = Words(
        503,
        "Sistem sedang tidak siap; lihat keadaannya lalu ulangi.",
        "The system is not ready; look at the present state, then try again.",
    )
    MISTAKE = Words(
        500,
        "Terjadi kesalahan pada sistem; laporkan kepada pengelola.",
        "The system made a mistake; report it to whoever runs it.",
    )


class ProblemRequest(Exception):
    """Ends a request with a problem; ``detail`` is one more sentence, never what was sent."""

    def __init__(self, problem: Problem, detail: str = "") -> None:
        super().__init__(problem.name)
        self.problem = problem
        self.detail = detail


def problem_reply(problem: Problem, more: Mapping[str, Json] | None = None) -> JSONResponse:
    """Return a problem in the one shape of errors."""
    words = problem.value
    return error_reply(words.status, problem.name, words.text_id, words.text_en, more)
