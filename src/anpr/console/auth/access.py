"""Decides who may have which page, and whether a form was sent from a page of this console."""

import secrets

from starlette.requests import Request

from anpr.console.auth.authentication import SignedIn


def why_refused(site: str, permission: str, who: SignedIn | None) -> str:
    """Return why the user may not have a page of this site that needs a permission, "" if they may."""
    if who is None:
        return "You are signed out."
    if not who.user.belongs_to(site):
        return "Your account does not have access to this site."
    if not who.may(permission):
        return f"Your role, {who.user.role}, does not allow you to {permission}."
    return ""


def is_own_origin(request: Request) -> bool:
    """Tell whether a form comes from a page of this console. Every browser says so with each form."""
    host = request.headers.get("host")
    return bool(host) and request.headers.get("origin", "").partition("://")[2] == host


async def has_own_csrf(request: Request, who: SignedIn) -> bool:
    """Tell whether a form brings the secret of the user's session."""
    sent = str((await request.form()).get("csrf", ""))
    return secrets.compare_digest(sent.encode(), who.session.csrf.encode())
