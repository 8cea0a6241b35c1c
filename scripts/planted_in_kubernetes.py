"""The mistakes that scripts/check-kubernetes.py plants in the manifests of production, and what is to be told of each."""

ENGINE = "codeflow-engine"
SECRETS = "/run/secrets/autopr/"


def change(path, value):
    """A mistake: the value at a path of the engine's Deployment; DELETE takes it away."""
    return put(lambda m: m.engine(), path, value)


def put(document, path, value):
    def plant(manifests):
        target, *steps = [document(manifests), *path]
        for step in steps[:-1]:
            target = target.setdefault(step, {}) if isinstance(target, dict) else target[step]
        if value is DELETE:
            del target[steps[-1]]
        else:
            target[steps[-1]] = value

    return plant


def one(kind, name):
    return lambda manifests: manifests.one(kind, name)


DELETE = object()
POD = ["spec", "template", "spec"]
CONTAINER = [*POD, "containers", 0]
OWN = [*CONTAINER, "securityContext"]
JOB = one("Job", ENGINE)
HPA = one("HorizontalPodAutoscaler", ENGINE)
SERVICE = one("Service", ENGINE)
INGRESS = one("Ingress", "autopr-ingress")
ANNOTATION = ["metadata", "annotations"]
ENVIRONMENT = one("ConfigMap", "autopr-config-")
SPACE = one("Namespace", "autopr")
EXTERNAL = one("ExternalSecret", "autopr-secrets")
MONITOR = one("ServiceMonitor", ENGINE)


def BACKUP(manifests):
    """Not the check, whose name begins alike."""
    return next(d for d in manifests.of("CronJob") if d["metadata"]["name"] == "autopr-backup")


CHECK = one("CronJob", "autopr-backup-check")
DAILY = ["spec", "jobTemplate", "spec", "template"]
STORAGE = one("NetworkPolicy", "backup-to-storage")
# Each mistake, and what is to be told of it.
PLANTED = [
    (change([*POD, "hostNetwork"], True), "hostNetwork"),
    (change([*POD, "hostPID"], True), "hostPID"),
    (change([*POD, "hostIPC"], True), "hostIPC"),
    (change([*POD, "securityContext", "sysctls"], [{"name": "kernel.msgmax", "value": "1"}]), "sysctl"),
    (change([*POD, "volumes", 2], {"name": "tmp", "hostPath": {"path": "/tmp"}}), "is a hostPath"),
    (change([*OWN, "privileged"], True), "privileged"),
    (change([*OWN, "allowPrivilegeEscalation"], DELETE), "allowPrivilegeEscalation"),
    (change([*OWN, "capabilities", "drop"], ["NET_RAW"]), "are not dropped"),
    (change([*OWN, "capabilities", "add"], ["SYS_ADMIN"]), "are added"),
    (change([*OWN, "runAsNonRoot"], False), "runAsNonRoot"),
    (change([*OWN, "runAsUser"], 0), "runs as root"),
    (change([*POD, "securityContext", "seccompProfile"], DELETE), "no seccomp"),
    (change([*OWN, "appArmorProfile"], {"type": "Unconfined"}), "AppArmor"),
    (change([*OWN, "seLinuxOptions"], {"type": "spc_t"}), "SELinux"),
    (change([*OWN, "windowsOptions"], {"hostProcess": True}), "hostProcess"),
    (change([*OWN, "procMount"], "Unmasked"), "procMount"),
    (change([*CONTAINER, "ports", 0, "hostPort"], 8080), "port of the machine"),
    (change([*CONTAINER, "livenessProbe", "httpGet", "host"], "10.0.0.1"), "another host"),
    (put(JOB, OWN + ["allowPrivilegeEscalation"], True), "Job codeflow-engine-migrate, migrate: allowPrivilegeEscalation"),
    (change([*POD, "initContainers", 0, "securityContext"], DELETE), "wait-for-migration: capabilities"),
    (change([*OWN, "readOnlyRootFilesystem"], False), "can be written to"),
    (change([*POD, "automountServiceAccountToken"], True), "gets a token"),
    (change([*POD, "enableServiceLinks"], DELETE), "variables of its own"),
    (put(one("ServiceAccount", ENGINE), ["automountServiceAccountToken"], True), "hands out tokens"),
    (change([*CONTAINER, "resources", "limits"], DELETE), "no limits"),
    (change([*CONTAINER, "resources", "requests", "memory"], DELETE), "no requests"),
    (change([*CONTAINER, "image"], "registry.example.com/codeflow-engine:latest"), "no fixed tag"),
    (change([*CONTAINER, "image"], "localhost:5000/codeflow-engine"), "no fixed tag"),
    (
        change([*CONTAINER, "env"], [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]),
        "into the environment",
    ),
    (put(SPACE, ["metadata", "labels", "pod-security.kubernetes.io/enforce"], "baseline"), "does not enforce"),
    (put(SPACE, ["metadata", "name"], "default"), "the namespace is not"),
    (put(JOB, ["metadata", "namespace"], "default"), "in no or another namespace"),
    (put(EXTERNAL, ["spec", "refreshIntervall"], "1h"), "unknown keys"),
    (put(one("PodDisruptionBudget", ENGINE), ["kind"], "Budget"), "there is no PodDisruptionBudget"),
    (change(["spec", "replicas"], 3), "which are the autoscaler's"),
    (change(["spec", "strategy", "rollingUpdate", "maxUnavailable"], 1), "before the new one is ready"),
    (change([*CONTAINER, "args"], ["worker"]), "does not run autopr serve"),
    (change([*CONTAINER, "readinessProbe", "httpGet", "path"], "/api/health"), "readiness probe does not ask /api/ready"),
    (change([*CONTAINER, "livenessProbe", "httpGet", "path"], "/api/ready"), "liveness probe does not ask /api/health"),
    (change([*CONTAINER, "livenessProbe", "failureThreshold"], 1), "liveness probe's times"),
    (change([*CONTAINER, "ports", 1, "containerPort"], 9091), "ports are not 8080 and 9090"),
    (change([*POD, "terminationGracePeriodSeconds"], 15), "killed before"),
    (change([*CONTAINER, "lifecycle", "preStop", "sleep", "seconds"], 1), "no time to learn"),
    (change([*POD, "topologySpreadConstraints"], []), "not spread"),
    (
        change([*POD, "topologySpreadConstraints", 0, "labelSelector", "matchLabels"], {"app": "other"}),
        "other pods are counted",
    ),
    (change([*CONTAINER, "resources", "limits", "memory"], "1Gi"), "not the guide's"),
    (put(JOB, [*CONTAINER, "args"], ["serve"]), "does not run autopr migrate"),
    (put(JOB, ["spec", "activeDeadlineSeconds"], DELETE), "not bounded"),
    (put(JOB, ["spec", "ttlSecondsAfterFinished"], DELETE), "in the way"),
    (put(JOB, [*CONTAINER, "image"], "registry.example.com/codeflow-engine:0.0.9"), "different images"),
    (change([*POD, "initContainers", 0, "args"], ["migrate"]), "does not wait"),
    (put(SERVICE, ["spec", "ports"], []), "Service's ports"),
    (put(SERVICE, ["spec", "type"], "LoadBalancer"), "from outside"),
    (put(SERVICE, ["spec", "selector"], {"app.kubernetes.io/part-of": "autopr"}), "the Service selects"),
    (change(["spec", "selector", "matchLabels", "version"], "v1"), "its own pods"),
    (put(one("PodDisruptionBudget", ENGINE), ["spec", "maxUnavailable"], 2), "one at a time"),
    (put(HPA, ["spec", "minReplicas"], 1), "bounds"),
    (put(HPA, ["spec", "metrics", 0, "resource", "target", "averageUtilization"], 90), "targets"),
    (put(HPA, ["spec", "behavior", "scaleUp", "selectPolicy"], "Min"), "behaviour"),
    (put(HPA, ["spec", "scaleTargetRef", "name"], "other"), "something else"),
    (put(one("NetworkPolicy", "default-deny"), ["spec", "policyTypes"], ["Ingress"]), "nothing is denied"),
    (put(one("NetworkPolicy", "names"), ["spec", "egress"], [{}]), "lets everything through"),
    (
        put(one("NetworkPolicy", "engine-from-ingress"), ["spec", "ingress", 0, "from"], [{"namespaceSelector": {}}]),
        "ingress-nginx alone",
    ),
    (
        put(one("NetworkPolicy", "engine-from-monitoring"), ["spec", "ingress", 0, "ports", 0, "port"], "9o9o"),
        "no pod has a port",
    ),
    (put(one("NetworkPolicy", "engine-from-monitoring"), ["spec", "policyTypes"], ["Egress"]), "does not count"),
    (put(one("NetworkPolicy", "engine-to-internet"), ["spec", "egress", 0, "ports", 0, "port"], 80), "may go out to"),
    (
        put(one("NetworkPolicy", "engine-to-internet"), ["spec", "egress", 0, "to", 0, "ipBlock", "except"], []),
        "private addresses",
    ),
    (change(["spec", "template", "metadata", "labels", "autopr-database"], "no"), "can't reach the database"),
    (put(ENVIRONMENT, ["data", "MAX_CONCURENT_WORKFLOWS"], "1"), "is no setting"),
    (put(ENVIRONMENT, ["data", "GEMINI_API_KEY_FILE"], SECRETS + "gemini-api-key"), "the Secret has no gemini-api-key"),
    (put(ENVIRONMENT, ["data", "REDIS_URL_FILE"], DELETE), "REDIS_URL is missing"),
    (put(ENVIRONMENT, ["data", "AUTOPR_API_KEYS_FILE"], ""), "AUTOPR_API_KEYS is missing"),
    (put(EXTERNAL, ["spec", "data", 5, "secretKey"], "keys"), "the Secret has no api-keys"),
    (put(ENVIRONMENT, ["data", "AUTOPR_ENV"], "staging"), "AUTOPR_ENV is another"),
    (put(ENVIRONMENT, ["data", "WORKFLOW_TIMEOUT"], "60"), "WORKFLOW_TIMEOUT is not what"),
    (
        put(one("ConfigMap", "autopr-configs-"), ["data", "production.yaml"], "environment: production"),
        "is not what is mounted",
    ),
    (change([*CONTAINER, "workingDir"], "/"), "not where it looks"),
    (change([*CONTAINER, "volumeMounts", 1, "mountPath"], "/secrets"), "secrets are not mounted"),
    (change([*CONTAINER, "envFrom", 0, "configMapRef", "name"], "autopr-config"), "another environment"),
    (put(ENVIRONMENT, ["data", "REDIS_URL"], "redis://:hunter2@redis:6379/0"), "looks like a secret"),
    (put(EXTERNAL, ["spec", "data", 0, "remoteRef", "key"], "autopr/staging/database"), "of another installation"),
    (put(EXTERNAL, ["spec", "target", "name"], "other"), "the Secret has no database-url"),
    (
        lambda m: m.documents.append(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "s", "namespace": "autopr"},
                "data": {"postgres-password": "", "database-url": "", "redis-conf": "eCB4", "redis-url": "eA=="},
            }
        ),
        "with its values",
    ),
    (put(INGRESS, [*ANNOTATION, "nginx.ingress.kubernetes.io/rate-limit"], "100"), "no annotation"),
    (put(INGRESS, [*ANNOTATION, "nginx.ingress.kubernetes.io/limit-rps"], DELETE), "rate limit"),
    (put(INGRESS, [*ANNOTATION, "cert-manager.io/cluster-issuer"], DELETE), "no certificate"),
    (put(INGRESS, ["spec", "tls", 0, "hosts"], ["other.example.com"]), "another host"),
    (
        put(INGRESS, ["spec", "rules", 0, "http", "paths", 0, "backend", "service", "port"], {"name": "metrics"}),
        "leads to something else",
    ),
    (put(MONITOR, ["spec", "selector", "matchLabels"], {"app": "x"}), "selects another Service"),
    (put(MONITOR, ["spec", "endpoints", 0, "port"], "http"), "asks elsewhere"),
    (put(MONITOR, ["spec", "jobLabel"], "name"), "job in Prometheus"),
    (put(BACKUP, [*DAILY, "spec", "containers", 0, "image"], "autopr-backup:0.1.0"), "is in no registry"),
    (put(BACKUP, [*DAILY, "spec", "containers", 0, "securityContext", "capabilities"], DELETE), "capabilities are not dropped"),
    (put(BACKUP, ["metadata", "namespace"], "default"), "in no or another namespace"),
    (put(BACKUP, [*DAILY, "metadata", "labels", "autopr-database"], DELETE), "autopr-backup may go out to"),
    (put(CHECK, [*DAILY, "metadata", "labels", "autopr-database"], "client"), "autopr-backup-check may go out to"),
    (put(STORAGE, ["spec", "podSelector", "matchExpressions", 0, "values"], ["autopr-backup"]), "autopr-backup-check may go"),
    (put(STORAGE, ["spec", "podSelector", "matchExpressions", 0, "operator"], "NotIn"), "is not understood"),
    (put(STORAGE, ["spec", "egress", 0, "to", 0, "ipBlock", "except"], []), "CronJob autopr-backup reaches private"),
    (put(CHECK, ["kind"], "Job"), "the jobs of each day are"),
    (put(one("ConfigMap", "autopr-backup-config-"), ["data", "BACKUP_KEEP_DAYS"], "3"), "not kept for 30 days"),
    (put(BACKUP, ["spec", "concurrencyPolicy"], "Allow"), "runs twice at once"),
    (put(BACKUP, ["spec", "schedule"], "0 2 * * 1"), "does not run each day"),
    (put(BACKUP, ["spec", "jobTemplate", "spec", "activeDeadlineSeconds"], 0), "is not bounded"),
    (put(CHECK, [*DAILY, "spec", "containers", 0, "envFrom", 0, "configMapRef", "name"], "x"), "goes to another place"),
    (put(CHECK, [*DAILY, "spec", "volumes", 0, "secret", "secretName"], "autopr-backup"), "another's secrets"),
    (put(BACKUP, [*DAILY, "spec", "containers", 0, "env", 0, "name"], "BACKUP_WORKS"), "BACKUP_WORKS is no setting"),
    (put(BACKUP, [*DAILY, "spec", "containers", 0, "env", 0, "value"], "/elsewhere"), "that is not mounted"),
    (put(CHECK, [*DAILY, "spec", "containers", 0, "image"], "r/autopr-backup:0.0.9"), "of different images"),
    (put(CHECK, [*DAILY, "spec", "serviceAccountName"], "autopr-backup"), "have one identity"),
    (put(CHECK, [*DAILY, "spec", "serviceAccountName"], "nobody"), "ServiceAccount is not there"),
    (put(BACKUP, [*DAILY, "spec", "containers", 0, "env", 1, "name"], "BACKUP_AGE_IDENTITY"), "can read them"),
    (put(CHECK, [*DAILY, "spec", "containers", 0, "env", 2, "name"], "BACKUP_AGE_RECIPIENTS"), "nobody looks"),
]
