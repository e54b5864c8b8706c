"""The country that a text means: a code of ISO 3166, the sign on the vehicle, or a name in many languages. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from anpr.contracts.plates import COUNTRY_ALIASES
from anpr.reference_data import tables

# What stands in no name of a country. Others hold marks: Bosnia & Herzegovina, U.K.
_IN_NO_NAME: Final = re.compile(r"[^\w\s.\-&'\u2019]|[\d_]")


def country_code(text: str) -> str | None:
    """Return the ISO 3166 code of two letters that a code or a name means; None where no country is certain.

    A text with two meanings is not certain: CYM is Wales on a plate, and the Cayman Islands in ISO 3166.
    """
    written = text.strip().upper()
    if known := _MEANINGS.get(written):
        return known
    if not written or _IN_NO_NAME.search(written):
        return None
    letters = _letters(written)
    return _MEANINGS.get(letters) or _NAMES.get(letters)


def is_country_code(text: str) -> bool:
    """Return whether a text is a country's code as the contract writes it: two capital letters, aliases included."""
    return text in _CONTRACT_CODES


def _letters(text: str) -> str:
    """Return the letters of a name in capitals, without accents, spaces and marks."""
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKD", text.upper())))


def _meanings() -> Mapping[str, str]:
    codes = tables.load("country_codes")
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for text, country in [*codes["alpha_3"].items(), *codes["signs"].items(), *COUNTRY_ALIASES.items()]:
        meanings[text].add(country)
    for country, syntax in tables.load("countries").items():
        for badge in syntax["badges"]:
            meanings[badge].add(country)
    certain = {text: next(iter(countries)) for text, countries in meanings.items() if len(countries) == 1}
    # A code of two letters is always the one of ISO 3166.
    return certain | {country: country for country in codes["alpha_3"].values()}


US_STATES: Final = frozenset(tables.load("country_codes")["us_states"])
_MEANINGS: Final = _meanings()
_CONTRACT_CODES: Final = frozenset(
    text for text in _MEANINGS if text in set(_MEANINGS.values()) or text in COUNTRY_ALIASES
)
_NAMES_OF: Final = tables.load("country_names")
_NAMES: Final = {_letters(name): country for country, names in _NAMES_OF.items() for name in names}
# The English name and the country's own.
COMMON_NAMES: Final = {name: country for country, names in _NAMES_OF.items() for name in names[:2]}
