"""The cameras that several matchers of a site report as unknown, together. Pure."""

from collections.abc import Iterable

from anpr.contracts.events import Status, UnknownCamera


def unknown_cameras(statuses: Iterable[Status]) -> dict[str, UnknownCamera]:
    """Return by name the unknown cameras of one site's matchers, those with the most reads first."""
    cameras: dict[str, UnknownCamera] = {}
    for status in statuses:
        for name, camera in status.unknown_cameras.items():
            known = cameras.get(name)
            cameras[name] = UnknownCamera(
                reads=camera.reads + known.reads if known else camera.reads,
                last_read_at=max(camera.last_read_at, known.last_read_at) if known else camera.last_read_at,
            )
    return dict(sorted(cameras.items(), key=lambda item: (-item[1].reads, item[0])))
