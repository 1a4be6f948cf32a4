"""Has statements drawn by a process of their own: drawing would hold up whoever shares a loop."""

import asyncio
import sys
from pathlib import Path
from typing import Final

from libs.outcome import Fault
from services.admin.adapters.statement_pdf import to_text
from services.admin.domain.statement import Statement

_PROGRAM: Final = "services.admin.adapters.statement_pdf"
_ROOT: Final = Path(__file__).parents[3]
_AT_ONCE: Final = 1
_SECONDS_MAX: Final = 60


class PdfFailed(Fault):
    """The file was not drawn."""


class PdfProcess:
    """Draws one statement at a time; who comes meanwhile waits."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, statement: Statement) -> bytes:
        """Return the file; raises PdfFailed. The process ends with this call, however that ends."""
        text = to_text(statement).encode()
        async with self._turn:
            drawing = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _PROGRAM,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # A traceback may hold what people wrote.
                cwd=_ROOT,
                env={"PYTHONUTF8": "1"},  # Ours holds secrets that it has no use for.
            )  # fmt: skip
            try:
                async with asyncio.timeout(_SECONDS_MAX):
                    file, _ = await drawing.communicate(text)
            except TimeoutError:
                message = f"the statement was not drawn in {_SECONDS_MAX} s"
                raise PdfFailed(message) from None
            finally:
                if drawing.returncode is None:
                    drawing.kill()
                    await drawing.wait()
        if drawing.returncode:
            message = f"the program that draws statements ended with {drawing.returncode}"
            raise PdfFailed(message)
        return file
