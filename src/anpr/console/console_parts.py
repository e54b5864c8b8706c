"""The parts of a console that its pages use. The route table hands each page only the parts that it names."""

from dataclasses import dataclass

from anpr.console.actions.submit import ActionSubmitter
from anpr.console.auth.audit_trail import AuditTrail
from anpr.console.auth.authentication import Authentication
from anpr.console.auth.sign_in_service import SignInService
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.site_view import SiteView
from anpr.console.board.stream_broadcast import StreamBroadcast
from anpr.console.http.page_renderer import PageRenderer
from anpr.console.http.routes.plate_image import LoadImage
from anpr.console.status.fresh_status import FreshStatus
from anpr.console.vehicle.console_look_ups import ConsoleLookUps
from anpr.runtime.clock import Clock
from anpr.runtime.images import ImageStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParts:
    """Everything that some page uses.

    Attributes:
        view: How the site sees incidents.
        board: The board as each user may see it.
        actions: Submits what officers do.
        audit: Records look-ups.
        vehicles: Asks every port where a vehicle was.
        images: The images of plates on this machine.
        clock: Tells the time.
        load_image: Finds the image of an alert.
        status: The system's status.
        auth: Finds the user of a request.
        sign_in: Signs people in and out.
        broadcast: Wakes the open streams.
        renderer: Makes pages.
    """

    view: SiteView
    board: BoardAccess
    actions: ActionSubmitter
    audit: AuditTrail
    vehicles: ConsoleLookUps
    images: ImageStore
    clock: Clock
    load_image: LoadImage
    status: FreshStatus
    auth: Authentication
    sign_in: SignInService
    broadcast: StreamBroadcast
    renderer: PageRenderer
