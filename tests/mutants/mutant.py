"""A deliberate break of the product's code, and what it must not break unnoticed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: What the design promises: `promise 1` to `promise 7`, and the rules of the store, `rule 1` to `rule 15`.
PROMISES = tuple(f"promise {number}" for number in range(1, 8))
RULES = tuple(f"rule {number}" for number in range(1, 16))
#: What is promised of the page: who may see it, and what it shows.
PAGE = ("access", "page")
#: What fills gaps from the controller's own log.
FILLING = ("backfill",)


@dataclass(frozen=True)
class Mutant:
    """One break: in `file`, the only place that reads `old` reads `new`; one of `tests` (pytest ids) must fail then.

    `name` says what the product does wrong, `breaks` which promise or rule that is, or what of the page.
    """

    name: str
    breaks: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, root: Path) -> str:
        """The file's text with the break in it.

        Raises:
            PieceError: what is to be replaced does not stand there exactly once.
        """
        text = (root / self.file).read_text(encoding="utf-8")
        if (times := text.count(self.old)) != 1:
            raise PieceError(f"{self.name}: {times} times in {self.file}, not once: {self.old!r}")
        return text.replace(self.old, self.new)


class PieceError(ValueError):
    """Raised where a mutant no longer fits the code."""
