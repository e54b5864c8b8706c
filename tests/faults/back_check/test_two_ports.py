"""Two ports, each with a broker and a Redis of its own: what one has seen helps the other as soon as it is listed."""

from urllib.parse import urlsplit

import redis
from confluent_kafka.admin import AdminClient

from anpr.board.board_feed import BoardFeed
from anpr.contracts import topics
from anpr.contracts.events import Alert
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.topic_admin import create_topics, specs_by_address
from anpr.local.group_progress import group_progress
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from anpr.runtime.clock import system_clock
from anpr.runtime.settings_files import load_settings
from tests.support.entries import entry, read_line
from tests.support.installation import Installation
from tests.support.servers import OwnServers


def follow(replica: ValkeyServer, home: str) -> None:
    """Let a Redis follow the list's home."""
    address = urlsplit(home)
    with redis.Redis.from_url(replica.url) as client:
        client.replicaof(str(address.hostname), str(address.port))


def passes(it: Installation, site: str, read_id: str) -> None:
    """Let a camera of a site see the vehicle."""
    producer = KafkaProducer(it.settings.sites[site].kafka)
    producer.produce(topics.reads(site), "camera-1", read_line(read_id, site, "AB12 CDE"))
    assert wait_until(lambda: producer.flush(1) == 0, 60)


def shown(feed: BoardFeed, site: str) -> dict[str, str]:
    """Return, by read, the kind of each alert that a board shows of a site."""
    feed.fold_new_records(0.1)
    incidents = feed.board.incidents(system_clock())
    alerts: list[Alert] = [alert for one in incidents if one.site == site for alert in one.alerts]
    return {alert.read.read_id: alert.kind for alert in alerts}


def test_a_port_that_was_cut_off_from_the_list_finds_what_has_passed_once_it_has_the_list(
    installation: Installation, own_servers: OwnServers
) -> None:
    it = installation
    here, there, _ = it.sites
    home = it.settings.sites[here].redis
    follow(own_servers.redis, home)
    it.environment |= {
        f"ANPR_SITES__{there.upper()}__KAFKA": own_servers.kafka.bootstrap,
        f"ANPR_SITES__{there.upper()}__REDIS": own_servers.redis.url,
    }
    it.settings = load_settings(it.config, it.environment)
    other_broker = it.settings.sites[there].kafka
    assert other_broker != it.settings.sites[here].kafka
    create_topics(AdminClient({"bootstrap.servers": other_broker}), specs_by_address(it.settings)[other_broker])

    it.store.apply("stolen", [entry("other", "KL34 XYZ")], "test", system_clock())
    it.start("index", "index", "--site", there)
    for name in ("history", "back-check"):
        it.start(name, name, "--site", there)
    it.start("matcher", "match", "--site", there, "--name", "matcher")
    passes(it, there, "before it was listed")
    feed, reads = it.open_feed(), (f"anpr-match-{there}", [topics.reads(there)])
    assert wait_until(lambda: group_progress(other_broker, *reads) == (1, 1), 60), "it has the first list"

    own_servers.redis.stop()
    it.store.apply("stolen", [entry("other", "KL34 XYZ"), entry("new", "AB12 CDE")], "test", system_clock())
    passes(it, there, "while the port was cut off")
    assert wait_until(lambda: group_progress(other_broker, *reads) == (2, 2), 60)
    assert shown(feed, there) == {}
    own_servers.redis.start()
    follow(own_servers.redis, home)
    both = dict.fromkeys(("before it was listed", "while the port was cut off"), "retrospective")
    assert wait_until(lambda: shown(feed, there) == both, 120), shown(feed, there)
    assert it.alerts([there]) == [], "they are on the broker of their own port alone"

    passes(it, there, "now")
    assert wait_until(lambda: shown(feed, there) == both | {"now": "live"}, 60), shown(feed, there)
