"""Image references: any text in a read names an image of that site in the folder, or nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from anpr.runtime import images
from anpr.runtime.images import ImageStore

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

site_names = st.from_regex("[a-z0-9-]{1,40}", fullmatch=True)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  just below
# Attempts to reach another file, and texts that are almost a reference.
pieces = st.sampled_from(
    ["..", ".", "/", "//", "\\", "\0", "%2e%2e", "calais", "2026-06-01", "2026-13-01", "a" * 32, ".jpg", ".part", "~"]
)
sites_tried = st.sampled_from(["calais", "..", ".", "../..", "calais/..", "/", "", "Calais", "c\u00e0lais", "a" * 41])
days_tried = st.sampled_from(["2026-06-01", "2026-02-30", "..", "2026-6-1", "\u0662\u0660\u0662\u0666-06-01"])
names_tried = st.sampled_from(["0" * 32, "../../secret", "0" * 31, "A" * 32, "0" * 32 + "\n"])
references_tried = st.builds("{}/{}/{}.jpg".format, sites_tried, days_tried, names_tried)
texts = st.one_of(st.text(), st.lists(pieces, max_size=12).map("".join), references_tried)


@given(text=texts)
def test_no_text_leads_out_of_the_folder(text: str) -> None:
    reference = images.parse(text)
    if reference is not None:
        assert str(reference) == text
        path = Path("/kept/images") / text
        assert path.resolve() == path
        assert len(path.parts) == len(Path("/kept/images").parts) + 3


@given(site=site_names, moment=moments)
def test_only_its_own_site_finds_an_image_by_its_reference(site: str, moment: datetime) -> None:
    with TemporaryDirectory() as folder:
        store = ImageStore(Path(folder), DAY)
        one, other = store.put(site, moment, b"one"), store.put(site, moment, b"other")
        assert one != other
        parsed = images.parse(one)
        assert parsed is not None
        assert (parsed.site, parsed.day, str(parsed)) == (site, moment.date(), one)
        assert (store.get(one, site, moment), store.get(other, site, moment)) == (b"one", b"other")
        assert store.get(one, f"{site}x"[-40:] + "y", moment) is None


@given(text=texts)
def test_a_text_that_is_no_reference_finds_nothing(text: str) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "secret").write_bytes(b"secret")
        store = ImageStore(Path(folder) / "images", DAY)
        store.put("calais", NOON, b"image")
        assert store.get(text, "calais", NOON) is None


@given(ages_hours=st.lists(st.floats(0, 100), max_size=10), retention_hours=st.floats(0.1, 72))
def test_expired_images_are_not_found_and_only_they_are_swept(
    ages_hours: list[float], retention_hours: float
) -> None:
    with TemporaryDirectory() as folder:
        store = ImageStore(Path(folder), timedelta(hours=retention_hours))
        put = [(hours, store.put("calais", NOON - timedelta(hours=hours), b"image")) for hours in ages_hours]
        # At the exact moment either answer is right, because a file's time is a float.
        expired = [reference for hours, reference in put if hours > retention_hours + 0.001]
        kept = [reference for hours, reference in put if hours < retention_hours - 0.001]
        assert all(store.get(reference, "calais", NOON) is None for reference in expired)
        assert len(expired) <= store.sweep(NOON) <= len(put) - len(kept)
        assert store.sweep(NOON) == 0
        assert all(store.get(reference, "calais", NOON) == b"image" for reference in kept)
        files = [file for file in Path(folder).rglob("*.jpg") if file.is_file()]
        assert len(kept) <= len(files) <= len(put) - len(expired)
