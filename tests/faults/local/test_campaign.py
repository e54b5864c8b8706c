"""A slice of the campaign: each kind of fault once, and nothing is lost.

`python -m tests.campaign --faults 1000` is the whole of it. The slice has the same faults each time, so that no
change is refused for a fault that it did not bring; CAMPAIGN_SEED=another seed has others.
"""

import os

from tests.campaign.campaign import Campaign, run
from tests.campaign.schedule import WEIGHTS
from tests.support.installation import Installation
from tests.support.servers import OwnServers


def test_under_faults_of_every_kind_nothing_is_lost(ports: Installation, own_servers: OwnServers) -> None:
    seed = int(os.environ.get("CAMPAIGN_SEED", "9"))
    campaign = Campaign(seed, faults=len(WEIGHTS) + 4, every_seconds=0.8, sites=("calais",))
    # pytest shows what was done when the test fails, and with -s.
    report = run(campaign, ports, own_servers, say=print)
    assert report.done.keys() == WEIGHTS.keys()
    assert report.verdict.expected > 50, "there was something to lose"
    assert report.verdict.is_clean, report
