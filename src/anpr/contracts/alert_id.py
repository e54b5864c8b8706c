"""The id of an alert: the same from every matcher, so that a repeated alert counts once."""

import hashlib


def alert_id(site: str, read_id: str, entry_id: str) -> str:
    """Return the id of the one alert that this read and this entry can raise: 32 hexadecimal digits."""
    return hashlib.sha256(f"{site}\0{read_id}\0{entry_id}".encode()).digest()[:16].hex()
