"""Commands that only read lists run as a Redis user that may only read, and that user cannot change the lists."""

from pathlib import Path

import redis

from anpr.index_store.folder import IndexFolder
from anpr.local.processes import wait_until
from tests.support.calibrations import OFTEN_UNSURE, calibration_file
from tests.support.entries import write_list
from tests.support.installation import Installation

SECRET = "only reads"  # noqa: S105  of a user in tests


def test_a_redis_user_that_may_only_read_can_run_what_reads_and_nothing_that_writes(
    installation: Installation, tmp_path: Path
) -> None:
    it = installation
    listed = write_list(tmp_path / "list.csv", "AB12CDE", "YO10OIL")
    it.apply_list(listed)
    home = it.environment["REDIS_URL"]
    with redis.Redis.from_url(home) as admin:
        admin.acl_setuser(
            "reader", enabled=True, passwords=[f"+{SECRET}"], keys=["anpr:watchlist:*"], categories=["+@read"],
            commands=["+hello", "+client", "+ping", "+select"], reset=True,
        )  # fmt: skip
    it.environment["REDIS_URL"] = home.replace("redis://", f"redis://reader:{SECRET.replace(' ', '%20')}@")

    for reads in (("show",), ("log",), ("export", "--list", "stolen")):
        done = it.run("watchlist", *reads)
        assert done.returncode == 0, done.stderr.decode()
    write_list(listed, "AB12CDE", "YO10OIL", "XY99ZZZ")
    assert it.plan(listed, "stolen").returncode == 0
    it.start_builder()
    assert wait_until((IndexFolder(it.settings.index_dir).path / "current.json").exists, 60)
    it.start("watch", "watch", "--json")
    assert wait_until(lambda: b'"type":"site"' in (it.folder / "watch.log").read_bytes(), 60)
    assert b"does not say" not in (it.folder / "watch.log").read_bytes()

    learned = calibration_file(tmp_path / "learned.json", it.sites[0], {f"{it.sites[0]}-1-front": OFTEN_UNSURE})
    for refused in (it.apply(listed), it.run("calibration", "apply", str(learned), "--why", "test")):
        assert refused.returncode == 3
        said = refused.stderr.decode()
        assert (
            "error: the watchlist's Redis does not permit this: User reader has no permissions to run the '" in said
        )
        assert "docs/errors.md#redis-not-permitted" in said
    assert b"XY99ZZZ" not in it.run("watchlist", "export", "--list", "stolen").stdout
