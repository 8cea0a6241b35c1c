"""What deploy/compose must say beyond being valid, read from what docker-compose makes of it.

Called by scripts/check-compose with that output, in a folder where ./prepare has been run. Before it believes itself it plants
a mistake of each kind and sees that it is told.
"""

import copy
import re
import sys
from pathlib import Path

import yaml

COMPOSE = Path("deploy/compose")
ENGINES = ["engine-1", "engine-2"]
ONCE = {"migrate", "volumes", "engines-ready"}
# Published to everybody; all else to this machine only.
PUBLIC = {"nginx"}
# https://docs.docker.com/engine/security/#linux-kernel-capabilities: the only one that is given back, and to whom.
CAPABILITIES = {"volumes": ["CHOWN"]}


def strings(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(key)
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    else:
        yield str(value)


def depends(service):
    told = service.get("depends_on") or {}
    return told if isinstance(told, dict) else {name: {"condition": "service_started"} for name in told}


def who_is_there(compose):
    wanted = {*ENGINES, *ONCE, "nginx", "postgres", "redis", "prometheus", "grafana", "backup"}
    for name in sorted(wanted - compose["services"].keys()):
        yield f"there is no service {name}"
    images = {name: service["image"] for name, service in compose["services"].items()}
    for name, image in images.items():
        tag = image.rpartition("/")[2].partition(":")[2]
        if not tag or tag == "latest":
            yield f"{name}: the image {image} has no fixed tag"
    for name, start in {"postgres": "postgres:15", "redis": "redis:7", "backup": images["postgres"]}.items():
        if not images[name].startswith(start):
            yield f"{name}: the image is not {start}"
    if len({images[name] for name in [*ENGINES, "migrate"]}) != 1:
        yield "engines and migration are of different images"
    one, two = (compose["services"][name] for name in ENGINES)
    if one != two:
        yield "the engines differ"


def tight(compose):
    for name, service in compose["services"].items():
        if service.get("privileged") or service.get("cap_drop") != ["ALL"]:
            yield f"{name}: has rights that it does not need"
        if service.get("cap_add", []) != CAPABILITIES.get(name, []):
            yield f"{name}: is given {service['cap_add']}"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name}: may get new rights"
        if name != "volumes" and service.get("read_only") is not True:
            yield f"{name}: its file system can be written to"
        if service.get("network_mode") == "host" or service.get("pid") == "host":
            yield f"{name}: is in the machine's own network or processes"
        if service.get("restart") != ("no" if name in ONCE else "unless-stopped"):
            yield f"{name}: is not started again as it should be"
        if "max-size" not in service.get("logging", {}).get("options", {}):
            yield f"{name}: its log fills the disk"
        for port in service.get("ports", []):
            address = port if isinstance(port, str) else f"{port.get('host_ip', '')}:{port.get('published')}"
            if name not in PUBLIC and not address.startswith("127.0.0.1:"):
                yield f"{name}: can be reached from outside at {address}"
        for mount in service.get("volumes", []):
            source, target, *mode = mount.split(":") if isinstance(mount, str) else (mount["source"], mount["target"])
            if "docker.sock" in source:
                yield f"{name}: rules Docker"
            if source.startswith(("/", ".")):
                if mode != ["ro"]:
                    yield f"{name}: may write to {source}"
                if not Path(source).exists():
                    yield f"{name}: {source} is not there"


def order(compose):
    services = compose["services"]

    def condition(name, other):
        return depends(services[name]).get(other, {}).get("condition")

    wanted = [("postgres", "volumes", "service_completed_successfully"), ("migrate", "postgres", "service_healthy")]
    for name in ENGINES:
        wanted += [
            (name, "postgres", "service_healthy"),
            (name, "redis", "service_healthy"),
            (name, "migrate", "service_completed_successfully"),
            ("engines-ready", name, "service_started"),
        ]
    wanted += [("nginx", "engines-ready", "service_completed_successfully")]
    for name, other, state in wanted:
        if condition(name, other) != state:
            yield f"{name} does not wait for {other} ({state})"
    for name in services:
        for other, told in depends(services[name]).items():
            if told["condition"] == "service_healthy" and "test" not in services[other].get("healthcheck", {}):
                yield f"{name} waits for the health of {other}, which has no check"
    for name in ("nginx", "postgres", "redis", "prometheus", "grafana"):
        if "test" not in services[name].get("healthcheck", {}):
            yield f"{name} has no health check"
    asked = services["engines-ready"]["command"][0]
    if not all(engine in asked for engine in ENGINES) or "/api/ready" not in asked:
        yield "engines-ready does not ask both engines whether they are ready"
    if seconds(services["backup"].get("stop_grace_period", "10s")) < 30:
        yield "backup is killed before it has cleaned up"
    for name in ENGINES:
        if seconds(services[name].get("stop_grace_period", "10s")) < grace() + 5:
            yield f"{name} is killed before it could end"


def seconds(text):
    minutes, rest = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", text).groups()
    return int(minutes or 0) * 60 + int(rest or 0)


def grace():
    source = Path("core/src/engine/mod.rs").read_text()
    return int(re.search(r"GRACE: Duration = Duration::from_secs\((\d+)\)", source)[1])


def networks(compose):
    services = compose["services"]
    inside = {name for name, network in compose["networks"].items() if network and network.get("internal")}
    if inside != {"data", "monitoring"}:
        yield f"the networks without a way out are {sorted(inside)}"
    for name in ("postgres", "redis", "backup", "migrate"):
        if set(services[name]["networks"]) != {"data"}:
            yield f"{name} is not in the network data alone"
    for name in ENGINES:
        names = {network: set((told or {}).get("aliases", [])) for network, told in services[name]["networks"].items()}
        if names != {"front": {"codeflow-engine"}, "data": set(), "monitoring": {"autopr"}}:
            yield f"{name} has not the names by which it is found"
    if "set $engine codeflow-engine;" not in (COMPOSE / "nginx/nginx.conf").read_text():
        yield "nginx asks for another name than the engines have"
    prometheus = Path("deploy/monitoring/prometheus.yml")
    jobs = yaml.safe_load(prometheus.read_text())["scrape_configs"]
    found = [entry["names"] for job in jobs if job["job_name"] == "autopr" for entry in job["dns_sd_configs"]]
    if found != [["autopr"]]:
        yield f"{prometheus} asks for another name than the engines have"


def secrets(compose):
    for text in strings(compose["services"]):
        if re.search(r"://[^/\s:]*:[^@\s]+@|gh[ps]_\w{8}|sk-\w{8}|PRIVATE KEY|requirepass", text):
            yield f"a secret stands in the file: {text[:20]}…"
    for name, secret in compose["secrets"].items():
        path = Path(secret["file"])
        if path.parent.name not in ("secrets", "tls") or not path.exists():
            yield f"secret {name}: ./prepare makes no {path}"
        elif path.stat().st_mode & 0o777 != 0o444 or path.parent.stat().st_mode & 0o777 != 0o700:
            yield f"secret {name}: the containers can't read it, or others can"
    if not re.fullmatch(r"\w+=\w{32,}", Path(compose["secrets"]["api-keys"]["file"]).read_text()):
        yield "secret api-keys: is not name=key"
    given = {
        name: {told if isinstance(told, str) else told["source"] for told in service.get("secrets", [])}
        for name, service in compose["services"].items()
    }
    for name, keys in given.items():
        for key in keys - compose["secrets"].keys():
            yield f"{name}: there is no secret {key}"
    needs = {
        "nginx": {"tls-certificate", "tls-key"},
        "migrate": {"database-url"},
        "redis": {"redis-conf"},
        "backup": {"backup-url"},
        "grafana": {"grafana-password"},
        "postgres": {"postgres-password", "database-url", "backup-url"},
    }
    for name, keys in given.items():
        if name not in ENGINES and keys != needs.get(name, set()):
            yield f"{name}: gets the secrets {sorted(keys)}"
    for name in ENGINES:
        # What every deployment has; as whom it writes and which models it asks is up to .env.
        for key in ("database-url", "redis-url", "github-webhook-secret", "api-keys"):
            variable = {"api-keys": "AUTOPR_API_KEYS"}.get(key, key.upper().replace("-", "_"))
            if compose["services"][name]["environment"].get(f"{variable}_FILE") != f"/run/secrets/{key}":
                yield f"{name}: is not given {variable}"
        if given[name] & {"postgres-password", "backup-url", "tls-key", "grafana-password"}:
            yield f"{name}: gets secrets of others"


def settings(compose):
    source = Path("functions/runtime/src/settings/environment.rs").read_text()
    known = set(re.findall(r'name: "([A-Z_]+)"', source))
    template = (COMPOSE / ".env.example").read_text()
    offered = set(re.findall(r"^#?([A-Z_]+)=", template, re.M))
    for name in [*ENGINES, "migrate"]:
        service = compose["services"][name]
        given = {told if isinstance(told, str) else told["source"] for told in service["secrets"]}
        for variable, value in service["environment"].items():
            if variable not in known and variable.removesuffix("_FILE") not in known:
                yield f"{name}: {variable} is no setting"
            if variable.endswith("_FILE") and value and value.removeprefix("/run/secrets/") not in given:
                yield f"{name}: {variable} names a secret that it does not get"
        if "/etc/autopr/autopr.yaml" not in service["command"]:
            yield f"{name}: reads another configuration"
    # What can be set is what the file takes from .env.
    used = set(re.findall(r"\$\{([A-Z_]+)", (COMPOSE / "docker-compose.yml").read_text())) | {"COMPOSE_PROJECT_NAME"}
    for name in sorted(used ^ offered):
        yield f"{name} stands in .env.example or in docker-compose.yml, but not in both"
    for variable in re.findall(r"^#?([A-Z_]+_FILE)=/run/secrets/(.*)$", template, re.M):
        if variable[1] not in compose["secrets"]:
            yield f".env.example: {variable[0]} names no secret"


def configuration(_):
    ours = yaml.safe_load((COMPOSE / "autopr.yaml").read_text())
    production = yaml.safe_load(Path("configs/production.yaml").read_text())
    production["redis"]["ssl"] = False
    production["database"]["migrate_on_start"] = False
    if ours != production:
        differ = sorted(key for key in ours.keys() | production.keys() if ours.get(key) != production.get(key))
        yield f"autopr.yaml is not configs/production.yaml but for what it says: {differ}"


def database(compose):
    told = compose["services"]["postgres"]["command"]
    options = dict(argument[2:].split("=", 1) for argument in told if argument.startswith("-c"))
    if options.get("wal_level") != "replica" or options.get("archive_mode") != "on":
        yield "the write-ahead log is not archived"
    # The objective is an hour; the alert comes after half of one.
    if not 0 < int(options.get("archive_timeout", 0)) <= 900:
        yield "the write-ahead log is archived too seldom"
    if "/backup/archive-wal" not in options.get("archive_command", ""):
        yield "the write-ahead log is archived by something else"
    pool = yaml.safe_load((COMPOSE / "autopr.yaml").read_text())["database"]
    # Two more each, one for publishing and one for listening; three are the server's own, a few are people's.
    wanted = len(ENGINES) * (pool["pool_size"] + pool["max_overflow"] + 2) + 3 + 10
    if int(options.get("max_connections", 100)) < wanted:
        yield f"the server allows fewer than {wanted} connections"
    environment = compose["services"]["backup"]["environment"]
    for key in ("BACKUP_TARGET", "BACKUP_METRICS"):
        if environment[key] != compose["services"]["postgres"]["environment"][key]:
            yield f"{key}: dumps and the log go to different places"
    if str(environment["BACKUP_KEEP_DAYS"]) != "30":
        yield "backups are not kept for 30 days"


RULES = [who_is_there, tight, order, networks, secrets, settings, configuration, database]


def mistakes(compose):
    for rule in RULES:
        try:
            yield from rule(compose)
        except (KeyError, TypeError, IndexError, StopIteration) as error:
            yield f"{rule.__name__}: something is missing: {error!r}"


DELETE = object()


def put(*path, value):
    def plant(compose):
        target = compose
        for step in path[:-1]:
            target = target.setdefault(step, {}) if isinstance(target, dict) else target[step]
        if value is DELETE:
            del target[path[-1]]
        else:
            target[path[-1]] = value

    return plant


def service(name, *path, value):
    return put("services", name, *path, value=value)


def replace_argument(name, start, value):
    def plant(compose):
        command = compose["services"][name]["command"]
        command[next(i for i, argument in enumerate(command) if argument.startswith(start))] = value

    return plant


PLANTED = [
    (put("services", "redis", value=DELETE), "something is missing"),
    (put("services", "migrate", value=DELETE), "there is no service migrate"),
    (service("nginx", "image", value="nginx"), "no fixed tag"),
    (service("grafana", "image", value="grafana/grafana:latest"), "no fixed tag"),
    (service("postgres", "image", value="postgres:14"), "is not postgres:15"),
    (service("migrate", "image", value="a/autopr:0.0.1"), "different images"),
    (service("engine-2", "stop_grace_period", value="30s"), "the engines differ"),
    (service("grafana", "privileged", value=True), "does not need"),
    (service("grafana", "cap_drop", value=DELETE), "does not need"),
    (service("redis", "cap_add", value=["SYS_ADMIN"]), "is given"),
    (service("redis", "security_opt", value=DELETE), "new rights"),
    (service("prometheus", "read_only", value=False), "can be written to"),
    (service("prometheus", "network_mode", value="host"), "own network"),
    (service("redis", "restart", value="no"), "started again"),
    (service("migrate", "restart", value="unless-stopped"), "started again"),
    (service("redis", "logging", value=DELETE), "fills the disk"),
    (service("postgres", "ports", value=["5432:5432"]), "from outside"),
    (service("grafana", "volumes", value=["/var/run/docker.sock:/var/run/docker.sock:ro"]), "rules Docker"),
    (service("backup", "volumes", value=["/backup:/backup"]), "may write to"),
    (service("backup", "volumes", value=["/not/there:/backup:ro"]), "is not there"),
    (service("engine-1", "depends_on", "migrate", "condition", value="service_started"), "does not wait for migrate"),
    (service("nginx", "depends_on", value=DELETE), "does not wait for engines-ready"),
    (service("postgres", "healthcheck", value=DELETE), "which has no check"),
    (service("grafana", "healthcheck", value=DELETE), "grafana has no health check"),
    (service("engines-ready", "command", 0, value="wget http://engine-1:8080/api/ready"), "does not ask both"),
    (service("engine-1", "stop_grace_period", value="5s"), "killed before"),
    (service("backup", "stop_grace_period", value="10s"), "backup is killed before"),
    (service("engine-2", "environment", "AUTOPR_API_KEYS_FILE", value=""), "engine-2: is not given AUTOPR_API_KEYS"),
    (put("secrets", "api-keys", "file", value=str(COMPOSE / "secrets/redis-url")), "is not name=key"),
    (put("networks", "data", "internal", value=False), "without a way out"),
    (service("postgres", "networks", "front", value=None), "in the network data alone"),
    (service("engine-1", "networks", "monitoring", "aliases", value=["engine"]), "by which it is found"),
    (service("engine-1", "environment", "DATABASE_URL", value="postgresql://a:b@c/d"), "a secret stands"),
    (put("secrets", "redis-url", "file", value="/etc/hostname"), "./prepare makes no"),
    (service("nginx", "secrets", value=["tls-key", "tls-certificate", "nothing"]), "there is no secret nothing"),
    (service("redis", "secrets", value=["redis-conf", "database-url"]), "redis: gets the secrets"),
    (service("engine-1", "secrets", value=["postgres-password"]), "gets secrets of others"),
    (service("engine-1", "environment", "MAX_WORKFLOWS", value="1"), "is no setting"),
    (service("engine-1", "environment", "REDIS_URL_FILE", value="/run/secrets/redis"), "names a secret that"),
    (service("engine-1", "command", value=["serve"]), "another configuration"),
    (replace_argument("postgres", "-carchive_mode", "-carchive_mode=off"), "is not archived"),
    (replace_argument("postgres", "-carchive_timeout", "-carchive_timeout=7200"), "too seldom"),
    (replace_argument("postgres", "-carchive_command", "-carchive_command=cp %p /x/%f"), "something else"),
    (replace_argument("postgres", "-cmax_connections", "-cmax_connections=100"), "fewer than"),
    (service("backup", "environment", "BACKUP_TARGET", value="/elsewhere"), "different places"),
    (service("backup", "environment", "BACKUP_KEEP_DAYS", value="3"), "30 days"),
]


def main(file):
    compose = yaml.safe_load(Path(file).read_text())
    wrong = 0
    for message in mistakes(compose):
        print(f"deploy/compose: {message}", file=sys.stderr)
        wrong += 1
    for index, (plant, expected) in enumerate(PLANTED):
        spoiled = copy.deepcopy(compose)
        plant(spoiled)
        told = list(mistakes(spoiled))
        if not any(expected in message for message in told):
            print(f'planted mistake {index} should be told as "{expected}", but is as {told}', file=sys.stderr)
            wrong += 1
    print(
        f"{len(RULES)} groups of rules over {len(compose['services'])} services; {len(PLANTED)} planted mistakes: {wrong} wrong"
    )
    sys.exit(1 if wrong else 0)


main(sys.argv[1])
