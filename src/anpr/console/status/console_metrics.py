"""What a console shows of itself in its metrics: how fresh its screens are, and who looks at them. Nothing covert."""

from anpr.console.board.board_page import PageHead
from anpr.console.status.system_status import SystemStatus
from anpr.runtime import metrics


def tell(sight: SystemStatus, head: PageHead) -> None:
    """Show how everybody's page stands: `sight` and `head` are of those without the right to what is covert."""
    metrics.CONSOLE_FAULTS.set(len(head.warnings))
    for section, count in head.by_section.items():
        metrics.CONSOLE_INCIDENTS.labels(section).set(count)
    for health in sight.health:
        heard_at = health.heard_at
        metrics.CONSOLE_LAST_STATUS.labels(health.site).set(heard_at.timestamp() if heard_at is not None else 0)
    for site, last in sight.canaries.items():
        metrics.CONSOLE_CANARY_SENT.labels(site).set(last.sent_at.timestamp())
        metrics.CONSOLE_CANARY_SECONDS.labels(site).set((last.came_at - last.sent_at).total_seconds())
