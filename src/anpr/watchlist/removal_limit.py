"""The limit on removals, which keeps half a file from emptying a list. Pure."""

from dataclasses import dataclass

from anpr.runtime.errors import AnprError

# A person can check fewer removals than this one by one, so they need no confirmation, however short the list is.
FREE_REMOVALS = 10


@dataclass(frozen=True, slots=True)
class RemovalLimit:
    """Allows the removal of a share of a list. A larger removal needs the exact number as confirmation."""

    max_share: float
    confirmed_removals: int | None = None

    def must_be_confirmed(self, before: int, removed: int, after: int) -> bool:
        """Tell whether this number of removals must be confirmed."""
        return (removed > 0 and after == 0) or (removed >= FREE_REMOVALS and removed > self.max_share * before)

    def check(self, list_name: str, before: int, removed: int, after: int) -> None:
        """Raise AnprError when the change removes more than was confirmed."""
        if self.confirmed_removals is None and not self.must_be_confirmed(before, removed, after):
            return
        if self.confirmed_removals != removed:
            raise AnprError(
                "watchlist-removals",
                f"{removed} of the {before} entries of {list_name!r} would be removed, "
                + ("which empties it" if after == 0 else f"more than {100 * self.max_share:g} %")
                + (f"; {self.confirmed_removals} were confirmed" if self.confirmed_removals is not None else "")
                + "; nothing was changed",
                f"check what would be removed. If it is right, confirm the number: --confirm-removals {removed}",
            )
