"""The auditor's page: who did what, newest first, over all consoles and history services of the site's machine.

What is asked for comes by a form, because a plate must not be in an address. Reading is recorded, too.
"""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from anpr.audit.query import AuditQuery
from anpr.audit.record import OPERATIONS
from anpr.console.auth.audit_form import SHOWN_DAYS, AuditForm, AuditFormError, filled_in, last_days, query_of
from anpr.console.auth.audit_trail import AuditTrail
from anpr.console.auth.authentication import SignedIn
from anpr.console.auth.failed_sign_in_runs import last_of_each_run
from anpr.console.board.site_view import SiteView
from anpr.console.http.page_renderer import PageRenderer

# Among these the page looks for failed ones.
MOST_SIGN_INS: Final = 5000


async def page(_: Request, who: SignedIn, *, view: SiteView, audit: AuditTrail, renderer: PageRenderer) -> Response:
    """Show what was done in the last days, and the sign-ins that failed."""
    form = last_days(view.now(), view.zone)
    query = query_of(form, view.zone)
    await audit.record(who, "audit log")
    sign_ins = msgspec.structs.replace(query, operation="sign-in")
    failed = await audit.find(who, sign_ins, page_records=MOST_SIGN_INS)
    found = await audit.find(who, query)
    return renderer.page(
        "audit.html",
        who,
        form=form,
        kinds=OPERATIONS,
        found=found,
        failed=last_of_each_run(failed.records),
        failed_days=SHOWN_DAYS,
    )


async def search(
    request: Request, who: SignedIn, *, view: SiteView, audit: AuditTrail, renderer: PageRenderer
) -> Response:
    """Show the records that fit a form."""
    form = filled_in({field: str(value) for field, value in (await request.form()).items()})
    try:
        query = query_of(form, view.zone)
    except AuditFormError as error:
        values = {"error": str(error), "error_field": error.field}
        return renderer.page("audit.html", who, 400, form=form, kinds=OPERATIONS, **values)
    await audit.record(who, "audit log", plate=form.vehicle, details=_asked(form, query))
    found = await audit.find(who, query, form.after)
    return renderer.page("audit.html", who, form=form, kinds=OPERATIONS, found=found)


def _asked(form: AuditForm, query: AuditQuery) -> dict[str, str]:
    asked = {"person": query.user, "kind": query.operation, "since": form.since, "until": form.until}
    return {name: value for name, value in asked.items() if value}
