"""Times as the pages show them: in the site's own time zone, which is named each time. Pure.

The board shows the day of the week, because it holds three days. Everything that is stored or sent stays in UTC.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo

from anpr.contracts.moments import local_time

# Writes a moment for officers.
FormatTime = Callable[[datetime], str]


def day_text(day: date) -> str:
    """Return a day in words. It is the same in every zone."""
    return f"{day.day} {day:%B} {day.year}"


def _in(zone: tzinfo, pattern: str) -> FormatTime:
    return lambda moment: f"{local_time(moment, zone):{pattern}}"


def weekday_time_in(zone: tzinfo) -> FormatTime:
    """Return a format for the board: day of the week and time."""
    return _in(zone, "%a %H:%M:%S %Z")


def date_time_in(zone: tzinfo) -> FormatTime:
    """Return a format for moments long ago or far ahead: date and time."""

    def date(moment: datetime) -> str:
        local = local_time(moment, zone)
        return f"{day_text(local.date())} {local:%H:%M %Z}"

    return date


def log_time_in(zone: tzinfo) -> FormatTime:
    """Return a format for logs: date, and time to the second."""
    return _in(zone, "%d %b %Y %H:%M:%S %Z")


def written_in(zone: tzinfo) -> Callable[[str], str]:
    """Return a format for a text that may be a moment as records hold it: such a moment is written as in logs."""
    second = log_time_in(zone)

    def written(text: str) -> str:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return second(moment) if moment.tzinfo else text

    return written


def day_in(zone: tzinfo) -> FormatTime:
    """Return a format for the headings of days."""

    def day(moment: datetime) -> str:
        local = local_time(moment, zone)
        return f"{local:%A} {day_text(local.date())}"

    return day


def exact_time_in(zone: tzinfo) -> FormatTime:
    """Return a format for moments of a day that is named elsewhere: time to the second."""
    return _in(zone, "%H:%M:%S %Z")


def at_site(zones: Mapping[str, tzinfo], format_in: Callable[[tzinfo], FormatTime]) -> Callable[[datetime, str], str]:
    """Return a format for moments at a site, by its own clock: by UTC for a site without a zone here."""
    formats = {site: format_in(zone) for site, zone in zones.items()}
    in_utc = format_in(UTC)

    def of_site(moment: datetime, site: str) -> str:
        return formats.get(site, in_utc)(moment)

    return of_site


def clock_time_in(zone: tzinfo) -> FormatTime:
    """Return a format for the next hours: the time."""
    return _in(zone, "%H:%M %Z")


def clock_span_in(zone: tzinfo) -> Callable[[datetime, datetime], str]:
    """Return a format for two moments of the next hours: the zone once, unless the clocks change between them."""
    clock = clock_time_in(zone)

    def span(start: datetime, end: datetime) -> str:
        first, last = clock(start), clock(end)
        if first == last:
            return last
        (since, one), (_, other) = first.split(" "), last.split(" ")
        return f"{since if one == other else first} to {last}"

    return span
