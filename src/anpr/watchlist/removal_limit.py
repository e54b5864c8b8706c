"""What keeps a list from being emptied by half a file."""

from dataclasses import dataclass

from anpr.runtime.errors import AnprError

# Fewer removals than this are looked at one by one, so they need no guard however short the list is.
FREE_REMOVALS = 10


@dataclass(frozen=True, slots=True)
class RemovalLimit:
    """Lets a share of a list be removed; more, or all of it, only when the very number was named."""

    share: float
    confirmed: int | None = None

    def must_be_confirmed(self, before: int, removed: int, after: int) -> bool:
        """Tell whether so many removals are more than go without being named."""
        return (removed > 0 and after == 0) or (removed >= FREE_REMOVALS and removed > self.share * before)

    def check(self, list_name: str, before: int, removed: int, after: int) -> None:
        """Raise AnprError when the change removes more than was confirmed."""
        if self.confirmed is None and not self.must_be_confirmed(before, removed, after):
            return
        if self.confirmed != removed:
            raise AnprError(
                "watchlist-removals",
                f"{removed} of the {before} entries of {list_name!r} would be removed, "
                + ("and nothing would be left" if after == 0 else f"more than a share of {self.share:g}")
                + (f"; confirmed were {self.confirmed}" if self.confirmed is not None else "")
                + "; nothing was changed",
                f"look at what would go; if it is meant, name the number: --confirm-removals {removed}",
            )
