"""The files for a deployment fit the configuration, the commands and the metrics. None of them is run here."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from anpr.cli import _COMMANDS, _anpr
from anpr.runtime import metrics
from anpr.runtime.settings_files import load_settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "anpr"}
# The services that run until they are stopped.
RUNNING = {name: service for name, service in OURS.items() if name != "topics"}
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/anpr.json").read_text("utf-8"))
CONFIGURED = load_settings(ROOT / "config", {})
# Metrics of Prometheus and its client library.
NOT_OURS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
LABELS = {label for name in metrics.names() for label in metrics.labels(name)} | {"name", "job", "instance", "le"}


def parsed(command: list[str]) -> dict[str, Any]:
    """Return the options of a command as the command line reads them. Fails if it would refuse them."""
    name, *arguments = command
    with click.Context(_anpr) as above:
        found = _anpr.get_command(above, name)
        assert found is not None, name
        if isinstance(found, click.Group) and arguments and (below := found.get_command(above, arguments[0])):
            found, (name, *arguments) = below, arguments
        return found.make_context(name, list(arguments), parent=above).params


def option(service: dict[str, Any], name: str) -> Any:
    return parsed(service["command"])[name]


def expressions() -> list[str]:
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [*panels, *(rule["expr"] for rule in RULES)]


def test_the_command_line_accepts_the_command_of_every_service() -> None:
    for name, service in OURS.items():
        assert all(isinstance(word, str) for word in service["command"]), name
        assert parsed(service["command"]).get("site", "calais") in CONFIGURED.sites, name
    assert OURS["keep"]["command"][:2] == ["watchlist", "keep"], "entries leave their list when their validity ends"
    with pytest.raises(click.UsageError):
        parsed(["match", "--sites", "calais"])


def test_every_site_has_what_it_needs() -> None:
    commands = [(one["command"][0], option(one, "site")) for name, one in RUNNING.items() if name != "keep"]
    assert len(commands) == len(set(commands))
    with_cameras = {name for name, site in CONFIGURED.sites.items() if site.cameras}
    assert {site for kind, site in commands if kind == "match"} == with_cameras
    assert {site for kind, site in commands if kind == "history"} == with_cameras
    assert {site for kind, site in commands if kind == "back-check"} == with_cameras
    assert {site for kind, site in commands if kind == "meet"} == set(CONFIGURED.arrival_sites)
    assert {site for kind, site in commands if kind == "console"} == set(CONFIGURED.sites)
    assert [kind for kind, _ in commands].count("index") == 1, "one builds the index of a machine"


def test_matchers_have_names_of_their_own() -> None:
    names = [option(service, "name") for service in RUNNING.values() if service["command"][0] == "match"]
    assert len(names) == len(set(names))


def test_the_settings_accept_the_environment_of_every_service() -> None:
    for service in OURS.values():
        load_settings(ROOT / "config", {key: str(value) for key, value in service["environment"].items()})


def test_the_topics_are_made_before_anything_uses_them_and_only_as_configured() -> None:
    assert OURS["topics"]["command"] == ["topics", "--create"]
    assert SERVICES["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    for service in RUNNING.values():
        assert service["depends_on"]["topics"]["condition"] == "service_completed_successfully"
    assert CONFIGURED.topics.replication == 1, "the compose file has one broker"


def test_the_servers_listen_where_the_configuration_looks_for_them_and_on_loopback_only() -> None:
    kafka = SERVICES["kafka"]["environment"]
    assert {f"PLAINTEXT://{site.kafka}" for site in CONFIGURED.sites.values()} == {
        kafka["KAFKA_ADVERTISED_LISTENERS"]
    }
    assert all("://127.0.0.1:" in listener for listener in kafka["KAFKA_LISTENERS"].split(","))
    redis = SERVICES["redis"]["command"]
    address, port = redis[redis.index("--bind") + 1], redis[redis.index("--port") + 1]
    assert {site.redis for site in CONFIGURED.sites.values()} == {f"redis://{address}:{port}/0"}
    assert "--web.listen-address=127.0.0.1:9090" in SERVICES["prometheus"]["command"]
    assert SERVICES["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert CONFIGURED.metrics.host == "127.0.0.1"
    for name, service in SERVICES.items():
        assert service["network_mode"] == "host", name
        assert "ports" not in service, name
    for service in RUNNING.values():
        # A history without --host listens at the address of its site.
        assert (parsed(service["command"]).get("host") or "127.0.0.1") == "127.0.0.1"
    histories = [site.history_endpoint for site in CONFIGURED.sites.values() if site.history]
    assert {host for host, _ in histories} == {"127.0.0.1"}
    assert len(set(histories)) == len([1 for service in RUNNING.values() if service["command"][0] == "history"])


def test_the_broker_allows_the_session_timeout_of_the_settings() -> None:
    least_ms = SERVICES["kafka"]["environment"]["KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS"]
    assert least_ms <= CONFIGURED.matcher.session_timeout_seconds * 1000


def test_every_mounted_file_exists_and_every_volume_is_declared() -> None:
    for name, service in SERVICES.items():
        for mount in service.get("volumes", []):
            source, _, _ = mount.partition(":")
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name}: {source}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {source}"
    assert (ROOT / "config/sites.toml").exists()


def test_prometheus_asks_every_service_under_its_name() -> None:
    (job,) = PROMETHEUS["scrape_configs"]
    assert job["job_name"] == "anpr"
    asked = {one["labels"]["name"]: one["targets"] for one in job["static_configs"]}
    assert asked == {name: [f"127.0.0.1:{option(one, 'metrics_port')}"] for name, one in RUNNING.items()}
    ports = [option(one, "metrics_port") for one in RUNNING.values()]
    ports += [option(one, "port") for one in RUNNING.values() if one["command"][0] == "console"]
    assert len(ports) == len(set(ports))
    for service in RUNNING.values():
        assert f"127.0.0.1:{option(service, 'metrics_port')}/livez" in service["healthcheck"]["test"][-1]


def test_services_have_no_more_rights_than_they_need() -> None:
    for name, service in OURS.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
    assert re.search("^USER anpr$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("expression", expressions())
def test_rules_and_panels_use_metrics_and_labels_that_exist(expression: str) -> None:
    assert expression.count("(") == expression.count(")")
    named = set(re.findall(r"\b(?:anpr|process)_\w+|\bup\b", expression))
    assert named, expression
    assert named <= metrics.names() | NOT_OURS
    grouped = {label.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for label in by.split(",")}
    matched = set(re.findall(r'(\w+)!?=~?"', expression))
    assert grouped | matched <= LABELS


def test_an_undeclared_metric_is_not_among_the_names() -> None:
    assert "anpr_reads_totall" not in metrics.names()
    assert "anpr_reads_total" in metrics.names()


def test_every_alert_says_what_is_wrong_and_what_to_do_with_commands_that_exist() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names)) >= 10
    for rule in RULES:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        text = " ".join(rule["annotations"].values())
        assert set(re.findall(r"`anpr ([a-z-]+)", text)) <= set(_COMMANDS)
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= LABELS


def test_matchers_whose_lists_are_of_two_epochs_differ_though_their_numbers_are_the_same() -> None:
    (expression,) = (rule["expr"] for rule in RULES if rule["alert"] == "GenerationsDiffer")
    for part in ("epoch", "number"):
        assert f"max(anpr_list_generation_{part}) - min(anpr_list_generation_{part}) > 0" in expression


def test_every_panel_has_a_title_and_a_source_that_is_provisioned() -> None:
    (source,) = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/anpr.yml").read_text())["providers"]
    mounts = SERVICES["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in mounts
    assert source["url"] == "http://127.0.0.1:9090"
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["datasource"]["uid"] == source["uid"]
        for target in panel["targets"]:
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= LABELS


def test_the_image_copies_files_that_exist_and_are_not_ignored() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    files = [file for line in copied for file in line.split()]
    not_ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert files
    for file in files:
        assert (ROOT / file).exists()
        assert f"!{file}" in not_ignored
