"""The table of everything that is kept names each setting of a retention, and the page shows what the code says."""

from pathlib import Path

import msgspec

from anpr.runtime.kept_data import settings_named, table
from anpr.runtime.settings import RetentionSettings, Settings

PAGE = Path(__file__).parents[3] / "docs" / "data-protection.md"


def test_the_page_for_data_protection_has_the_table_of_the_code() -> None:
    assert table() in PAGE.read_text("utf-8"), f"put this table there:\n{table()}"


def test_every_setting_of_a_retention_is_in_the_table() -> None:
    sections = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    retentions = {
        f"{section}.{field.name}"
        for section, default in sections.items()
        if isinstance(default, msgspec.Struct)
        for field in msgspec.structs.fields(default)
        if "retention" in field.name or "keep_previous_hours" in field.name or isinstance(default, RetentionSettings)
    }
    assert settings_named() == retentions
