"""What is known of the health of all sites at one moment. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from anpr.board.camera_liveness import CameraState
from anpr.board.site_health import Canary, SiteHealth


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """Everything by which one can tell a quiet road from a broken system."""

    now: datetime
    opened_at: datetime
    caught_up: bool
    health: tuple[SiteHealth, ...]
    cameras: Mapping[str, Mapping[str, CameraState]]
    canaries: Mapping[str, Canary]
    refused: Mapping[str, int]
    reads_per_second: Mapping[str, float]
    without_cameras: Mapping[str, str]
