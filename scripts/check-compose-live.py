"""Starts the nginx, PostgreSQL and Redis of this machine with what deploy/compose gives to theirs, and uses them.

Called by scripts/check-compose with docker-compose's output and a folder to work in. Only addresses, ports and folders are
others than in the containers.
"""

import http.client
import http.server
import os
import pwd
import re
import shlex
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import yaml

COMPOSE = Path("deploy/compose").resolve()
AS_ROOT = os.geteuid() == 0
PATIENCE = 30
checks = 0


def holds(condition, message):
    global checks
    checks += 1
    if not condition:
        print(f"deploy/compose: {message}", file=sys.stderr)
        sys.exit(1)


def free_port(address="127.0.0.1"):
    with socket.socket() as one:
        one.bind((address, 0))
        return one.getsockname()[1]


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    holds(False, f"{what} did not come to pass within {PATIENCE} s")


def replaced(text, pairs):
    for old, new in pairs:
        holds(old in text, f"`{old}` is to be replaced for the test, and is not there")
        text = text.replace(old, new)
    return text


def as_postgres(argv):
    """PostgreSQL does not run as root; everybody else stays who they are."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *argv] if AS_ROOT else argv


class Engine(http.server.ThreadingHTTPServer):
    """Stands in for an engine: says who it is and what it was asked."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, address, port):
        self.name, self.status, self.asked = address, None, []
        super().__init__((address, port), Answer)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path))
        answer = (
            f"{self.server.name} {len(body)} {self.headers['X-Forwarded-Proto']} {self.headers['X-Hub-Signature-256']}".encode()
        )
        self.send_response(self.server.status or 202)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def log_message(self, *_):
        pass


class Names(threading.Thread):
    """Docker's name server: tells the addresses of `codeflow-engine`, and of nothing else."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port, self.addresses = self.socket.getsockname()[1], []

    def run(self):
        while True:
            query, client = self.socket.recvfrom(512)
            end = query.index(b"\0", 12) + 5
            known = query[12:end].startswith(b"\x0fcodeflow-engine\0\0\1")
            answers = self.addresses if known else []
            head = query[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, len(answers), 0, 0)
            records = b"".join(
                b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(address) for address in answers
            )
            self.socket.sendto(head + query[12:end] + records, client)


def nginx(folder):
    folder = folder / "nginx"
    (folder / "acme/.well-known/acme-challenge").mkdir(parents=True)
    (folder / "acme/.well-known/acme-challenge/token").write_text("proof")
    names, port = Names(), free_port("127.0.1.1")
    names.start()
    plain, tls, inner = free_port(), free_port(), free_port()
    configuration = replaced(
        (COMPOSE / "nginx/nginx.conf").read_text(),
        [
            # First: the folders that come in may lie there too.
            ("/tmp/", f"{folder}/"),
            # Each worker asks for names by itself; with one it is known when the old addresses are forgotten.
            ("worker_processes auto;", "worker_processes 1;"),
            ("listen 8080 ", f"listen 127.0.0.1:{plain} "),
            ("listen 8443 ", f"listen 127.0.0.1:{tls} "),
            ("listen 127.0.0.1:8081", f"listen 127.0.0.1:{inner}"),
            ("http://$engine:8080", f"http://$engine:{port}"),
            # What a busy machine can send in a second is not known; that it sends more than one is.
            ("rate=100r/s", "rate=1r/s"),
            ("resolver 127.0.0.11 valid=5s", f"resolver 127.0.0.1:{names.port} valid=1s"),
            ("/run/secrets/tls-certificate", str(COMPOSE / "tls/certificate.pem")),
            ("/run/secrets/tls-key", str(COMPOSE / "tls/key.pem")),
            ("/var/www/acme", str(folder / "acme")),
            ("/dev/stderr", str(folder / "errors")),
            ("/dev/stdout", str(folder / "requests")),
        ],
    )
    # As root its workers would be somebody who may not see the folder; in the container all are the same.
    if AS_ROOT:
        configuration = "user root;\n" + configuration
    (folder / "nginx.conf").write_text(configuration)
    program = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE)
    context = ssl.create_default_context(cafile=COMPOSE / "tls/certificate.pem")

    def ask(method, path, body=None, headers=None, port=tls):
        made = http.client.HTTPConnection("localhost", port, timeout=PATIENCE)
        if port == tls:
            made = http.client.HTTPSConnection("localhost", port, timeout=PATIENCE, context=context)
        try:
            made.request(method, path, body, headers or {})
            answer = made.getresponse()
            return answer.status, answer.read().decode(errors="replace"), answer.headers
        finally:
            made.close()

    def webhook(body=b"{}"):
        return ask("POST", "/webhooks/github", body, {"X-Hub-Signature-256": "sha256=abc"})

    def up(port):
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    try:
        until(lambda: up(tls) or program.poll() is not None, "nginx")
        holds(program.poll() is None, f"nginx does not start: {program.stderr.read().decode() if program.poll() else ''}")
        status, _, headers = ask("GET", "/a?b=c", port=plain)
        holds((status, headers["Location"]) == (308, "https://localhost/a?b=c"), "HTTP is not sent on to HTTPS")
        proof = ask("GET", "/.well-known/acme-challenge/token", port=plain)[:2]
        holds(proof == (200, "proof"), "a certificate authority does not see its proof")

        names.addresses = ["127.0.1.1", "127.0.1.2"]
        one, two = Engine("127.0.1.1", port), Engine("127.0.1.2", port)
        status, told, _ = webhook(b"x" * 1_000_000)
        holds(status == 202 and told.split()[1:] == ["1000000", "https", "sha256=abc"], f"a webhook arrives as {status} {told}")
        holds(webhook(b"x" * (25 << 20))[0] == 202, "GitHub's largest webhook is refused")
        status, _, _ = webhook(b"x" * ((25 << 20) + 1))
        holds(status == 413, f"a larger one is answered {status}")
        who = Counter(webhook()[1].split()[0] for _ in range(20))
        holds(len(who) == 2, f"the work goes to {dict(who)}")
        holds(ask("GET", "/ready", port=inner)[0] == 202, "the health check does not reach an engine")

        # One stops: nobody hears of it.
        one.stop()
        told = Counter(webhook()[0] for _ in range(30))
        holds(told == {202: 30}, f"with one engine stopped webhooks are answered {dict(told)}")
        told = Counter(ask("GET", "/api/executions")[0] for _ in range(30))
        holds(told == {202: 30}, f"with one engine stopped reads are answered {dict(told)}")

        # One can't take anything: a webhook goes to the other; another change is told of as it is, and not made twice.
        one = Engine("127.0.1.1", port)
        one.status = 503
        told = Counter(webhook()[0] for _ in range(30))
        holds(told == {202: 30}, f"with one engine unable webhooks are answered {dict(told)}")
        for engine in (one, two):
            engine.asked.clear()
        told = Counter(ask("POST", "/api/executions/1/retry", b"{}")[0] for _ in range(20))
        holds(len(one.asked) + len(two.asked) == 20, "a change is sent to two engines")
        holds(told.keys() <= {202, 503}, f"a change is answered {dict(told)}")

        # One is replaced, at another address.
        one.stop()
        two.stop()
        three = Engine("127.0.1.3", port)
        names.addresses = ["127.0.1.3"]
        until(lambda: webhook()[1].startswith("127.0.1.3"), "finding an engine at its new address")
        three.stop()
        holds(webhook()[0] == 502, "without an engine a webhook is not refused")
        three = Engine("127.0.1.3", port)

        # In the log stands no query.
        ask("GET", "/api/executions?key=hidden")
        holds("hidden" not in (folder / "requests").read_text(), "the log has queries")

        # Too much from one address.
        told = Counter()

        def hurry():
            made = http.client.HTTPSConnection("localhost", tls, timeout=PATIENCE, context=context)
            for _ in range(200):
                made.request("GET", "/api/workflows")
                answer = made.getresponse()
                answer.read()
                told[answer.status] += 1
            made.close()

        hurrying = [threading.Thread(target=hurry) for _ in range(4)]
        for thread in hurrying:
            thread.start()
        for thread in hurrying:
            thread.join()
        holds(told[503] > 0 and told[202] >= 250, f"800 requests at once are answered {dict(told)}")
    finally:
        program.terminate()
        program.wait()


def redis(folder, compose):
    service = compose["services"]["redis"]
    port = free_port()
    (folder / "redis").mkdir()
    argv = [
        COMPOSE / argument.replace("/run/secrets/", "secrets/") if argument.startswith("/run/secrets/") else argument
        for argument in service["entrypoint"]
    ]
    program = subprocess.Popen(
        [*argv, *service["command"], "--port", str(port), "--bind", "127.0.0.1"],
        cwd=folder / "redis",
        stdout=subprocess.DEVNULL,
    )

    def cli(*arguments):
        done = subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(port), *arguments], capture_output=True, text=True)
        return done.stdout + done.stderr

    try:
        until(lambda: "NOAUTH" in cli("ping"), "Redis")
        url = (COMPOSE / "secrets/redis-url").read_text()
        holds(url.startswith("redis://:") and url.endswith("@redis:6379/0"), "the address of Redis")
        known = ["--no-auth-warning", "-a", url.removeprefix("redis://:").partition("@")[0]]
        holds("PONG" in cli(*known, "ping"), f"the password in redis-url is not Redis's: {cli(*known, 'ping')}")
        holds("allkeys-lru" in cli(*known, "config", "get", "maxmemory-policy"), "what Redis does when it is full")
        # The check in the file, word for word, but for the port.
        healthy = service["healthcheck"]["test"][1].replace("redis-cli", f"redis-cli -p {port}")
        holds(subprocess.run(["sh", "-c", healthy]).returncode == 0, "Redis's health check fails")
    finally:
        program.terminate()
        program.wait()
    holds(
        subprocess.run(["sh", "-c", healthy], stderr=subprocess.DEVNULL).returncode != 0,
        "Redis's health check holds without Redis",
    )


def alive(folder):
    """The processes that have a folder's name among their arguments."""
    told = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True).stdout.split()
    return [pid for pid in told if int(pid) != os.getpid()]


def daily(folder, compose):
    """The service's own doings, with backups that only say that they ran."""
    folder = folder / "daily"
    for name in ("scripts", "backups/base", "backups/dump", "backups/autopr-backup.old", "backups/autopr-backup.new"):
        (folder / name).mkdir(parents=True)
    os.utime(folder / "backups/autopr-backup.old", (0, 0))
    (folder / "backups/daily/autopr-backup.killed").mkdir(parents=True)
    (folder / "url").write_text("postgresql://nobody")
    service = compose["services"]["backup"]
    given = {key: str(value) for key, value in service["environment"].items()} | {
        "DATABASE_URL_FILE": str(folder / "url"),
        "BACKUP_TARGET": str(folder / "backups"),
        "BACKUP_WORK": str(folder / "backups"),
        "BACKUP_SCRIPTS": str(folder / "scripts"),
        "BACKUP_RETRY_SECONDS": "1",
        "PATH": os.environ["PATH"],
    }
    program = str(COMPOSE / Path(service["entrypoint"][0]).name)

    def script(name, text):
        path = folder / "scripts" / name
        path.write_text(f"#!/bin/bash\necho {name} >>{folder}/ran\n{text}\n")
        path.chmod(0o755)

    def ran():
        told = folder / "ran"
        return Counter(told.read_text().split()) if told.exists() else Counter()

    # The one that works is not made again and again because of the other one.
    for good, bad in (("backup", "base-backup"), ("base-backup", "backup")):
        (folder / "ran").unlink(missing_ok=True)
        script(good, "exit 0")
        script(bad, "exit 1")
        told = subprocess.run([program, "once"], env=given, timeout=PATIENCE, capture_output=True)
        holds(told.returncode == 1 and ran() == {good: 1, bad: 1}, f"`once` with a failing {bad}: {told.returncode}, {dict(ran())}")
        (folder / "ran").unlink()
        service = subprocess.Popen([program], env=given)
        until(lambda bad=bad: ran()[bad] >= 3, f"trying {bad} again")
        service.terminate()
        holds(service.wait(PATIENCE) == 0, "the backup service does not end")
        holds(ran()[good] == 1, f"while {bad} fails, {good} is made {ran()[good]} times")
    holds(not (folder / "backups/autopr-backup.old").exists(), "what was killed long ago stays and fills the disk")
    holds(not (folder / "backups/daily/autopr-backup.killed").exists(), "what was killed stays and fills the disk")
    holds((folder / "backups/autopr-backup.new").exists(), "somebody else's work is removed")

    # A stop in the middle of a backup ends it, and what it has started, at once; and it cleans up.
    (folder / "ran").unlink()
    script("backup", f'trap "echo cleaned >>{folder}/ran" EXIT\nsleep 300 | tail -f --pid=$$ /dev/null {folder}/ran >/dev/null')
    service = subprocess.Popen([program], env=given)
    until(lambda: ran()["backup"] == 1, "the dump")
    time.sleep(0.3)
    begun = time.monotonic()
    service.terminate()
    holds(service.wait(PATIENCE) == 0 and time.monotonic() - begun < 5, "a stop waits for the backup that is under way")
    until(lambda: not alive(folder), "the end of a stopped backup's processes")
    holds(ran()["cleaned"] == 1, "a stopped backup leaves its work behind")


def recovery():
    """What docs/compose.md says of laying out a copy: its variables, program, service and arguments."""
    (line,) = re.findall(r"^docker compose run (.*--entrypoint .*)$", Path("docs/compose.md").read_text(), re.M)
    told, variables = shlex.split(line), {}
    holds({"--rm", "--no-deps"} <= set(told), "the recovery leaves a container behind, or starts others")
    program = told[told.index("--entrypoint") + 1]
    rest = told[told.index("--entrypoint") + 2 :]
    for index, word in enumerate(told):
        if word == "-e":
            variables |= dict([told[index + 1].split("=", 1)])
    return variables, program, rest[0], rest[1:]


def postgres(folder, compose):
    tree, folder = folder / "tree", folder / "postgres"
    services = compose["services"]
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))[-1]
    for name in ("data", "socket", "backups", "metrics", "secrets"):
        (folder / name).mkdir(parents=True)
    port = free_port()
    for name in ("database-url", "backup-url"):
        address = (COMPOSE / "secrets" / name).read_text()
        (folder / "secrets" / name).write_text(address.replace("@postgres:5432", f"@127.0.0.1:{port}"))
    if AS_ROOT:
        subprocess.run(["chown", "-R", "postgres:", folder], check=True)
        # The scripts and the file with the rules must be seen by the server's user.
        for path in [tree, *tree.rglob("*")]:
            if "secrets" not in path.parts and "tls" not in path.parts:
                path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
    user = "postgres" if AS_ROOT else pwd.getpwuid(os.geteuid()).pw_name
    rules = (COMPOSE / "postgres/pg_hba.conf").read_text()
    if user != "postgres":
        rules = rules.replace(" peer", " trust")
    (folder / "pg_hba.conf").write_text(rules)
    subprocess.run(
        as_postgres(
            [
                programs / "initdb",
                "-D",
                folder / "data",
                "-U",
                "postgres",
                "--no-sync",
                "--auth=reject",
                *services["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split(),
            ]
        ),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    places = {"/backup/": f"{COMPOSE.parent}/backup/", "/etc/postgresql/pg_hba.conf": str(folder / "pg_hba.conf")}
    command = services["postgres"]["command"][1:]
    for old, new in places.items():
        command = [argument.replace(old, new) for argument in command]
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "BACKUP_TARGET": str(folder / "backups"),
        "BACKUP_METRICS": str(folder / "metrics/autopr"),
        "TMPDIR": str(folder / "socket"),
    }
    local = {**environment, "PGHOST": str(folder / "socket"), "PGPORT": str(port), "SECRETS": str(folder / "secrets")}

    def start(data="data"):
        log = open(folder / "log", "a")
        return subprocess.Popen(
            as_postgres(
                [
                    programs / "postgres",
                    "-D",
                    folder / data,
                    *command,
                    "-p",
                    str(port),
                    "-k",
                    folder / "socket",
                    "-c",
                    "listen_addresses=127.0.0.1",
                ]
            ),
            env=environment,
            stdout=log,
            stderr=log,
        )

    def ready():
        asked = [programs / "pg_isready", "--quiet", "--host=127.0.0.1", f"--port={port}"]
        return subprocess.run(asked).returncode == 0

    def sql(name, statement, database="autopr"):
        """As the user of an address in secrets/; what it prints, or the error."""
        address = (folder / "secrets" / name).read_text().rpartition("/")[0] + f"/{database}"
        done = subprocess.run([programs / "psql", "-X", "-A", "-t", "-c", statement, address], capture_output=True, text=True)
        return done.stdout.strip() or done.stderr.strip()

    server = start()
    try:
        until(lambda: ready() or server.poll() is not None, "PostgreSQL")
        holds(server.poll() is None, f"PostgreSQL does not start:\n{(folder / 'log').read_text()}")
        # What the image does while it makes the database.
        subprocess.run(as_postgres([COMPOSE / "postgres/roles.sh"]), env=local, check=True)

        holds(
            sql("database-url", "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2); SELECT sum(n) FROM t").endswith("3"),
            "the engine's user can't make tables",
        )
        holds(
            sql(
                "database-url",
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication FROM pg_roles WHERE rolname = user",
            )
            == "f",
            "the engine's user may do more than it needs",
        )
        holds(
            "no pg_hba.conf entry" in sql("database-url", "SELECT 1", "postgres"),
            "the engine's user gets into another database",
        )
        holds("pg_execute_server_program" in sql("database-url", "COPY t TO PROGRAM 'id'"), "the engine's user runs programs")
        holds(sql("backup-url", "SELECT count(*) FROM t") == "2", "backups can't read the tables")
        holds("permission denied" in sql("backup-url", "DELETE FROM t"), "backups may write")
        wrong = (folder / "secrets/database-url").read_text().replace("autopr:", "autopr:x")
        (folder / "secrets/wrong").write_text(wrong)
        holds("authentication failed" in sql("wrong", "SELECT 1"), "a wrong password will do")

        # A day's backups, as the service makes them, with what it is given.
        service = services["backup"]
        given = {key: str(value) for key, value in service["environment"].items()}
        given |= {
            "DATABASE_URL_FILE": str(folder / "secrets/backup-url"),
            "BACKUP_TARGET": str(folder / "backups"),
            "BACKUP_WORK": str(folder / "backups"),
            "BACKUP_METRICS": str(folder / "metrics/autopr"),
            "BACKUP_SCRIPTS": str(COMPOSE.parent / "backup"),
            "PATH": environment["PATH"],
            "TMPDIR": str(folder / "socket"),
        }
        daily = str(COMPOSE / Path(service["entrypoint"][0]).name)
        done = subprocess.run(as_postgres([daily, "once"]), env=given, capture_output=True, text=True, timeout=10 * PATIENCE)
        holds(done.returncode == 0, f"backups fail:\n{done.stdout}{done.stderr}{(folder / 'log').read_text()[-2000:]}")
        for pattern in ("dump/*.dump", "dump/*.sums", "base/*.tar.gz", "base/*.sums", "wal/*/*"):
            holds(list((folder / "backups").glob(pattern)), f"there is no {pattern} among the backups")
        told = "".join(path.read_text() for path in (folder / "metrics").glob("*.prom"))
        for metric in ("autopr_backup_last_success_timestamp_seconds", "autopr_base_backup_last_success_timestamp_seconds", "autopr_wal_archive_last_success_timestamp_seconds"):
            holds(metric in told, f"Prometheus does not hear of {metric}")
        holds(not list((folder / "backups").glob("autopr-backup.*")), "backups leave their work behind")
        done = subprocess.run(
            [*as_postgres([COMPOSE.parent / "backup/check", "--max-age", "3600"])],
            env=given,
            capture_output=True,
            text=True,
            timeout=10 * PATIENCE,
        )
        holds(done.returncode == 0, f"the dump does not hold: {done.stderr}")

        # Without any backup the service makes one at once; then it waits, and a signal ends it.
        shutil.rmtree(folder / "backups/base")
        waiting = subprocess.Popen(as_postgres([daily]), env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(
            lambda: (
                list((folder / "backups/base").glob("*.sums")) and not list((folder / "backups").glob("**/autopr-backup.*"))
            ),
            "the first backup",
        )
        waiting.terminate()
        holds(waiting.wait(PATIENCE) == 0, "the backup service does not end")

        # The machine's disk is lost. What docs/compose.md says brings back what was archived after the copy too, in the
        # service's own folders.
        sql("database-url", "INSERT INTO t VALUES (39)")
        subprocess.run(as_postgres([programs / "psql", "-X", "-q", "-c", "SELECT pg_switch_wal()"]), env=local, check=True, stdout=subprocess.DEVNULL)
        last = subprocess.run(
            as_postgres([programs / "psql", "-X", "-At", "-c", "SELECT last_archived_wal FROM pg_stat_archiver"]), env=local, capture_output=True, text=True
        ).stdout
        archived = ["psql", "-X", "-At", "-c", f"SELECT last_archived_wal > '{last.strip()}' FROM pg_stat_archiver"]
        until(
            lambda: subprocess.run(as_postgres(archived), env=local, capture_output=True, text=True).stdout == "t\n",
            "archiving the last piece",
        )
        server.kill()
        server.wait()
        variables, program, name, arguments = recovery()
        mounted = [mount.split(":")[1] if isinstance(mount, str) else mount["target"] for mount in services[name]["volumes"]]
        for path in [*variables.values(), program, arguments[0], services[name]["environment"]["BACKUP_TARGET"]]:
            holds(any(path == at or path.startswith(f"{at}/") for at in mounted), f"{name} has no {path}")
        there = {"/backups": folder / "backups", "/backup/": f"{COMPOSE.parent}/backup/", arguments[0]: folder / "restored"}
        holds(arguments[0] == "/var/lib/postgresql/data", f"the copy is laid out in {arguments[0]}, where no server looks")

        def here(text):
            for old, new in there.items():
                text = text.replace(old, str(new), 1) if text.startswith(old) else text
            return text

        # The service `volumes` gives a new volume to the server's user.
        subprocess.run(as_postgres(["mkdir", "-m", "0755", folder / "restored"]), check=True)
        done = subprocess.run(
            as_postgres([here(program), *map(here, arguments)]),
            env={**environment, **{key: here(value) for key, value in variables.items()}},
            capture_output=True,
            text=True,
            timeout=10 * PATIENCE,
        )
        holds(done.returncode == 0, f"the copy can't be laid out: {done.stderr}")
        server = start("restored")
        until(lambda: sql("database-url", "SELECT pg_is_in_recovery()") == "f" or server.poll() is not None, "the recovery")
        holds(server.poll() is None, f"PostgreSQL does not start on the copy:\n{(folder / 'log').read_text()[-3000:]}")
        holds(sql("database-url", "SELECT sum(n) FROM t") == "42", "what was archived does not come back")
    finally:
        server.terminate()
        server.wait()


def main(file, folder):
    compose = yaml.safe_load(Path(file).read_text())
    nginx(Path(folder))
    redis(Path(folder), compose)
    daily(Path(folder), compose)
    postgres(Path(folder), compose)
    print(f"{checks} checks of nginx, Redis and PostgreSQL hold")


main(sys.argv[1], sys.argv[2])
