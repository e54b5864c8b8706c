"""The characters of plates and the greatest lengths of layouts and badges, for the tables and the models. Pure."""

import string
from typing import Final

# The digits, then the letters. Elsewhere a character's code is its position here plus one.
ALPHABET: Final = string.digits + string.ascii_uppercase
# Characters. Longer plates have no layout; the longest plate of `countries.toml` has ten characters.
LONGEST_LAYOUT: Final = 12
# Letters of the longest badge, the country letters beside a plate.
LONGEST_BADGE: Final = 3
