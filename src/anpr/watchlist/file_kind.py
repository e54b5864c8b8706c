"""Files that are no CSV, known by their first bytes: what people have in place of a list. Pure."""

from typing import Final

from anpr.runtime.errors import InputError

_ZIP: Final = b"PK\x03\x04"
_SAVE_AS_CSV: Final = "save it as CSV UTF-8"
_ASK_FOR_CSV: Final = "ask for the list as CSV UTF-8"
# The beginning of a file, and what it is with what to do.
_KINDS: Final = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook", _SAVE_AS_CSV),
    (b"%PDF", "a PDF", _ASK_FOR_CSV),
    (b"{\\rtf", "a text document (RTF)", _ASK_FOR_CSV),
    (b"\x89PNG", "a picture", _ASK_FOR_CSV),
    (b"\xff\xd8\xff", "a picture", _ASK_FOR_CSV),
    (b"SQLite format 3", "a database", _ASK_FOR_CSV),
    (b"\x00\x01\x00\x00Standard", "a database", _ASK_FOR_CSV),
    (b"PAR1", "a Parquet file", _ASK_FOR_CSV),
    (b"From: ", "an e-mail", "save the list that is attached to it"),
    *(
        (mark, "a compressed file", "unpack it first")
        for mark in (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")
    ),
    (b"<", "a web page or XML", _ASK_FOR_CSV),
    (b"{", "JSON", _ASK_FOR_CSV),
    (b"[", "JSON", _ASK_FOR_CSV),
)


def check_is_text(content: bytes, where: str) -> None:
    """Raise InputError when the content is a known kind of file that is no CSV. `where` names the file."""
    if content.startswith(_ZIP):
        kind, next_step = _zip_kind(content)
        raise _not_csv(where, kind, next_step)
    start = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    for mark, kind, next_step in _KINDS:
        if start.startswith(mark):
            raise _not_csv(where, kind, next_step)


def _zip_kind(content: bytes) -> tuple[str, str]:
    """Return what a zip archive is: an office program's file, or something packed."""
    if b"xl/" in content:
        return "an Excel workbook", _SAVE_AS_CSV
    if b"opendocument.spreadsheet" in content[:200]:
        return "a spreadsheet (OpenDocument)", _SAVE_AS_CSV
    if b"Index/Document.iwa" in content:
        return "a spreadsheet (Numbers)", _SAVE_AS_CSV
    if b"word/" in content or b"opendocument.text" in content[:200]:
        return "a text document", _ASK_FOR_CSV
    return "a zip archive", "unpack it first"


def _not_csv(where: str, kind: str, next_step: str) -> InputError:
    return InputError("list-not-csv", f"{where}: {kind}: {next_step}", next_step)
