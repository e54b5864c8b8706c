"""The percentiles of latencies, and how they compare with those of the echo in the same rounds. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from hdrh.histogram import HdrHistogram

from benchmarks.ratios import interval

SHARES: Final = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9, "max": 100.0}
_COMPARED: Final = ("p50", "p99")
_LONGEST_US: Final = 600_000_000
_DIGITS: Final = 3


class Round(NamedTuple):
    """The seconds from the moment a read was due: until its alert was there, and until its echo was."""

    alert: Sequence[float]
    echo: Sequence[float]


def compared(rounds: Sequence[Round]) -> dict[str, object]:
    """Return the percentiles of all rounds, and the ratios of alert to echo: the median of the rounds' own ratios."""
    figures: dict[str, object] = {}
    for name, of_all in (("alert_ms", [of.alert for of in rounds]), ("echo_ms", [of.echo for of in rounds])):
        figures[name] = percentiles([seconds for of_round in of_all for seconds in of_round])
    of_rounds = [(percentiles(of.alert), percentiles(of.echo)) for of in rounds]
    for name in _COMPARED:
        ratios = [alert[name] / echo[name] for alert, echo in of_rounds]
        figures[f"{name}_times_echo"] = {part: round(of, 2) for part, of in interval(ratios)._asdict().items()}
    return figures


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return milliseconds, right to three digits."""
    histogram = HdrHistogram(1, _LONGEST_US, _DIGITS)
    for value in seconds:
        histogram.record_value(min(_LONGEST_US, max(1, round(value * 1e6))))
    values = histogram.get_percentile_to_value_dict(list(SHARES.values()))
    return {name: values[share] / 1000 for name, share in SHARES.items()}
