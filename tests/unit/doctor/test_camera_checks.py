"""The doctor names cameras that the configuration does not, and configured cameras that make no reads."""

from datetime import timedelta

from anpr.contracts.events import Status, UnknownCamera
from anpr.doctor.camera_checks import judge_cameras
from anpr.runtime.settings import Camera, Site
from tests.support.strategies import NOON

SITES = {
    "calais": Site(
        "Calais", "k", "r", (Camera("calais-1-front", "1", "front"), Camera("calais-1-rear", "1", "rear"))
    ),
    "dover": Site("Dover", "k", "r"),
}
BOTH = {"calais-1-front": NOON, "calais-1-rear": NOON}


def a_status(matcher: str = "m", **fields: object) -> Status:
    given = {"site": "calais", "matcher": matcher, "at": NOON, "started_at": NOON, "cameras": BOTH} | fields
    return Status(**given)  # type: ignore[arg-type]


def found(*statuses: Status, site: str = "calais") -> list[tuple[str, str]]:
    findings = judge_cameras(site, SITES, statuses, NOON + timedelta(minutes=2))
    return [(finding.state, finding.message) for finding in findings]


def test_while_each_camera_makes_reads_and_no_other_does_all_is_well() -> None:
    assert found(a_status()) == [("well", "each of 2 makes reads, and no other does")]
    assert found() == []


def test_an_unknown_camera_is_named_once_for_all_matchers_with_the_nearest() -> None:
    statuses = [
        a_status(name, unknown_cameras={"Calais-1-rear": UnknownCamera(reads=600, last_read_at=NOON)})
        for name in ("one", "two")
    ]
    message = (
        "camera 'Calais-1-rear' is not in the configuration: 1,200 reads, the last 2 minutes ago; "
        "the nearest is 'calais-1-rear'. Its reads are matched"
    )
    assert found(*statuses) == [("wrong", message)]


def test_of_many_unknown_cameras_those_with_the_most_reads_are_named() -> None:
    unknown = {f"cam{number}": UnknownCamera(reads=number, last_read_at=NOON) for number in range(20)}
    findings = found(a_status(unknown_cameras=unknown))
    assert len(findings) == 6
    assert "camera 'cam19'" in findings[0][1]
    assert findings[-1] == ("wrong", "15 more camera names are not in the configuration")


def test_a_site_without_cameras_whose_matcher_gets_reads_is_named() -> None:
    unknown = {"dover-1": UnknownCamera(reads=1, last_read_at=NOON)}
    [(state, message)] = found(a_status(cameras={}, unknown_cameras=unknown), site="dover")
    assert state == "wrong"
    assert "the configuration has no camera at this site" in message


def test_a_configured_camera_without_a_read_is_named_when_many_vehicles_have_passed() -> None:
    front = {"calais-1-front": NOON}
    assert found(a_status(cameras=front, reads=499)) == []
    [(state, message)] = found(a_status(cameras=front, reads=500))
    assert (state, message) == ("note", "no read since the matchers started: calais-1-rear")
    other = a_status("two", cameras={"calais-1-rear": NOON}, reads=500)
    assert found(a_status(cameras=front, reads=500), other)[0][0] == "well"
