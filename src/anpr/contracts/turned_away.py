"""The reserved list of vehicles that were turned away: its name, how long they are on it, and their ids. Pure."""

import hashlib
from datetime import timedelta
from typing import Final

# The name of the list, and the outcome that puts a vehicle on it.
LIST: Final = "turned_away"
# A vehicle that was turned away tries again within this.
LISTED_FOR: Final = timedelta(hours=24)


def entry_id(site: str, action_id: str) -> str:
    """Return the id of the one entry that an outcome of a site makes: 32 hexadecimal digits."""
    return hashlib.sha256(f"{LIST}\0{site}\0{action_id}".encode()).digest()[:16].hex()
