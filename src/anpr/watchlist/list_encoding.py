"""The encoding of a list file: the one that the operator names, never a guess."""

import codecs
import re
from typing import Final

from anpr.runtime.errors import InputError

ENCODINGS: Final = ("utf-8", "utf-16", "windows-1250", "windows-1251", "windows-1252", "iso-8859-1", "iso-8859-15")
_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF_32_MARKS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# What the second byte of a letter in UTF-8 becomes in windows-1252 and in iso-8859-1.
_SECOND: Final = bytes(range(0x80, 0xC0)).decode("windows-1252", "ignore") + "".join(map(chr, range(0x80, 0xA0)))
# Quotes and marks may stand behind a right letter too, as in \u00abHALL\u00c5\u00bb.
_MARKS: Final = "\u00a0\u00ab\u00b0\u00b7\u00bb\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u2039\u203a"
_RUINED: Final = re.compile(
    f"[ÃÂ][{re.escape(_SECOND)}]|[ÄÅÐÑ][{re.escape(''.join(set(_SECOND) - set(_MARKS)))}]|\ufffd"
)


def check_encoding(where: str, content: bytes, encoding: str) -> list[str]:
    """Raise InputError when a file is not in this encoding. Return what a person must know of its letters.

    It is decoded whole, for the position of the first wrong byte. `where` names the file.
    """
    if content.startswith(_UTF_32_MARKS):
        raise InputError("list-not-utf8", f"{where}: the file is UTF-32", "save the file as UTF-8")
    is_marked = content.startswith(_UTF_16_MARKS)
    if encoding == "utf-8" and is_marked:
        raise InputError("list-not-utf8", f"{where}: the file begins as UTF-16 does", "use --encoding utf-16")
    if encoding != "utf-8" and content.startswith(codecs.BOM_UTF8):
        raise InputError("list-not-utf8", f"{where}: the file begins as UTF-8 does", "leave --encoding out")
    if encoding == "utf-16" and not is_marked:
        raise InputError(
            "list-not-utf8", f"{where}: not UTF-16: the file has no byte order mark", "save the file as UTF-8"
        )
    if encoding == "utf-8" and b"\0" in content[:2]:
        raise InputError(
            "list-not-utf8",
            f"{where}: the file looks like UTF-16 without its byte order mark",
            "save the file as UTF-8",
        )
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            "list-not-utf8",
            f"{where}: not {encoding.upper()} at byte {error.start}",
            f"save the file as UTF-8, or name its encoding with --encoding: {', '.join(ENCODINGS)}",
        ) from None
    return [] if text.isascii() else _ruined_letters(text)


def _ruined_letters(text: str) -> list[str]:
    ruined = list(_RUINED.finditer(text))
    if not ruined:
        return []
    line = text.count("\n", 0, ruined[0].start()) + 1
    found = f"letters that were decoded wrongly before: {len(ruined)}, the first on line {line} ({ruined[0][0]!r})"
    return [f"{found}: export the list again as UTF-8"]
