"""Number formats of spreadsheets and charts: numbers as people see them.

Source: ECMA-376 part 1, section 18.8.30. Thousands separators are left out and dates are written
as in ISO 8601, because how a program shows them depends on its user's country, not on the file.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "#,##0", 6: "#,##0", 7: "#,##0.00",
    8: "#,##0.00", 9: "0%", 10: "0.00%", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm",
    17: "mmm-yy", 18: "h:mm", 19: "h:mm:ss", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm",
    37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00", 41: "#,##0", 42: "#,##0",
    43: "#,##0.00", 44: "#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss",
    **dict.fromkeys([*range(27, 32), 36, *range(50, 59)], "yyyy-mm-dd"),
}  # fmt: skip
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 (a sheet's times have no zone)
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
_MAX_SERIAL = 2_900_000  # in the year 9839
_MAX_CODE_CHARACTERS = 255
_TOKEN = re.compile(
    r'"([^"]*)"?|\\(.)|[_*].|\[([^\]]*)\]|(general|am/pm|a/p|.)', re.IGNORECASE | re.DOTALL
)
_DIGITS = re.compile(r"([#0?,]*)(?:\.([#0?]*))?(,*)")


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How numbers are shown; as it stands, with as many digits as they have."""

    moment: str = ""  # strftime pattern of a date or time, or "elapsed"; empty: a plain number
    minimum_digits: int = 1  # before the point
    minimum_decimals: int = 0
    decimals: int | None = None
    exponent: int = 0  # the power of ten by which a number is multiplied
    prefix: str = ""
    suffix: str = ""

    def show(self, number: float, *, from_1904: bool = False) -> str:
        """Write a number."""
        if self.moment and 0 <= number < _MAX_SERIAL:
            return self._moment(number, _EPOCH_1904 if from_1904 else _EPOCH_1900)
        if self.decimals is None or self.moment or not math.isfinite(number):
            digits = f"{abs(number):.15g}"
        else:
            digits = self._fixed(abs(number), self.decimals)
        is_negative = number < 0 and digits.strip("0.") != ""
        return f"{'-' if is_negative else ''}{self.prefix}{digits}{self.suffix}"

    def _fixed(self, number: float, decimals: int) -> str:
        exact = Decimal(repr(number)).scaleb(self.exponent)
        try:
            rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        except InvalidOperation:
            return f"{number * 10.0**self.exponent:.15g}"
        whole, _, fraction = f"{rounded:f}".partition(".")
        while len(fraction) > self.minimum_decimals and fraction.endswith("0"):
            fraction = fraction[:-1]
        whole = whole.zfill(self.minimum_digits)
        return f"{whole}.{fraction}" if fraction else whole

    def _moment(self, serial: float, epoch: datetime) -> str:
        seconds = round(serial * 86_400)
        if self.moment == "elapsed":
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return (epoch + timedelta(seconds=seconds)).strftime(self.moment)


@lru_cache(maxsize=1024)
def number_format(code: str) -> NumberFormat:
    """Read a format code such as `0.00%`; one too peculiar shows numbers as they are."""
    tokens = list(_tokens(code[:_MAX_CODE_CHARACTERS]))
    signs = "".join(sign for sign, _ in tokens).lower()
    if "[h" in signs or "[m" in signs or "[s" in signs:
        return NumberFormat(moment="elapsed")
    if "general" not in signs and re.search("[ymdhs]", signs):
        return NumberFormat(moment=_moment_pattern(signs))
    return _plain(tokens)


def _tokens(code: str) -> list[tuple[str, str]]:
    """Split the section for positive numbers into (sign, "") and ("", literal text)."""
    tokens: list[tuple[str, str]] = []
    for quoted, escaped, bracket, sign in _TOKEN.findall(code):
        if sign == ";":
            break
        if bracket[:1] == "$":
            tokens.append(("", bracket[1:].partition("-")[0]))
        elif re.fullmatch("h+|m+|s+", bracket, re.IGNORECASE):
            tokens.append((f"[{bracket}]", ""))
        else:
            tokens.append((sign, quoted or escaped))
    return tokens


def _moment_pattern(signs: str) -> str:
    has_clock = "h" in signs or "s" in signs
    has_month = "mmm" in signs or ("m" in signs and not has_clock)
    date = "%Y-%m-%d" if "d" in signs or has_month or "y" in signs else ""
    if "y" in signs and "d" not in signs:
        date = "%Y-%m" if has_month else "%Y"
    clock = ("%H:%M:%S" if "s" in signs else "%H:%M") if has_clock else ""
    return f"{date} {clock}".strip()


def _plain(tokens: list[tuple[str, str]]) -> NumberFormat:
    """Read `prefix digits suffix`; digits in several places are too peculiar."""
    digits, prefix, suffix = "", "", ""
    for sign, literal in tokens:
        is_digit = sign in {"#", "0", "?", ".", ","} or sign.lower() == "general"
        if is_digit and suffix.strip():
            return NumberFormat()
        if is_digit:
            digits += sign
        elif digits:
            suffix += sign or literal
        else:
            prefix += sign or literal
    if digits.lower() == "general":
        return NumberFormat(prefix=prefix.lstrip(), suffix=suffix.rstrip())
    shape = _DIGITS.fullmatch(digits)
    if shape is None or not digits or "e" in suffix.lower()[:1] or "/" in suffix:
        return NumberFormat()
    whole, decimals = shape[1].rstrip(","), shape[2] or ""
    thousands = len(shape[1]) - len(whole) + len(shape[3])
    return NumberFormat(
        minimum_digits=max(1, whole.count("0")),
        minimum_decimals=decimals.count("0"),
        decimals=len(decimals),
        exponent=2 * (prefix + suffix).count("%") - 3 * thousands,
        prefix=prefix.lstrip(),
        suffix=suffix.rstrip(),
    )
