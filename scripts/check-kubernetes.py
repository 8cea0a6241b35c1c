"""What the rendered manifests of deploy/k8s must say beyond being valid: the restricted pod security standard, and what this
project promises of its deployment.

Called by scripts/check-kubernetes with a folder that holds NAME.yaml for each overlay. Before it believes itself it plants a
mistake of each kind and sees that it is told.
"""

import base64
import copy
import re
import sys
from pathlib import Path

import yaml
from planted_in_kubernetes import PLANTED

ENGINE = "codeflow-engine"
SECRETS = "/run/secrets/autopr/"
BACKUP = "autopr-backup"
OVERLAYS = {"development": "autopr-development", "staging": "autopr-staging", "production": "autopr"}
# What is rendered, and of which overlay it is. The last one has everything that an overlay can have.
RENDERED = {**{overlay: overlay for overlay in OVERLAYS}, "production-with-backup": "production"}
# Images that need no registry before their names: Docker's own.
OFFICIAL = {"postgres", "redis"}
# Kinds that Kubernetes itself does not have, with the keys that their `spec` may have here.
CUSTOM = {
    ("external-secrets.io/v1", "ExternalSecret"): {"refreshInterval", "secretStoreRef", "target", "data"},
    ("monitoring.coreos.com/v1", "ServiceMonitor"): {"selector", "jobLabel", "endpoints"},
}
# https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/ has these, and no `rate-limit`.
INGRESS_NGINX = {
    "ssl-redirect",
    "force-ssl-redirect",
    "limit-rps",
    "limit-rpm",
    "limit-connections",
    "limit-burst-multiplier",
    "limit-whitelist",
    "proxy-body-size",
    "proxy-read-timeout",
    "proxy-send-timeout",
    "proxy-connect-timeout",
    "whitelist-source-range",
    "denylist-source-range",
    "backend-protocol",
    "proxy-buffering",
}


class Manifests:
    def __init__(self, documents):
        self.documents = [document for document in documents if document]

    def of(self, kind):
        return [document for document in self.documents if document["kind"] == kind]

    def one(self, kind, name):
        found = [document for document in self.of(kind) if document["metadata"]["name"].startswith(name)]
        if not found:
            raise Missing(f"there is no {kind} {name}")
        return found[0]

    def pods(self):
        """Every pod there will be: where it is from, its labels and its specification."""
        for document in self.documents:
            spec = document.get("spec") or {}
            if document["kind"] == "Pod":
                yield name_of(document), document["metadata"].get("labels", {}), spec
            if document["kind"] == "CronJob":
                spec = spec["jobTemplate"]["spec"]
            if "template" in spec and "spec" in spec["template"]:
                yield name_of(document), spec["template"]["metadata"].get("labels", {}), spec["template"]["spec"]

    def engine(self):
        return self.one("Deployment", ENGINE)

    def engine_pod(self):
        return self.engine()["spec"]["template"]["spec"]

    def engine_container(self):
        return next(c for c in self.engine_pod()["containers"] if c["name"] == ENGINE)

    def environment(self):
        return self.one("ConfigMap", "autopr-config-")["data"]


class Missing(Exception):
    pass


def name_of(document):
    return f"{document['kind']} {document['metadata']['name']}"


def containers(pod):
    return pod.get("initContainers", []) + pod["containers"] + pod.get("ephemeralContainers", [])


def matches(selector, labels):
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def selects(selector, labels):
    """Whether a whole selector, of labels and expressions, means a pod. An empty one means all."""
    if any(told["operator"] != "In" for told in selector.get("matchExpressions", [])):
        raise Missing("a selector with another operator than In is not understood")
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(told["key"]) in told["values"] for told in selector.get("matchExpressions", [])
    )


# https://kubernetes.io/docs/concepts/security/pod-security-standards/: Baseline, then Restricted.
def pod_security(manifests, _):
    for place, _, pod in manifests.pods():
        context = pod.get("securityContext") or {}
        for key in ["hostNetwork", "hostPID", "hostIPC"]:
            if pod.get(key):
                yield f"{place}: {key}"
        for sysctl in context.get("sysctls", []):
            if sysctl["name"] not in SAFE_SYSCTLS:
                yield f"{place}: sysctl {sysctl['name']}"
        for volume in pod.get("volumes", []):
            for kind in volume.keys() - {"name"}:
                if kind not in VOLUMES:
                    yield f"{place}: volume {volume['name']} is a {kind}"
        for container in containers(pod):
            at = f"{place}, {container['name']}"
            own = container.get("securityContext") or {}

            def effective(key, own=own, context=context):
                return own.get(key, context.get(key))

            if own.get("privileged"):
                yield f"{at}: privileged"
            if own.get("allowPrivilegeEscalation") is not False:
                yield f"{at}: allowPrivilegeEscalation is not false"
            capabilities = own.get("capabilities") or {}
            if "ALL" not in capabilities.get("drop", []):
                yield f"{at}: capabilities are not dropped"
            if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
                yield f"{at}: capabilities are added"
            if effective("runAsNonRoot") is not True:
                yield f"{at}: runAsNonRoot is not true"
            if effective("runAsUser") == 0:
                yield f"{at}: runs as root"
            if (effective("seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"):
                yield f"{at}: no seccomp profile"
            if (effective("appArmorProfile") or {}).get("type", "RuntimeDefault") == "Unconfined":
                yield f"{at}: AppArmor is off"
            selinux = effective("seLinuxOptions") or {}
            if selinux.get("type", "") not in SELINUX or selinux.get("user") or selinux.get("role"):
                yield f"{at}: SELinux options"
            if (effective("windowsOptions") or {}).get("hostProcess"):
                yield f"{at}: hostProcess"
            if own.get("procMount", "Default") != "Default":
                yield f"{at}: procMount"
            if any(port.get("hostPort") for port in container.get("ports", [])):
                yield f"{at}: a port of the machine"
            handlers = [container.get(f"{probe}Probe") for probe in ("startup", "liveness", "readiness")]
            handlers += (container.get("lifecycle") or {}).values()
            for handler in filter(None, handlers):
                if any((handler.get(kind) or {}).get("host") for kind in ("httpGet", "tcpSocket")):
                    yield f"{at}: a probe of another host"


VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SELINUX = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}


def pods(manifests, _):
    for place, _, pod in manifests.pods():
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{place}: gets a token for Kubernetes"
        if pod.get("enableServiceLinks") is not False:
            yield f"{place}: Kubernetes puts variables of its own into it"
        for container in containers(pod):
            at = f"{place}, {container['name']}"
            if (container.get("securityContext") or {}).get("readOnlyRootFilesystem") is not True:
                yield f"{at}: its file system can be written to"
            resources = container.get("resources") or {}
            for key in ("requests", "limits"):
                if not {"cpu", "memory"} <= (resources.get(key) or {}).keys():
                    yield f"{at}: no {key} of CPU and memory"
            tag = container["image"].rpartition("/")[2]
            if "@sha256:" not in tag and (":" not in tag or tag.endswith(":latest")):
                yield f"{at}: the image {container['image']} has no fixed tag"
            if "/" not in container["image"] and tag.partition(":")[0] not in OFFICIAL:
                yield f"{at}: the image {container['image']} is in no registry"
            for variable in container.get("env", []):
                if "secretKeyRef" in (variable.get("valueFrom") or {}):
                    yield f"{at}: {variable['name']} puts a secret into the environment"
    for account in manifests.of("ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"{name_of(account)}: hands out tokens"


def namespace(manifests, overlay):
    spaces = manifests.of("Namespace")
    if [space["metadata"]["name"] for space in spaces] != [OVERLAYS[overlay]]:
        yield f"the namespace is not {OVERLAYS[overlay]}"
    for space in spaces:
        for mode in ("enforce", "audit", "warn"):
            if space["metadata"]["labels"].get(f"pod-security.kubernetes.io/{mode}") != "restricted":
                yield f"the namespace does not {mode} the restricted standard"
    for document in manifests.documents:
        if document["kind"] != "Namespace" and document["metadata"].get("namespace") != OVERLAYS[overlay]:
            yield f"{name_of(document)}: in no or another namespace"


def kinds(manifests, overlay):
    for document in manifests.documents:
        known = CUSTOM.get((document["apiVersion"], document["kind"]))
        if known is not None and document["spec"].keys() - known:
            yield f"{name_of(document)}: unknown keys {sorted(document['spec'].keys() - known)}"
    expected = {
        "Namespace",
        "ServiceAccount",
        "ConfigMap",
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "Job",
    }
    expected |= {"Secret"} if overlay == "development" else {"Ingress", "ServiceMonitor", "ExternalSecret"}
    for kind in sorted(expected - {document["kind"] for document in manifests.documents}):
        yield f"there is no {kind}"


def rollout(manifests, overlay):
    spec = manifests.engine()["spec"]
    if "replicas" in spec:
        yield "replicas stand in the Deployment, which are the autoscaler's"
    strategy = spec["strategy"]
    if strategy["type"] != "RollingUpdate" or strategy["rollingUpdate"] != {"maxSurge": 1, "maxUnavailable": 0}:
        yield "an update takes a pod away before the new one is ready"
    pod, engine = manifests.engine_pod(), manifests.engine_container()
    if engine.get("args") != ["serve"]:
        yield "the engine's container does not run autopr serve"
    paths = {probe: engine[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
    for probe, path in {"startup": "/api/health", "liveness": "/api/health", "readiness": "/api/ready"}.items():
        if paths[probe] != {"path": path, "port": "http"}:
            yield f"the {probe} probe does not ask {path}"
    # The guide's figures.
    wanted = {"liveness": (10, 5, 3), "readiness": (5, 3, 3)}
    for probe, (period, timeout, failures) in wanted.items():
        told = engine[f"{probe}Probe"]
        if (told["periodSeconds"], told["timeoutSeconds"], told["failureThreshold"]) != (period, timeout, failures):
            yield f"the {probe} probe's times"
    ports = {port["name"]: port["containerPort"] for port in engine["ports"]}
    if ports != {"http": 8080, "metrics": 9090}:
        yield "the engine's ports are not 8080 and 9090"
    sleep = engine["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = int(re.search(r"GRACE: Duration = Duration::from_secs\((\d+)\)", Path("core/src/engine/mod.rs").read_text())[1])
    if sleep < 5:
        yield "load balancers have no time to learn that a pod leaves"
    if pod["terminationGracePeriodSeconds"] < sleep + grace + 5:
        yield f"a pod is killed before its {sleep} s of waiting and {grace} s of ending are over"
    spread = {constraint["topologyKey"] for constraint in pod["topologySpreadConstraints"]}
    if spread != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
        yield "pods are not spread over zones and machines"
    for constraint in pod["topologySpreadConstraints"]:
        if not matches(constraint["labelSelector"]["matchLabels"], spec["template"]["metadata"]["labels"]):
            yield f"{constraint['topologyKey']}: other pods are counted"
    if overlay == "production" and engine["resources"] != {
        "requests": {"cpu": "1000m", "memory": "2Gi"},
        "limits": {"cpu": "2000m", "memory": "4Gi"},
    }:
        yield "requests and limits are not the guide's"


def migration(manifests, _):
    job = manifests.one("Job", f"{ENGINE}-migrate")["spec"]
    pod = job["template"]["spec"]
    if [container.get("args") for container in pod["containers"]] != [["migrate"]]:
        yield "the Job does not run autopr migrate"
    if pod["restartPolicy"] != "Never" or not job.get("activeDeadlineSeconds") or not job.get("backoffLimit"):
        yield "the Job is not bounded"
    if not job.get("ttlSecondsAfterFinished"):
        yield "the Job stays and is in the way of the next deployment"
    if [container.get("args") for container in manifests.engine_pod()["initContainers"]] != [["migrate", "--check"]]:
        yield "the engine does not wait for the migration"
    images = {container["image"] for container in pod["containers"] + containers(manifests.engine_pod())}
    if len(images) != 1:
        yield f"migration and engine are of different images: {sorted(images)}"


def service(manifests, _):
    told = manifests.one("Service", ENGINE)["spec"]
    if {(port["name"], port["port"], port["targetPort"]) for port in told["ports"]} != {
        ("http", 8080, "http"),
        ("metrics", 9090, "metrics"),
    }:
        yield "the Service's ports are not 8080 and 9090"
    if told.get("type", "ClusterIP") != "ClusterIP":
        yield "the Service can be reached from outside"
    selected = [place for place, labels, _ in manifests.pods() if matches(told["selector"], labels)]
    if selected != [f"Deployment {ENGINE}"]:
        yield f"the Service selects {selected}"
    template = manifests.engine()["spec"]["template"]["metadata"]["labels"]
    for document in manifests.of("Deployment") + manifests.of("StatefulSet"):
        spec = document["spec"]
        if not matches(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"]):
            yield f"{name_of(document)}: does not select its own pods"
    budget = manifests.one("PodDisruptionBudget", ENGINE)["spec"]
    if not matches(budget["selector"]["matchLabels"], template) or budget.get("maxUnavailable") != 1:
        yield "the disruption budget does not hold the engine's pods to one at a time"


def autoscaler(manifests, overlay):
    spec = manifests.one("HorizontalPodAutoscaler", f"{ENGINE}-hpa")["spec"]
    if spec["scaleTargetRef"] != {"apiVersion": "apps/v1", "kind": "Deployment", "name": ENGINE}:
        yield "the autoscaler is for something else"
    most = {"production": 10, "staging": 3, "development": 2}[overlay]
    if (spec["minReplicas"], spec["maxReplicas"]) != (2, most):
        yield f"the autoscaler's bounds are not 2 and {most}"
    targets = {m["resource"]["name"]: m["resource"]["target"]["averageUtilization"] for m in spec["metrics"]}
    if targets != {"cpu": 75, "memory": 80}:
        yield "the autoscaler's targets are not 75 % CPU and 80 % memory"
    if spec["behavior"] != {
        "scaleDown": {
            "stabilizationWindowSeconds": 300,
            "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60}],
        },
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "policies": [
                {"type": "Percent", "value": 100, "periodSeconds": 15},
                {"type": "Pods", "value": 2, "periodSeconds": 15},
            ],
            "selectPolicy": "Max",
        },
    }:
        yield "the autoscaler's behaviour is not the guide's"


def network(manifests, overlay):
    policies = manifests.of("NetworkPolicy")
    if not any(policy["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} for policy in policies):
        yield "nothing is denied by default"
    named = {port["name"] for _, _, pod in manifests.pods() for c in containers(pod) for port in c.get("ports", [])}
    reaches = {}
    for policy in policies:
        at, spec = name_of(policy), policy["spec"]
        for way, peers in (("ingress", "from"), ("egress", "to")):
            for rule in spec.get(way, []):
                if way.capitalize() not in spec["policyTypes"]:
                    yield f"{at}: its {way} does not count"
                if not rule.get(peers) or not all(rule[peers]) or not rule.get("ports"):
                    yield f"{at}: lets everything through"
                    continue
                for port in rule["ports"]:
                    if isinstance(port["port"], str) and port["port"] not in named:
                        yield f"{at}: no pod has a port {port['port']}"
                for place, labels, _ in manifests.pods():
                    if selects(spec["podSelector"], labels):
                        for port in rule["ports"]:
                            reaches.setdefault((place, way, port["port"]), []).extend(rule[peers])

    engine = f"Deployment {ENGINE}"
    for port, space in {"http": "ingress-nginx", "metrics": "monitoring"}.items():
        wanted = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}}}]
        if reaches.get((engine, "ingress", port)) != wanted:
            yield f"port {port} is not open to the namespace {space} alone"
    ways = {port for place, way, port in reaches if (place, way) == (engine, "egress")}
    if ways != {53, 443, 5432, 6379}:
        yield f"the engine may go out to the ports {sorted(ways)}"
    for (place, way, port), peers in reaches.items():
        for peer in peers if (way, port) == ("egress", 443) else []:
            kept = {
                "0.0.0.0/0": {"169.254.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"},
                "::/0": {"fc00::/7", "fe80::/10"},
            }
            block = peer.get("ipBlock", {})
            if not kept.get(block.get("cidr"), {"?"}) <= set(block.get("except", [])):
                yield f"over HTTPS {place} reaches private addresses"
    for place, _, pod in manifests.pods():
        takes = {told["configMapRef"]["name"] for c in containers(pod) for told in c.get("envFrom", [])}
        takes = any(name.startswith("autopr-config-") for name in takes)
        if takes and not reaches.get((place, "egress", 5432)):
            yield f"{place}: can't reach the database"
    # The backup goes to the database and to the storage, and its check to the storage alone; nobody talks to them.
    for name, ports in ((BACKUP, {53, 443, 5432}), (f"{BACKUP}-check", {53, 443})):
        ways = {(way, port) for place, way, port in reaches if place == f"CronJob {name}"}
        if manifests.of("CronJob") and ways != {("egress", port) for port in ports}:
            yield f"{name} may go out to {sorted(ways, key=str)}"


def configuration(manifests, overlay):
    environment = manifests.environment()
    source = Path("functions/runtime/src/settings/environment.rs").read_text()
    known = set(re.findall(r'name: "([A-Z_]+)"', source))
    keys = secret_keys(manifests)
    for name, value in environment.items():
        stem = name.removesuffix("_FILE")
        if name not in known and stem not in known:
            yield f"{name} is no setting"
        if name.endswith("_FILE") and value:
            if not value.startswith(SECRETS) or value.removeprefix(SECRETS) not in keys:
                yield f"{name}: the Secret has no {value.removeprefix(SECRETS)}"
    for name in ("DATABASE_URL", "GITHUB_WEBHOOK_SECRET", "REDIS_URL", "GITHUB_TOKEN", "AUTOPR_API_KEYS"):
        if not environment.get(f"{name}_FILE"):
            yield f"{name} is missing"
    if environment.get("AUTOPR_ENV") != overlay:
        yield "AUTOPR_ENV is another"
    told = yaml.safe_load(Path(f"configs/{overlay}.yaml").read_text())
    for name, value in {
        "AUTOPR_LOG_LEVEL": told["logging"]["level"],
        "MAX_CONCURRENT_WORKFLOWS": str(told["workflow"]["max_concurrent"]),
        "WORKFLOW_TIMEOUT": str(told["workflow"]["timeout"]),
    }.items():
        if environment.get(name) != value:
            yield f"{name} is not what configs/{overlay}.yaml says"
    configs = manifests.one("ConfigMap", "autopr-configs-")
    if configs["data"].get(f"{overlay}.yaml") != Path(f"configs/{overlay}.yaml").read_text():
        yield f"configs/{overlay}.yaml is not what is mounted"
    # A file that is not found would be passed over in silence.
    for pod in (manifests.engine_pod(), manifests.one("Job", ENGINE)["spec"]["template"]["spec"]):
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        for container in containers(pod):
            at = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
            mounted = at.get(f"{container['workingDir']}/configs", {}).get("configMap", {})
            if mounted.get("name") != configs["metadata"]["name"]:
                yield f"{container['name']}: its configuration is not where it looks for it"
            if at.get(SECRETS.rstrip("/"), {}).get("secret", {}).get("secretName") != "autopr-secrets":
                yield f"{container['name']}: the secrets are not mounted"
            if container.get("envFrom") != [
                {"configMapRef": {"name": manifests.one("ConfigMap", "autopr-config-")["metadata"]["name"]}}
            ]:
                yield f"{container['name']}: has another environment"


def secret_keys(manifests):
    keys = set()
    for secret in manifests.of("Secret"):
        if secret["metadata"]["name"] == "autopr-secrets":
            keys |= secret.get("data", {}).keys() | secret.get("stringData", {}).keys()
    for secret in manifests.of("ExternalSecret"):
        if secret["spec"]["target"]["name"] == "autopr-secrets":
            keys |= {entry["secretKey"] for entry in secret["spec"]["data"]}
    return keys


def secrets(manifests, overlay):
    if overlay != "development" and manifests.of("Secret"):
        yield "a Secret with its values stands in the manifests"
    for document in manifests.of("ConfigMap"):
        for name, value in document["data"].items():
            if re.search(r"://[^/\s:]*:[^@\s*]+@|gh[ps]_\w{8}|sk-\w{8}|BEGIN .*PRIVATE KEY", value):
                yield f"{name_of(document)}: {name} looks like a secret"
    for document in manifests.of("ExternalSecret"):
        word = {"production": "autopr/prod/", "staging": "autopr/staging/"}[overlay]
        for entry in document["spec"]["data"]:
            if not entry["remoteRef"]["key"].startswith(word):
                yield f"{entry['secretKey']} is of another installation: {entry['remoteRef']['key']}"
    for document in manifests.of("Secret"):
        values = {key: base64.b64decode(value).decode() for key, value in document["data"].items()}
        if (
            values["postgres-password"] not in values["database-url"]
            or values["redis-conf"].split()[1] not in values["redis-url"]
        ):
            yield "the trial's passwords do not fit its addresses"
        if not re.fullmatch(r"\w+=\w{32,}", values.get("api-keys", "")):
            yield "the trial's key of the API is not name=key"


def ingress(manifests, _):
    for document in manifests.of("Ingress"):
        annotations, spec = document["metadata"]["annotations"], document["spec"]
        prefix = "nginx.ingress.kubernetes.io/"
        for name in annotations:
            if name.startswith(prefix) and name.removeprefix(prefix) not in INGRESS_NGINX:
                yield f"ingress-nginx has no annotation {name}"
        if annotations.get(prefix + "limit-rps") != "100":
            yield "the rate limit is not the guide's"
        if annotations.get(prefix + "ssl-redirect") != "true" or not annotations.get("cert-manager.io/cluster-issuer"):
            yield "no certificate, or none that is insisted on"
        hosts = {host for entry in spec["tls"] for host in entry["hosts"]}
        if hosts != {rule.get("host") for rule in spec["rules"]} or any(not e.get("secretName") for e in spec["tls"]):
            yield "the certificate is for another host"
        for rule in spec["rules"]:
            for path in rule["http"]["paths"]:
                if path["backend"]["service"] != {"name": ENGINE, "port": {"name": "http"}}:
                    yield "the Ingress leads to something else than port http of the engine"


def monitoring(manifests, _):
    for document in manifests.of("ServiceMonitor"):
        spec, told = document["spec"], manifests.one("Service", ENGINE)
        if not matches(spec["selector"]["matchLabels"], told["metadata"]["labels"]):
            yield "the ServiceMonitor selects another Service"
        if [(e["port"], e["path"]) for e in spec["endpoints"]] != [("metrics", "/metrics")]:
            yield "the ServiceMonitor asks elsewhere"
        # The rules of deploy/monitoring know the engine by this.
        if told["metadata"]["labels"].get(spec["jobLabel"]) != "autopr":
            yield "the job in Prometheus is not called autopr"


def backups(manifests, _):
    if not manifests.of("CronJob"):
        return
    told = {document["metadata"]["name"]: document["spec"] for document in manifests.of("CronJob")}
    if told.keys() != {BACKUP, f"{BACKUP}-check"}:
        yield f"the jobs of each day are {sorted(told)}"
    config = manifests.one("ConfigMap", f"{BACKUP}-config-")
    if not re.fullmatch(r"rclone:\w+:\S+|/\S+", config["data"]["BACKUP_TARGET"]) or config["data"]["BACKUP_KEEP_DAYS"] != "30":
        yield "dumps go nowhere, or are not kept for 30 days"
    source = "".join(path.read_text() for path in Path("deploy/backup").iterdir() if path.is_file())
    images, identities = set(), set()
    for name, spec in told.items():
        job, pod = spec["jobTemplate"]["spec"], spec["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        images.add(container["image"])
        identities.add(pod.get("serviceAccountName"))
        if spec["concurrencyPolicy"] != "Forbid" or spec["timeZone"] != "Etc/UTC" or not spec["startingDeadlineSeconds"]:
            yield f"{name}: runs twice at once, at an unknown hour, or is left out after a pause"
        if len(spec["schedule"].split()) != 5 or spec["schedule"].split()[2:] != ["*", "*", "*"]:
            yield f"{name}: does not run each day"
        if not job["activeDeadlineSeconds"] or pod["restartPolicy"] != "Never":
            yield f"{name}: is not bounded"
        if container["envFrom"] != [{"configMapRef": {"name": config["metadata"]["name"]}}]:
            yield f"{name}: goes to another place"
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        at = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
        # Each has a Secret of its own: the one can't read what the other can.
        if [v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v] != [name]:
            yield f"{name}: has another's secrets"
        for variable in container["env"]:
            if variable["name"] not in source and variable["name"] != "RCLONE_CONFIG":
                yield f"{name}: {variable['name']} is no setting"
            if not any(variable["value"].startswith(path) for path in at):
                yield f"{name}: {variable['name']} names a place that is not mounted"
    if len(images) != 1 or len(identities) != 2 or None in identities:
        yield "the backup and its check are of different images, or have one identity"
    if identities - {account["metadata"]["name"] for account in manifests.of("ServiceAccount")}:
        yield "a backup's ServiceAccount is not there"
    variables = {name: {v["name"] for v in spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["env"]} for name, spec in told.items()}
    if "BACKUP_AGE_IDENTITY" in variables[BACKUP] or "BACKUP_AGE_RECIPIENTS" not in variables[BACKUP]:
        yield "what makes backups can read them, or does not encrypt them"
    if "BACKUP_VERIFY_KEY" not in variables[f"{BACKUP}-check"] or "BACKUP_SIGNING_KEY" not in variables[BACKUP]:
        yield "backups are not signed, or nobody looks"


RULES = [
    pod_security,
    pods,
    namespace,
    kinds,
    rollout,
    migration,
    service,
    autoscaler,
    network,
    configuration,
    secrets,
    ingress,
    monitoring,
    backups,
]


def examples():
    """The examples go with the manifests by these names; they are of kinds that are not Kubernetes' own."""
    told = {path.stem: yaml.safe_load(path.read_text()) for path in Path("deploy/k8s/examples").glob("*.yaml")}
    production = yaml.safe_load(Path("deploy/k8s/components/external-secrets/external-secret.yaml").read_text())
    store, route = told["secret-store"], told["http-route"]["spec"]
    if production["spec"]["secretStoreRef"] != {"kind": store["kind"], "name": store["metadata"]["name"]}:
        yield "secret-store.yaml is not the store that is asked"
    if [backend for rule in route["rules"] for backend in rule["backendRefs"]] != [{"name": ENGINE, "port": 8080}]:
        yield "http-route.yaml leads to something else than the engine"
    issuer = yaml.safe_load(Path("deploy/k8s/base/ingress.yaml").read_text())["metadata"]["annotations"][
        "cert-manager.io/cluster-issuer"
    ]
    if told["cluster-issuer"]["metadata"]["name"] != issuer:
        yield "cluster-issuer.yaml is not the one the Ingress names"


def mistakes(manifests, overlay):
    for rule in RULES:
        try:
            for message in rule(manifests, overlay):
                yield message
        except Missing as missing:
            yield str(missing)
        except (KeyError, TypeError, IndexError, StopIteration) as error:
            yield f"{rule.__name__}: something is missing: {error!r}"


def main(folder):
    wrong = 0
    rendered = {}
    for name, overlay in RENDERED.items():
        rendered[name] = list(yaml.safe_load_all((Path(folder) / f"{name}.yaml").read_text()))
        for message in mistakes(Manifests(rendered[name]), overlay):
            print(f"{name}: {message}", file=sys.stderr)
            wrong += 1
    whole = rendered["production-with-backup"]
    if not Manifests(whole).of("CronJob"):
        print("production-with-backup: the component is not among those that production offers", file=sys.stderr)
        wrong += 1
    for message in examples():
        print(f"deploy/k8s/examples: {message}", file=sys.stderr)
        wrong += 1
    for index, (plant, expected) in enumerate(PLANTED):
        manifests = Manifests(copy.deepcopy(whole))
        plant(manifests)
        told = list(mistakes(manifests, "production"))
        if not any(expected in message for message in told):
            print(f'planted mistake {index} should be told as "{expected}", but is as {told}', file=sys.stderr)
            wrong += 1
    print(f"{len(RULES)} groups of rules over {len(RENDERED)} renderings; {len(PLANTED)} planted mistakes: {wrong} wrong")
    sys.exit(1 if wrong else 0)


main(sys.argv[1])
