"""Makes a plan: the changes that a file would make on a list, for a person to check first."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct, field

from anpr.contracts.events import NO_GENERATION, Entry, Generation
from anpr.runtime.plurals import counted
from anpr.watchlist.alert_cost import Cost
from anpr.watchlist.changes import changes_between
from anpr.watchlist.csv_file import ListFile
from anpr.watchlist.entry_identity import replaced_by_district
from anpr.watchlist.list_context import ListContext
from anpr.watchlist.list_format import ListFormat
from anpr.watchlist.removal_limit import RemovalLimit
from anpr.watchlist.retrospective import Retrospective
from anpr.watchlist.validity import changes_of_days, validity_in_words, validity_of_all

# Raise it when a field of the plan changes its meaning. A plan of another format must be made again.
FORMAT = 2
MAX_FAULTS_SHOWN = 100
_SAMPLED_OF_EACH = 5
_NOT_FROM_THE_FILE = {"entry_id", "revision", "list"}


class RefusedLine(Struct, frozen=True):
    """The fault of one field of a refused line. A line with several faults occurs several times."""

    line: int
    field: str
    value: str
    reason: str


class SampledChange(Struct, frozen=True):
    """One of the changes: `kind` is added, changed or removed; `fields` are those that would change."""

    kind: str = field(name="what")
    entry_id: str
    plate: str
    fields: tuple[str, ...] = ()


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file, the state of the list that it was planned against, and the changes that it would make.

    Attributes:
        planned_against: The generation that last changed the list, 0.0 when there is no such list.
        is_first_list: Whether Redis held no list at all.
        expired: How many lines had ended at `made_at`: they are not applied.
        never_rings: How many entries are valid, but no read can match them: `warnings` says why.
        columns: The headers that the file has for our columns, where they were named.
        valid_until: The end of the lines without one, "" when none was given.
        removed_as_refused: How many entries would be removed because their line is refused.
        validity: The first and the last day on which any of the entries is valid, in words.
        sampled_validities: By entry id the same of each entry in `sample` that is added or changed.
        confirm_removals: The number that `apply` must be given, None when the removals need no confirmation.
    """

    format: int = FORMAT
    list: str
    file: str
    encoding: str
    file_sha256: str
    made_at: datetime
    made_by: str
    planned_against: Generation = field(name="base")
    is_first_list: bool = field(name="begins")
    entries_before: int
    entries_after: int
    added: int
    changed: int
    removed: int
    unchanged: int
    expired: int
    duplicates: int
    refused: int
    removed_as_refused: int
    never_rings: int = 0
    confirm_removals: int | None
    warnings: tuple[str, ...]
    refused_lines: tuple[RefusedLine, ...] = field(name="refusals")
    sample: tuple[SampledChange, ...]
    cost: Cost | None = None
    retrospective: Retrospective | None = None
    columns: Mapping[str, str] = {}
    valid_until: str = ""
    validity: str = ""
    sampled_validities: Mapping[str, str] = {}

    @property
    def list_format(self) -> ListFormat:
        """How to read the file again."""
        return ListFormat(self.encoding, self.columns, self.valid_until)


class PlannedFile(Struct, frozen=True):
    """The file of a plan, how to read it, who planned it, and what it was checked against, when."""

    file: str
    list_format: ListFormat
    made_by: str
    context: ListContext


class ActiveList(Struct, frozen=True):
    """The list that a plan is made against: its last generation, and its entries by id."""

    generation: Generation
    is_first_list: bool
    entries: Mapping[str, Entry]


def unexpired_entries(content: ListFile, moment: datetime) -> list[Entry]:
    """Return the entries of a file whose validity has not ended."""
    return [entry for entry in content.entries if entry.valid_until > moment]


def make_plan(
    list_name: str, content: ListFile, source: PlannedFile, active_list: ActiveList, removal_limit: RemovalLimit
) -> Plan:
    """Return the plan to replace a list by this file."""
    planned_entries = unexpired_entries(content, source.context.at)
    changes = changes_between(active_list.entries, planned_entries, NO_GENERATION)
    added = [entry for entry in changes.put if entry.entry_id not in active_list.entries]
    changed = [entry for entry in changes.put if entry.entry_id in active_list.entries]
    removed_as_refused = sum(entry_id in content.refused_ids for entry_id in changes.removed)
    must_confirm = removal_limit.must_be_confirmed(
        len(active_list.entries), len(changes.removed), len(planned_entries)
    )
    warnings = list(content.warnings)
    if removed_as_refused:
        entries = counted(removed_as_refused, "active entry", "active entries")
        warnings.append(f"{entries} would be removed because the line is refused")
    if replaced := replaced_by_district(added, active_list.entries, changes.removed):
        warnings.append(_new_ids(replaced))
    warnings += changes_of_days(active_list.entries, changed)
    return Plan(
        list=list_name,
        file=source.file,
        encoding=source.list_format.encoding,
        file_sha256=content.sha256,
        made_at=source.context.at,
        made_by=source.made_by,
        planned_against=active_list.generation,
        is_first_list=active_list.is_first_list,
        entries_before=len(active_list.entries),
        entries_after=len(planned_entries),
        added=len(added),
        changed=len(changed),
        removed=len(changes.removed),
        unchanged=len(planned_entries) - len(changes.put),
        expired=len(content.entries) - len(planned_entries) + content.superseded,
        never_rings=content.never_rings,
        duplicates=content.duplicates,
        refused=content.refused,
        removed_as_refused=removed_as_refused,
        confirm_removals=len(changes.removed) if must_confirm else None,
        warnings=tuple(warnings),
        refused_lines=tuple(
            RefusedLine(fault.line, fault.field, fault.value, fault.reason)
            for fault in content.faults[:MAX_FAULTS_SHOWN]
        ),
        columns=source.list_format.headers,
        valid_until=source.list_format.valid_until,
        validity=validity_of_all(planned_entries),
        sampled_validities={
            entry.entry_id: validity_in_words(entry)
            for entry in (*added[:_SAMPLED_OF_EACH], *changed[:_SAMPLED_OF_EACH])
        },
        sample=_sample(active_list.entries, added, changed, changes.removed),
    )


def _new_ids(replaced: Sequence[Entry]) -> str:
    plates = ", ".join(repr(entry.plate) for entry in replaced[:_SAMPLED_OF_EACH])
    more = ", ..." if len(replaced) > _SAMPLED_OF_EACH else ""
    count = "1 entry gets" if len(replaced) == 1 else f"{len(replaced)} entries get"
    return (
        f"{count} a new id, which counts as removed and added ({plates}{more}): these letters and digits can be of "
        "several districts, so the id now includes the district that the gap shows. Open incidents of the old ids "
        "are withdrawn, and the next read raises new ones"
    )


def _sample(
    before: Mapping[str, Entry], added: Sequence[Entry], changed: Sequence[Entry], removed: Sequence[str]
) -> tuple[SampledChange, ...]:
    """Return the first changes of each kind."""
    return (
        *(SampledChange("added", entry.entry_id, entry.plate) for entry in added[:_SAMPLED_OF_EACH]),
        *(
            SampledChange("changed", entry.entry_id, entry.plate, _differing_fields(before[entry.entry_id], entry))
            for entry in changed[:_SAMPLED_OF_EACH]
        ),
        *(SampledChange("removed", entry_id, before[entry_id].plate) for entry_id in removed[:_SAMPLED_OF_EACH]),
    )


def _differing_fields(before: Entry, after: Entry) -> tuple[str, ...]:
    names = (name for name in msgspec.structs.asdict(after) if name not in _NOT_FROM_THE_FILE)
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))
