"""The Helm chart: rendered by Helm's engine, valid for Kubernetes, and right for the programs in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate.utils import all_versions, validate

from cli.healthcheck import PARTS
from cli.main import main
from core.settings.environment import CoreEnvironment
from core.settings.loader import Environment, load_settings
from dashboard.auth.route_table import HEALTHY as PAGE_HEALTHY
from dashboard.settings import DashboardEnvironment
from exporter.app import HEALTHY, READY
from exporter.settings import ExporterEnvironment
from tests.meta.source import project
from tests.support.helm import CHART, NAMESPACE, RefusedError, lint_messages, notes, rendered

URL = "https://wpp.example.com/ops"
STORE = {"WPPCONNECT_STORE_URL": {"secret": "store", "key": "url"}}
REPLICATED = {"secretSettings": STORE, "exporter": {"replicas": 3}, "page": {"replicas": 2}}
EVERYTHING: dict[str, Any] = {
    "image": {"repository": "registry.example.com/ops", "digest": "sha256:" + "0a" * 32},
    "imagePullSecrets": [{"name": "registry"}],
    "settings": {
        "WPPCONNECT_URL": "http://wppconnect:21465",
        "WPPCONNECT_SESSIONS": "sales,support",
        "WPPCONNECT_SELF_HEALING": True,
        "WPPCONNECT_INTERVAL_SECONDS": 10,
        "EXPORTER_WEB_ENABLE_LIFECYCLE": True,
        "DASHBOARD_EXTERNAL_URL": f"{URL}/",
        "DASHBOARD_TRUSTED_PROXIES": "10.42.0.0/16",
        "DASHBOARD_OIDC_ISSUER": "https://sso.example.com",
        "DASHBOARD_OIDC_CLIENT_ID": "ops",
        "GRAFANA_URL": "https://grafana.example.com",
    },
    "secretSettings": {
        "WPPCONNECT_SECRET_KEY": {"secret": "gateway", "key": "secret-key"},
        "EXPORTER_WEBHOOK_TOKEN": {"secret": "gateway", "key": "webhook-token"},
        "DASHBOARD_OIDC_CLIENT_SECRET": {"secret": "oidc", "key": "client-secret"},
        "ALERTMANAGER_URL": {"secret": "alertmanager", "key": "url"},
        "ALERTMANAGER_BEARER_TOKEN": {"secret": "alertmanager", "key": "token"},
    },
    "persistence": {"size": "10Gi", "storageClass": "fast"},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"cert-manager.io/cluster-issuer": "le"},
        "tlsSecret": "ops-tls",
    },
    "networkPolicy": {"egress": [{"to": [{"namespaceSelector": {}}]}]},
    "serviceMonitor": {"enabled": True, "interval": "15s", "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca", "readOnly": True}],
    "podAnnotations": {"example.com/owner": "ops"},
    "podLabels": {"team": "ops"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "spot", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
}
CASES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "database": {"secretSettings": STORE},
    "replicas": REPLICATED,
    "everything": EVERYTHING,
    "everything and replicas": {
        **EVERYTHING,
        **REPLICATED,
        "secretSettings": EVERYTHING["secretSettings"] | STORE,
    },
}
ADDRESSES = {
    "WPPCONNECT_STORE_URL_FILE": "postgresql://ops:pass@db.example.com/ops",
    "ALERTMANAGER_URL_FILE": "http://alertmanager:9093",
}
PART = {"exporter": "exporter", "page": "dashboard"}
"""The name of each container as the command line calls it."""
OPERATOR_API = "monitoring.coreos.com/"

each_case = pytest.mark.parametrize("values", CASES.values(), ids=CASES)


def of_kind(resources: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in resources if one["kind"] == kind]


def pods(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["spec"]["template"] for one in of_kind(rendered(values), "Deployment")]


def containers(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for pod in pods(values):
        yield from pod["spec"]["containers"]


def environ(container: dict[str, Any], folder: Path) -> dict[str, str]:
    """Return the variables of a container, with its mounted secrets as files in a folder."""
    found = {one["name"]: one["value"] for one in container["env"]}
    for name in [one for one in found if one.endswith("_FILE")]:
        path = folder / Path(found[name]).name
        path.write_text(ADDRESSES.get(name, "no-secret-of-anybody"))
        found[name] = str(path)
    return found


@each_case
def test_linter_has_nothing_to_complain_of(values: dict[str, Any]) -> None:
    assert lint_messages(values) == []


@each_case
def test_every_resource_is_valid_for_the_oldest_and_the_newest_version(values: dict[str, Any]) -> None:
    versions = all_versions()
    resources = [one for one in rendered(values) if not one["apiVersion"].startswith(OPERATOR_API)]
    supported = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]

    assert supported == f">={versions[0]}-0"
    for version in (versions[0], versions[-1]):
        for resource in resources:
            validate(resource, version, strict=True)


@each_case
def test_programs_accept_every_variable(values: dict[str, Any], tmp_path: Path) -> None:
    own: dict[str, type[Environment]] = {"exporter": ExporterEnvironment, "page": DashboardEnvironment}
    for container in containers(values):
        variables = environ(container, tmp_path)
        loaded = [load_settings(model, variables) for model in (CoreEnvironment, own[container["name"]])]
        known = {
            model.variable(name)
            for model in (CoreEnvironment, own[container["name"]])
            for name in model.model_fields
        }

        assert [one.problems for one in loaded] == [(), ()]
        assert {name.removesuffix("_FILE") for name in variables} <= known


def test_every_setting_reaches_the_programs_that_read_it() -> None:
    reached = {one["name"]: {entry["name"] for entry in one["env"]} for one in containers(EVERYTHING)}
    secrets = {f"{name}_FILE" for name in EVERYTHING["secretSettings"]}

    assert secrets | set(EVERYTHING["settings"]) <= reached["exporter"] | reached["page"]
    assert {name for name in reached["exporter"] if name.startswith(("DASHBOARD", "ALERTMANAGER"))} == set()
    assert {name for name in reached["page"] if name.startswith("EXPORTER")} == set()


@each_case
def test_secrets_are_references_mounted_as_files(values: dict[str, Any]) -> None:
    for pod in pods(values):
        volumes = {one["name"]: one for one in pod["spec"]["volumes"]}
        for container in pod["spec"]["containers"]:
            files = {one["value"] for one in container["env"] if one["name"].endswith("_FILE")}
            mounts = {
                one["name"]: one["mountPath"] for one in container["volumeMounts"] if "secrets" in one["name"]
            }
            mounted = {
                f"{folder}/{item['path']}"
                for name, folder in mounts.items()
                for source in volumes[name]["projected"]["sources"]
                for item in source["secret"]["items"]
            }

            assert files == mounted

    assert of_kind(rendered(values), "Secret") == []


@each_case
def test_probes_ask_what_the_programs_answer(values: dict[str, Any]) -> None:
    for pod in pods(values):
        is_alone = len(pod["spec"]["containers"]) == 1
        for container in pod["spec"]["containers"]:
            variable, _, healthy = PARTS[PART[container["name"]]]
            [listens] = [one["value"] for one in container["env"] if one["name"] == variable]
            ports = {one["name"]: f":{one['containerPort']}" for one in container["ports"]}
            probes = [container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")]
            ready = READY if is_alone and container["name"] == "exporter" else healthy

            assert container["args"] == [PART[container["name"]]]
            assert {ports[one["port"]] for one in probes} == {listens}
            assert [one["path"] for one in probes] == [healthy, healthy, ready]
    assert {path for *_, path in (PARTS["exporter"], PARTS["dashboard"])} == {HEALTHY, PAGE_HEALTHY}


@each_case
def test_pods_fit_the_restricted_standard_and_hold_no_token(values: dict[str, Any]) -> None:
    for pod in pods(values):
        spec, security = pod["spec"], pod["spec"]["securityContext"]
        assert security["runAsNonRoot"]
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert {kind for one in spec["volumes"] for kind in one} <= {
            "name",
            "configMap",
            "emptyDir",
            "persistentVolumeClaim",
            "projected",
        }
    for container in containers(values):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        writable = {one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")}
        assert writable == {"/data", "/tmp"}
        assert container["resources"]["limits"]["memory"]
    assert [one["automountServiceAccountToken"] for one in of_kind(rendered(values), "ServiceAccount")] == [
        False
    ]


def test_without_a_database_one_pod_holds_both_programs_and_is_never_doubled() -> None:
    resources = rendered(EVERYTHING)
    [deployment] = of_kind(resources, "Deployment")
    [claim] = of_kind(resources, "PersistentVolumeClaim")
    [pod] = pods(EVERYTHING)
    [data] = [one for one in pod["spec"]["volumes"] if one["name"] == "data"]

    assert [one["name"] for one in pod["spec"]["containers"]] == ["exporter", "page"]
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (1, {"type": "Recreate"})
    assert data["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert of_kind(resources, "PodDisruptionBudget") == []


def test_a_claim_of_ones_own_takes_the_place_of_the_charts() -> None:
    values = {"persistence": {"existingClaim": "mine"}}
    [pod] = pods(values)

    assert {"name": "data", "persistentVolumeClaim": {"claimName": "mine"}} in pod["spec"]["volumes"]
    assert of_kind(rendered(values), "PersistentVolumeClaim") == []


def test_with_a_database_each_program_has_its_pods_and_no_volume_outlives_them() -> None:
    resources = rendered(REPLICATED)
    held = {
        tuple(one["name"] for one in deployment["spec"]["template"]["spec"]["containers"]): deployment["spec"]
        for deployment in of_kind(resources, "Deployment")
    }
    budgets = {one["metadata"]["name"]: one["spec"] for one in of_kind(resources, "PodDisruptionBudget")}

    assert {part: spec["replicas"] for part, spec in held.items()} == {("exporter",): 3, ("page",): 2}
    assert {budget["maxUnavailable"] for budget in budgets.values()} == {1}
    assert [budget["selector"] for budget in budgets.values()] == [spec["selector"] for spec in held.values()]
    assert of_kind(resources, "PersistentVolumeClaim") == []


@each_case
def test_services_and_policies_select_the_pods_with_their_ports(values: dict[str, Any]) -> None:
    resources = rendered(values)
    opened = [
        (
            one["metadata"]["labels"],
            {port["name"] for part in one["spec"]["containers"] for port in part["ports"]},
        )
        for one in pods(values)
    ]
    for service in of_kind(resources, "Service"):
        [ports] = [ports for labels, ports in opened if service["spec"]["selector"].items() <= labels.items()]
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for policy in of_kind(resources, "NetworkPolicy"):
        selector = policy["spec"]["podSelector"]["matchLabels"].items()
        [ports] = [ports for labels, ports in opened if selector <= labels.items()]
        assert {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]} == ports
    assert len(of_kind(resources, "NetworkPolicy")) == len(opened)


def test_monitor_selects_the_exporter_and_names_the_job_of_the_rules() -> None:
    resources = rendered(EVERYTHING)
    [monitor] = of_kind(resources, "ServiceMonitor")
    [endpoint] = monitor["spec"]["endpoints"]
    selected = [
        service
        for service in of_kind(resources, "Service")
        if monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    ]

    assert [port["name"] for one in selected for port in one["spec"]["ports"]] == [endpoint["port"]]
    assert endpoint["interval"] == "15s"
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "wppconnect"}]


def test_rules_are_those_that_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    [rule] = of_kind(rendered(EVERYTHING), "PrometheusRule")

    assert main(["rules", "--kubernetes", "--external-url", URL]) == 0
    assert rule["spec"] == yaml.safe_load(capsys.readouterr().out)["spec"]


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://ops.example.com", "ops.example.com", "/"),
        ("https://ops.example.com/", "ops.example.com", "/"),
        ("https://example.com:8443/wpp/ops/", "example.com", "/wpp/ops"),
    ],
)
def test_ingress_has_host_and_path_of_the_published_address(url: str, host: str, path: str) -> None:
    values = {"settings": {"DASHBOARD_EXTERNAL_URL": url}, "ingress": {"enabled": True, "tlsSecret": "tls"}}

    [ingress] = of_kind(rendered(values), "Ingress")

    [rule] = ingress["spec"]["rules"]
    assert (rule["host"], [one["path"] for one in rule["http"]["paths"]]) == (host, [path])
    assert ingress["spec"]["tls"] == [{"hosts": [host], "secretName": "tls"}]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"settings": {"WPPCONNECT_URLL": "http://a"}}, "'WPPCONNECT_URLL' not allowed"),
        ({"settings": {"WPPCONNECT_SECRET_KEY": "x"}}, "'WPPCONNECT_SECRET_KEY' not allowed"),
        ({"settings": {"WPPCONNECT_DATA_DIR": "/x"}}, "'WPPCONNECT_DATA_DIR' not allowed"),
        ({"settings": {"EXPORTER_WEB_CONFIG_FILE": "/x"}}, "'EXPORTER_WEB_CONFIG_FILE' not allowed"),
        ({"settings": {"WPPCONNECT_SESSIONS": ["a"]}}, "at '/settings/WPPCONNECT_SESSIONS': got array"),
        ({"secretSettings": {"WPPCONNECT_SECRET_KEY": "x"}}, "at '/secretSettings/WPPCONNECT_SECRET_KEY'"),
        ({"secretSettings": {"WPPCONNECT_TOKEN": {"secret": "a"}}}, "missing property 'key'"),
        ({"ingress": {"enabled": True}}, "missing property 'DASHBOARD_EXTERNAL_URL'"),
        ({"prometheusRule": {"enabled": True}}, "missing property 'DASHBOARD_EXTERNAL_URL'"),
        ({"exporter": {"replicas": 2}}, "at '/secretSettings': missing property 'WPPCONNECT_STORE_URL'"),
        ({"page": {"replicas": 2}}, "at '/secretSettings': missing property 'WPPCONNECT_STORE_URL'"),
        ({"exporter": {"replicas": 0}}, "at '/exporter/replicas': minimum"),
        ({"persistence": {"size": "much"}}, "at '/persistence/size'"),
        ({"serviceMonitor": {"interval": "1s"}}, "at '/serviceMonitor/interval'"),
        ({"image": {"digest": "latest"}}, "at '/image/digest'"),
        ({"imagePullPolicy": "Always"}, "'imagePullPolicy' not allowed"),
    ],
)
def test_wrong_values_are_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        rendered(values)

    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("values", "command"),
    [
        ({}, "cat /data/ops/first-sign-in-link"),
        ({"secretSettings": STORE}, "cat /data/ops/first-sign-in-link"),
        (REPLICATED, "wppconnect-ops users add NAME --role administrator"),
    ],
    ids=["one pod", "one page", "several pages"],
)
def test_notes_say_how_to_sign_in_first(values: dict[str, Any], command: str) -> None:
    name = of_kind(rendered(values), "Deployment")[-1]["metadata"]["name"]

    assert f"kubectl -n {NAMESPACE} exec deploy/{name} -c page -- {command}\n" in notes(values)


def test_notes_name_the_page_and_a_missing_gateway() -> None:
    assert "No gateway is configured yet" in notes({})
    assert URL in notes(EVERYTHING)


def test_chart_is_of_this_release() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert chart["appVersion"] == project()["project"]["version"]


def test_every_value_is_in_schema_and_values_file() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    assert set(values) == set(schema) - {"global"}
    for name, one in values.items():
        if isinstance(one, dict) and one:
            assert set(one) == set(schema[name]["properties"])
