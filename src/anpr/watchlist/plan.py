"""What a file would change of a list, as a document that a person looks at before it is applied."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from anpr.contracts.events import NO_GENERATION, Entry, Generation
from anpr.watchlist.changes import between
from anpr.watchlist.cost import Cost
from anpr.watchlist.csv_file import ListFile
from anpr.watchlist.removal_limit import RemovalLimit

# Changed when what is below changes its meaning: a plan of another format is made again.
FORMAT = 2
MAX_REFUSALS_SHOWN = 100
_SAMPLED_OF_EACH = 5
_NOT_ITS_OWN = {"entry_id", "revision", "list"}


class RefusedLine(Struct, frozen=True):
    """What is wrong with one field of a line that would be left out; a line may be there several times."""

    line: int
    field: str
    value: str
    reason: str


class SampledChange(Struct, frozen=True):
    """One of the changes: `what` is added, changed or removed; `fields` are those that would say something else."""

    what: str
    entry_id: str
    plate: str
    fields: tuple[str, ...] = ()


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which file was planned against which state of which list, and what it would change.

    `base` is the generation that last changed the list, 0.0 when there is no such list. `begins` tells that Redis
    held no list at all. `expired` counts lines whose validity had ended at `made_at`: they are not put in force.
    `removed_as_refused` counts removals of entries whose line is in the file but was refused.
    """

    format: int = FORMAT
    list: str
    file: str
    encoding: str
    file_sha256: str
    made_at: datetime
    made_by: str
    base: Generation
    begins: bool
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
    confirm_removals: int | None
    warnings: tuple[str, ...]
    refusals: tuple[RefusedLine, ...]
    sample: tuple[SampledChange, ...]
    cost: Cost | None = None


class Source(Struct, frozen=True):
    """Where a plan comes from: the file, how it is written, who planned it and when."""

    file: str
    encoding: str
    made_by: str
    made_at: datetime


class Base(Struct, frozen=True):
    """What a plan is against: the list as it is in force."""

    generation: Generation
    begins: bool
    entries: Mapping[str, Entry]


def in_force_at(content: ListFile, moment: datetime) -> list[Entry]:
    """Return the entries of a file whose validity has not ended."""
    return [entry for entry in content.entries if entry.valid_until > moment]


def make_plan(list_name: str, content: ListFile, source: Source, base: Base, guard: RemovalLimit) -> Plan:
    """Return the plan of putting this file in force as the whole of a list."""
    wanted = in_force_at(content, source.made_at)
    changes = between(base.entries, wanted, NO_GENERATION)
    added = [entry for entry in changes.put if entry.entry_id not in base.entries]
    changed = [entry for entry in changes.put if entry.entry_id in base.entries]
    removed_as_refused = sum(entry_id in content.refused_ids for entry_id in changes.removed)
    must_confirm = guard.must_be_confirmed(len(base.entries), len(changes.removed), len(wanted))
    warnings = list(content.warnings)
    if removed_as_refused:
        warnings.append(f"{removed_as_refused} entries in force would be removed because their line is refused")
    return Plan(
        list=list_name,
        file=source.file,
        encoding=source.encoding,
        file_sha256=content.sha256,
        made_at=source.made_at,
        made_by=source.made_by,
        base=base.generation,
        begins=base.begins,
        entries_before=len(base.entries),
        entries_after=len(wanted),
        added=len(added),
        changed=len(changed),
        removed=len(changes.removed),
        unchanged=len(wanted) - len(changes.put),
        expired=len(content.entries) - len(wanted),
        duplicates=content.duplicates,
        refused=content.refused,
        removed_as_refused=removed_as_refused,
        confirm_removals=len(changes.removed) if must_confirm else None,
        warnings=tuple(warnings),
        refusals=tuple(
            RefusedLine(one.line, one.field, one.value, one.reason) for one in content.refusals[:MAX_REFUSALS_SHOWN]
        ),
        sample=(
            *(SampledChange("added", one.entry_id, one.plate) for one in added[:_SAMPLED_OF_EACH]),
            *(
                SampledChange("changed", one.entry_id, one.plate, _differing(base.entries[one.entry_id], one))
                for one in changed[:_SAMPLED_OF_EACH]
            ),
            *(
                SampledChange("removed", entry_id, base.entries[entry_id].plate)
                for entry_id in changes.removed[:_SAMPLED_OF_EACH]
            ),
        ),
    )


def _differing(before: Entry, after: Entry) -> tuple[str, ...]:
    names = (name for name in msgspec.structs.asdict(after) if name not in _NOT_ITS_OWN)
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))
