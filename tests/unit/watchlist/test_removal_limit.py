import pytest

from anpr.runtime.errors import AnprError
from anpr.watchlist.removal_limit import RemovalLimit


@pytest.mark.parametrize(
    ("before", "removed", "after", "must"),
    [
        (1000, 200, 800, False),
        (1000, 201, 799, True),
        (1000, 1000, 5000, True),
        (10, 9, 1, False),  # few enough for a person to check
        (10, 10, 1, True),
        (1, 1, 0, True),
        (0, 0, 0, False),
    ],
)
def test_a_large_share_or_all_of_a_list_must_be_confirmed_by_its_number(
    before: int, removed: int, after: int, must: bool
) -> None:
    assert RemovalLimit(0.2).must_be_confirmed(before, removed, after) == must
    RemovalLimit(0.2, confirmed_removals=removed).check("stolen", before, removed, after)
    with pytest.raises(AnprError, match="would be removed"):
        RemovalLimit(0.2, confirmed_removals=removed + 1).check("stolen", before, removed, after)
    if must:
        with pytest.raises(AnprError) as refused:
            RemovalLimit(0.2).check("stolen", before, removed, after)
        assert f"--confirm-removals {removed}" in refused.value.next_step
