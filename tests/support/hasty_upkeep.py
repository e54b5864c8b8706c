"""Runs an `anpr` command as `tests.campaign.jumping_clock` does. What it does each hour it does each second."""

from tests.campaign.jumping_clock import let_clock_jump


def main() -> None:
    """Set the clock, then the intervals, then run."""
    let_clock_jump()
    from anpr.audit import upkeep  # noqa: PLC0415  after the clock is set
    from anpr.console import image_retention  # noqa: PLC0415
    from anpr.entrypoint import main as run  # noqa: PLC0415
    from anpr.history import sweeper  # noqa: PLC0415

    upkeep.HOUR_SECONDS = upkeep.KEEP_SECONDS = sweeper.SECONDS_BETWEEN_SWEEPS = 1.0  # type: ignore[misc]
    image_retention.sweep_images.__defaults__ = (1.0,)
    run()


if __name__ == "__main__":
    main()
