"""The conditions under which a change of the watchlist is made. Otherwise nothing is changed."""

from dataclasses import dataclass

from anpr.contracts.events import NO_GENERATION, Generation
from anpr.runtime.errors import AnprError, InputError
from anpr.runtime.nearest import nearest_note
from anpr.watchlist.removal_limit import RemovalLimit
from anpr.watchlist.store.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The conditions that a caller sets for its change.

    Attributes:
        planned_against: The generation that last changed the list; 0.0 when there was no such list, None when any
            generation will do.
        allows_new_list: Whether the change may create the list.
        allows_first_list: Whether Redis may hold no list at all.
        removal_limit: How many entries may be removed; None for any number.
    """

    planned_against: Generation | None = None
    allows_new_list: bool = True
    allows_first_list: bool = True
    removal_limit: RemovalLimit | None = None


NO_PRECONDITIONS = Preconditions()


def check_preconditions(preconditions: Preconditions, list_name: str, manifest: Manifest | None) -> None:
    """Raise AnprError when the watchlist is not in the state that the change requires.

    The removal limit is not checked here: it needs the change itself.
    """
    if manifest is None and not (preconditions.allows_first_list and preconditions.allows_new_list):
        raise AnprError(
            "watchlist-emptied",
            "Redis holds no watchlist at all; nothing was changed",
            "if Redis held lists before, it came back empty: restore it first, because what you put into it now "
            "replaces every list. If this is the first list, add --new-list",
        )
    list_manifest = manifest.lists.get(list_name) if manifest else None
    if list_manifest is None and not preconditions.allows_new_list:
        names = manifest.lists if manifest else ()
        near = nearest_note(list_name, names, "the nearest name is")
        raise InputError(
            "watchlist-no-such-list",
            f"there is no list {list_name!r}{near}; nothing was changed",
            "use the name of an existing list, or add --new-list to create this one",
        )
    generation = list_manifest.generation if list_manifest else NO_GENERATION
    if preconditions.planned_against not in {None, generation}:
        raise AnprError(
            "watchlist-changed-since-plan",
            f"the list {list_name!r} is at generation {generation}, but this change is for generation "
            f"{preconditions.planned_against}; nothing was changed",
            "plan again, and check what would change now",
        )
