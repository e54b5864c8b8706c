"""The table of roles and their permissions. Every page names the permission that it needs; a test tries each role."""

from typing import Final

SIGN_OUT: Final = "sign out"
SEE_BOARD: Final = "see the board"
SEE_INCIDENT: Final = "open incidents"
ACT: Final = "act on incidents"
TAKE_OVER: Final = "act on incidents that others have claimed"
SEARCH_VEHICLES: Final = "look vehicles up"
EXPORT_VEHICLES: Final = "export what a look-up finds"
SEE_HEALTH: Final = "see the health of the system"
ACKNOWLEDGE_LOSSES: Final = "acknowledge deleted reads"
SEE_AUDIT: Final = "read the audit log"

ROLES: Final = {
    "officer": frozenset({SIGN_OUT, SEE_BOARD, SEE_INCIDENT, ACT, SEARCH_VEHICLES, SEE_HEALTH}),
    "supervisor": frozenset(
        {
            *(SIGN_OUT, SEE_BOARD, SEE_INCIDENT, ACT, TAKE_OVER, SEE_HEALTH, ACKNOWLEDGE_LOSSES),
            *(SEARCH_VEHICLES, EXPORT_VEHICLES),
        }
    ),
    "operator": frozenset({SIGN_OUT, SEE_HEALTH, ACKNOWLEDGE_LOSSES}),
    "auditor": frozenset({SIGN_OUT, SEE_INCIDENT, SEE_AUDIT, SEE_HEALTH}),
}
_FIRST_PAGES: Final = {"officer": "/", "supervisor": "/", "operator": "/health", "auditor": "/audit"}


def first_page(role: str) -> str:
    """Return where a user of the role comes after sign-in."""
    return _FIRST_PAGES.get(role, "/health")


def has_permission(role: str, permission: str) -> bool:
    """Tell whether the role has the permission. An unknown role has none."""
    return permission in ROLES.get(role, frozenset())
