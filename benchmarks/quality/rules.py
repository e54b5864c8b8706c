"""The two rules with which the matcher is compared.

(a) Folding and a gate: alert when the folded keys are equal and the read itself is no possible plate of its country.
(b) One edit and the gate: alert when the folded keys are at most one edit apart, and the gate is open as in (a).

Both also alert when the texts are equal. A rule says only yes or no. To compare rules at any number of false alerts,
their alerts have an order: equal texts, then equal keys, then the others, each by how unsure the reader was.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.columns import for_kernels
from anpr.matching.encoding.plate_codes import PlateCodes, country_codes
from anpr.matching.lookup.plate_table import EXACT_TIER, FOLDED_TIER, MatchedPairs
from anpr.matching.scoring.confusion_model import IMPOSSIBLE
from anpr.matching.scoring.likelihood import Likelihood
from anpr.reference_data import tables
from anpr.reference_data.limits import ALPHABET

RULES = ("folding and gate", "one edit and gate")
# A layout or letter rarer than this among a country's plates does not make a plate possible.
_RARE_SHARE = 0.01


class EveryPair(Likelihood):
    """A likelihood that accepts every pair of folded keys at most one edit apart."""

    def __init__(self, list_size: int) -> None:
        """Search every deletion of every read, and refuse no score."""
        super().__init__(list_size)
        least = np.zeros_like(self.tables.least_scores)
        self.tables = for_kernels(self.tables._replace(least_near_units=2 * IMPOSSIBLE, least_scores=least))


class Gate:
    """Knows the possible plates of each country: by its official forms, or by plates that were seen."""

    def __init__(self, seen: Mapping[str, Any]) -> None:
        """`seen` is a table with the fields of `plates_seen.toml`."""
        official = tables.load("countries")
        self._layouts: dict[int, set[str]] = {}
        self._letters: dict[int, set[str]] = {}
        for name in {*official, *seen}:
            [code] = country_codes([name]).tolist()
            layouts, letters = self._layouts.setdefault(code, set()), self._letters.setdefault(code, set())
            for kind, into in (("layouts", layouts), ("letters", letters)):
                counts = seen.get(name, {}).get(kind, {})
                into |= {key for key, count in counts.items() if count >= _RARE_SHARE * sum(counts.values())}
            for form in official.get(name, {}).get("forms", ()):
                layouts |= _layouts(form["form"], official[name])
            letters |= {c for key in ("alphabet", "serial") for c in official.get(name, {}).get(key, "")}
            letters |= {c for code_ in official.get(name, {}).get("codes", ()) for c in code_}

    def is_possible(self, reads: PlateCodes) -> NDArray[np.bool_]:
        """Return whether each read is a possible plate of its country, or of any where the country is unknown."""
        possible = np.zeros(len(reads), bool)
        for row, (codes, country) in enumerate(zip(reads.codes, reads.countries.tolist(), strict=True)):
            text = "".join(ALPHABET[code - 1] for code in codes[codes > 0].tolist())
            layout = "".join("A" if character.isalpha() else "9" for character in text)
            of_read = [country] if country in self._layouts else list(self._layouts)
            possible[row] = any(
                layout in self._layouts[code]
                and all(character.isdigit() or character in self._letters[code] for character in text)
                for code in of_read
            )
        return possible


def seen_table(text: str) -> dict[str, Any]:
    """Parse the text of a table like `plates_seen.toml`."""
    return tomllib.loads(text)


def order(
    rule: str,
    found: MatchedPairs,
    *,
    gate_open: NDArray[np.bool_],
    same_country: NDArray[np.bool_],
    confidences: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Return the rank of each pair in a rule's alerts, -1 for none. All arguments have a value for each pair."""
    exact, folded = found.tiers == EXACT_TIER, found.tiers <= FOLDED_TIER
    alerts = exact | (gate_open & same_country & (folded | (rule == RULES[1])))
    return np.where(alerts, 4.0 * exact + 2.0 * folded + 1 - np.nan_to_num(confidences, nan=0.5), -1.0)


def _layouts(form: str, table: dict[str, Any]) -> set[str]:
    """Return the layouts of a form: district codes have several lengths."""
    found = {""}
    for symbol in form:
        codes = table.get("codes", ()) if symbol == "C" else ["9" if symbol.isdigit() else "A"]
        kinds = {"".join("A" if c.isalpha() else "9" for c in code) for code in codes}
        found = {before + kind for before in found for kind in kinds}
    longest = table.get("longest", 99)
    return {layout for layout in found if len(layout) <= longest}
