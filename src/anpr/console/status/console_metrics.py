"""Sets a console's metrics: how fresh its page is, and how many incidents are open. Nothing covert."""

from anpr.console.board.board_page import PageHead
from anpr.console.status.system_status import SystemStatus
from anpr.runtime import metrics


def set_metrics(status: SystemStatus, head: PageHead) -> None:
    """Set the metrics from the status and the page that everybody may see."""
    metrics.CONSOLE_FAULTS.set(len(head.warnings))
    for section, count in head.by_section.items():
        metrics.CONSOLE_INCIDENTS.labels(section).set(count)
    for site in status.health:
        metrics.CONSOLE_LAST_STATUS.labels(site.site).set(
            site.heard_at.timestamp() if site.heard_at is not None else 0
        )
    for name, losses in status.losses.items():
        metrics.CONSOLE_LOSSES.labels(name).set(len(losses.unacknowledged))
    for name, canary in status.canaries.items():
        metrics.CONSOLE_CANARY_SENT.labels(name).set(canary.sent_at.timestamp())
        metrics.CONSOLE_CANARY_SECONDS.labels(name).set((canary.came_at - canary.sent_at).total_seconds())
