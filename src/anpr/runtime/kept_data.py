"""Every class of data that the system keeps: where, how long, why, and who sees it. Pure.

docs/data-protection.md holds this table; a test compares them.
"""

from typing import Final, NamedTuple

from anpr.runtime.settings import (
    ImageSettings,
    RetentionSettings,
    TopicSettings,
    WatchlistSettings,
)

_SECTIONS: Final = {
    "images": ImageSettings(),
    "retention": RetentionSettings(),
    "topics": TopicSettings(),
    "watchlist": WatchlistSettings(),
}


class KeptClass(NamedTuple):
    """One class of data. `how_long` may name a setting in braces; the table shows its default and its name."""

    what: str
    where: str
    how_long: str
    why: str
    who: str


KEPT_CLASSES: Final = (
    KeptClass(
        "Images of plates",
        "`images.images_dir` on the machine of the console",
        "{images.images_retention_hours} after the capture",
        "an officer compares the plate with the text before stopping a vehicle",
        "those who may open the incident",
    ),
    KeptClass(
        "Reads on the way",
        "the topic `anpr.S.reads.v1`",
        "{topics.reads_retention_hours} after arrival, and at most a tenth longer",
        "a matcher or a history that was down reads on without a loss",
        "nobody; services",
    ),
    KeptClass(
        "Reads that wait at the gateway",
        "the spool on the gateway's disk",
        "until the broker has them",
        "a camera's read is not lost while the broker is away",
        "nobody; the gateway",
    ),
    KeptClass(
        "Alerts, corrections, actions and arrivals on the way",
        "the topics `anpr.S.alerts.v1`, `anpr.S.actions.v1` and `anpr.S.arrivals.v1`, and covert ones apart",
        "{topics.alerts_retention_hours} after arrival, and at most a tenth longer",
        "every console makes its board of them",
        "officers, on the board",
    ),
    KeptClass(
        "Dead letters",
        "the topic `anpr.S.deadletters.v1`",
        "{topics.deadletters_retention_hours} after arrival, and at most a tenth longer",
        "an engineer repairs what sends records that cannot be matched",
        "engineers with access to the broker",
    ),
    KeptClass(
        "Sightings that matched nothing",
        "history: `sightings`",
        "{retention.sightings_days} after the day of arrival; at most 365 days",
        "a new entry is checked against the past, and a vehicle of interest is traced back",
        "those who may look a vehicle up, each time with a reason",
    ),
    KeptClass(
        "Sightings of alerts",
        "history: `matched`; those that only covert alerts keep: `matched-covert`",
        "{retention.matched_days} after the day of arrival",
        "what led to a stop can be accounted for",
        "those who may look a vehicle up; covert ones only with the covert permission",
    ),
    KeptClass(
        "Alerts, corrections and actions",
        "history: `facts`, and covert ones in `facts-covert`",
        "{retention.matched_days} after the day of arrival",
        "who did what about a vehicle, and why it was stopped",
        "those who may look a vehicle up; covert ones only with the covert permission",
    ),
    KeptClass(
        "Keyed hashes of erased reads",
        "history: `erased`",
        "{retention.matched_days} after the day of arrival of the read",
        "what was erased is not stored again",
        "nobody; they say nothing without the key",
    ),
    KeptClass(
        "How far a back-check is",
        "`<site>/back-check.json` in the folder of the history",
        "one small file, replaced all the time: generations of the lists and offsets of topics, no plate",
        "a search for new entries goes on after a restart",
        "nobody; services",
    ),
    KeptClass(
        "Audit records",
        "the chains in `audit.folder` of each machine",
        "{retention.audit_days} after their day",
        "whoever looked something up, changed or deleted it can be asked why (section 62 of the Act)",
        "auditors; covert records only with the covert permission",
    ),
    KeptClass(
        "Heads of audit chains",
        "the topic `anpr.S.audit-heads.v1`; the consoles of the other sites: `heads` in `audit.folder`",
        "{topics.audit_heads_retention_hours} on the topic; consoles keep them: they hold no personal data",
        "a chain that was cut off or written anew is found out",
        "those who may verify",
    ),
    KeptClass(
        "Entries of the watchlist",
        "Redis, and the index of each machine",
        "until the end that each entry must have, or until its owner removes it; of a turned away vehicle 24 hours. "
        "The index's file loses its text at most {watchlist.keep_previous_hours} later",
        "they are what reads are compared with",
        "operators; officers, of the incidents that they open",
    ),
    KeptClass(
        "Previous states of a list, and notes of ended entries",
        "Redis",
        "{watchlist.keep_previous_hours}; the notes {topics.alerts_retention_hours}",
        "a wrong change is rolled back; incidents of an ended entry are withdrawn",
        "operators",
    ),
    KeptClass(
        "How many reads of a calibrated camera had each confidence",
        "Redis, the index of each machine, and the file of `anpr calibration learn`",
        "until somebody removes it: counts, with no plate and no time of a read",
        "a score means the same for each camera",
        "operators; on the Health page everybody, how many reads they were",
    ),
    KeptClass(
        "List files and plan files",
        "where the operator put them",
        "until the operator deletes them: no program of ours does",
        "a change is checked before it is applied",
        "operators",
    ),
)


def _shown(how_long: str) -> str:
    """Return the text with each setting in braces as its default and its name."""
    *parts, last = how_long.split("}")
    shown = []
    for part in parts:
        before, name = part.split("{")
        section, key = name.split(".")
        shown.append(f"{before}{getattr(_SECTIONS[section], key):g} {key.rpartition('_')[2]} (`{name}`)")
    return "".join([*shown, last])


def table() -> str:
    """Return the classes as a table in Markdown."""
    rows = [
        f"| {row.what} | {row.where} | {_shown(row.how_long)} | {row.why} | {row.who} |\n" for row in KEPT_CLASSES
    ]
    return "| what | where | how long | why | who sees it |\n|---|---|---|---|---|\n" + "".join(rows)


def settings_named() -> set[str]:
    """Return the settings that say how long something is kept, by their names in `anpr.toml`."""
    return {part.split("{")[1] for row in KEPT_CLASSES for part in row.how_long.split("}")[:-1]}
