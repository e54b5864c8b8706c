"""The country that a code means: ISO 3166 in two or three letters, or the sign on the vehicle, in any case. Pure."""

from collections import defaultdict
from collections.abc import Mapping

from anpr.contracts.plates import COUNTRY_ALIASES
from anpr.reference_data import tables


def country_code(text: str) -> str | None:
    """Return the ISO 3166 code of two letters that a text means; None where no country is certain.

    A text with two meanings is not certain: CYM is Wales on a plate, and the Cayman Islands in ISO 3166.
    """
    return _MEANINGS.get(text.strip().upper())


def is_country_code(text: str) -> bool:
    """Return whether a text is a country's code as the contract writes it: two capital letters, aliases included."""
    return text in _CONTRACT_CODES


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


_MEANINGS = _meanings()
_CONTRACT_CODES = frozenset(text for text in _MEANINGS if text in set(_MEANINGS.values()) or text in COUNTRY_ALIASES)
