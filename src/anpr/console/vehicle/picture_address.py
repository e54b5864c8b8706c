"""The address of a picture that a look-up has found. It works only in the session for which it was made.

A sighting need not have an incident, so nothing on the board tells whether a person may see its picture. The proof in
the address does: only a page that this console made for this session has it.
"""

import hashlib
import hmac
import secrets

from anpr.console.auth.sessions import Session
from anpr.runtime import images
from anpr.runtime.images import Reference

PATH = "/vehicle/image/{site}/{day}/{name}/{proof}"


def picture_address(reference: Reference, session: Session) -> str:
    """Return the address of a picture for one session."""
    site, day, name = reference
    return PATH.format(site=site, day=day.isoformat(), name=name, proof=_proof(reference, session))


def proven_reference(site: str, day: str, name: str, proof: str, session: Session) -> Reference | None:
    """Return the reference of a picture; None unless this session was given its address."""
    reference = images.parse(f"{site}/{day}/{name}.jpg")
    if reference is None or not secrets.compare_digest(_proof(reference, session).encode(), proof.encode()):
        return None
    return reference


def _proof(reference: Reference, session: Session) -> str:
    return hmac.digest(session.csrf.encode(), f"picture {reference}".encode(), hashlib.sha256).hex()
