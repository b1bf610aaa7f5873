"""Check digits: whether a number can be what it looks like."""

import string
from itertools import cycle

DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
# So many characters an account number of a country has.
IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "NL"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS"), 22),
    **dict.fromkeys(("AE", "GI", "IL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("PT",), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BR", "CY", "DO", "GT", "HU", "LB", "PL", "UA"), 28),
    **dict.fromkeys(("JO", "KW", "MU", "QA"), 30),
    **dict.fromkeys(("MT",), 31),
}
# What a character at an odd place of a codice fiscale counts, A to Z; digits count as A to J.
_ODD = (
    1,
    0,
    5,
    7,
    9,
    13,
    15,
    17,
    19,
    21,
    2,
    4,
    18,
    20,
    11,
    3,
    6,
    8,
    12,
    14,
    16,
    10,
    22,
    25,
    24,
    23,
)
_DIGIT_LETTERS = str.maketrans(string.digits, "ABCDEFGHIJ")


def is_card(digits: str) -> bool:
    """Tell whether digits are a payment card's: its first ones, and Luhn's sum."""
    if not 12 <= len(digits) <= 19 or digits[0] not in "23456" or len(set(digits)) < 3:
        return False
    doubled = zip(reversed(digits), cycle((1, 2)), strict=False)
    return sum(sum(divmod(int(digit) * factor, 10)) for digit, factor in doubled) % 10 == 0


def is_iban(account: str) -> bool:
    """Tell whether capitals and digits are an IBAN (ISO 13616: mod 97 is 1)."""
    if len(account) != IBAN_LENGTHS.get(account[:2]):
        return False
    return int("".join(str(int(c, 36)) for c in account[4:] + account[:4])) % 97 == 1


def is_social_security_number(digits: str) -> bool:
    """Tell whether nine digits may be a US number; it has no check digit, only gaps."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def is_dni(number: str) -> bool:
    """Tell whether eight digits, or X, Y, Z and seven, carry the right Spanish letter."""
    first = {"X": "0", "Y": "1", "Z": "2"}.get(number[0], number[0])
    return DNI_LETTERS[int(first + number[1:8]) % 23] == number[8]


def is_codice_fiscale(code: str) -> bool:
    """Tell whether the last of 16 characters checks the others."""
    letters = code[:15].translate(_DIGIT_LETTERS)
    odd = sum(_ODD[string.ascii_uppercase.index(letter)] for letter in letters[::2])
    even = sum(
        int(character) if character.isdigit() else ord(character) - ord("A")
        for character in code[1:15:2]
    )
    return (odd + even) % 26 == ord(code[15]) - ord("A")


def is_steuer_id(digits: str) -> bool:
    """Tell whether eleven digits are a German tax number (ISO 7064, mod 11,10).

    Of the first ten, exactly one digit comes more than once, twice or three times.
    """
    repeated = [count for digit in set(digits[:10]) if (count := digits[:10].count(digit)) > 1]
    if digits[0] == "0" or len(repeated) != 1 or repeated[0] > 3:
        return False
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def is_nir(number: str) -> bool:
    """Tell whether 13 characters and two digits are a French social security number."""
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(body) % 97 == int(number[13:])
