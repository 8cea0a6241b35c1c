"""What the rules and the dashboard must say beyond being valid. Called by scripts/check-monitoring.

Every metric an expression names is declared in core/src/telemetry.rs, recorded by a rule, or written by deploy/backup; its labels
are those that the README gives it. Every rule has a story in which it fires, every alert a paragraph in the documentation.
"""

import json
import re
import sys
from pathlib import Path

import yaml

FOLDER = Path("deploy/monitoring")
DASHBOARD = Path("docs/monitoring/grafana-dashboard.json")
GUIDE = Path("docs/monitoring.md")

# Made by Prometheus itself.
OWN = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate"}}
# Told by kube-state-metrics of the jobs of deploy/k8s/components/backup.
CLUSTER = {name: {"namespace", "cronjob"} for name in ("kube_cronjob_status_last_successful_time", "kube_cronjob_created")}
# Added by Prometheus to whatever it scrapes; the last by its operator, in a cluster.
EVERYWHERE = {"job", "instance", "namespace"}
KEYWORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "inf", "nan"}

wrong = []


def holds(condition, message):
    if not condition:
        wrong.append(message)


def declared():
    """The engine's metrics: kind and labels."""
    source = Path("core/src/telemetry.rs").read_text()
    kinds = dict((name, kind) for kind, name in re.findall(r'describe_(\w+) \w+ \w+ "(autopr_\w+)"', source))
    rows = re.findall(r"^\| `(autopr_\w+)` \|(.*)\|$", Path("README.md").read_text(), re.M)
    labels = {name: {label.strip() for label in text.split(":")[0].split(",")} - {""} for name, text in rows}
    # `queue, state: waiting, dead` lists values behind the colon.
    holds(set(kinds) == set(labels), f"README.md and core/src/telemetry.rs differ in {set(kinds) ^ set(labels)}")
    metrics = {}
    for name, kind in kinds.items():
        with_labels = labels.get(name, set())
        if kind == "histogram":
            metrics[f"{name}_bucket"] = with_labels | {"le"}
            metrics[f"{name}_sum"] = metrics[f"{name}_count"] = with_labels
        else:
            metrics[name] = with_labels
    return metrics


def written_by_backup():
    """The metrics that deploy/backup writes into its text files."""
    text = "".join(path.read_text() for path in Path("deploy/backup").iterdir() if path.is_file())
    return {name: set() for name in re.findall(r"# TYPE (autopr_\w+) gauge", text)}


def check(place, expression, metrics):
    """Looks at the names and labels of an expression."""
    left = expression
    left = re.sub(r"\[[^\]]*\]", "", left)
    used = set()
    # A selector: its name, and the labels that it asks for.
    for name, matchers in re.findall(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}", left):
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"(?:[^"\\]|\\.)*"', '""', matchers)):
            holds(label in metrics.get(name, set()) | EVERYWHERE, f"{place}: {name} has no label {label}")
    left = re.sub(r"\{[^}]*\}", "", re.sub(r'"(?:[^"\\]|\\.)*"', '""', left))
    grouped = [label.strip() for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", left) for label in group.split(",") if label.strip()]
    left = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", left)
    # Durations such as 26h and 1h after `offset`.
    left = re.sub(r"\b\d[\w.]*\b", "", left)
    # What is followed by a parenthesis is a function.
    for name in re.findall(r"(?<![\w:])[a-zA-Z_:][\w:]*(?![\w:])(?!\s*\()", left):
        if name.lower() in KEYWORDS:
            continue
        holds(name in metrics, f"{place}: nobody exports {name}")
        used.add(name)
    known = EVERYWHERE.union(*(metrics.get(name, set()) for name in used))
    for label in grouped:
        holds(label in known, f"{place}: none of {', '.join(sorted(used))} has the label {label}")
    holds(used or "vector" in expression, f"{place}: no metric in {expression}")
    return used


def main():
    metrics = declared() | written_by_backup() | OWN | CLUSTER
    engine = set(declared())
    rules = [
        rule
        for file in sorted((FOLDER / "rules").glob("*.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]
    seen = set()
    for rule in rules:
        if "record" in rule:
            used = check(rule["record"], rule["expr"], metrics)
            groups = re.findall(r"\bby\s*\(([^)]*)\)", rule["expr"])
            holds(all("namespace" in group for group in groups), f"{rule['record']}: without namespace")
            holds(not re.search(r"\b(?:sum|max|min|count|avg)\s*\(", rule["expr"]), f"{rule['record']}: without namespace")
            metrics[rule["record"]] = {label.strip() for group in groups for label in group.split(",")} - {"le"}
            seen |= used
    for rule in rules:
        if "alert" in rule:
            seen |= check(rule["alert"], rule["expr"], metrics)
            holds(rule["labels"].get("severity") in ("critical", "warning"), f"{rule['alert']}: severity")
            holds({"summary", "description"} == set(rule["annotations"]), f"{rule['alert']}: annotations")
            # In one cluster there may be production and staging: an alert that mixes them up tells of neither.
            sums = re.findall(r"\b(?:sum|max|min|count|avg)\b(?!\s*by\s*\([^)]*\bnamespace\b)(?!\s*\(absent\()", rule["expr"])
            holds(not sums, f"{rule['alert']}: {sums} without namespace")
            holds(f"`{rule['alert']}`" in GUIDE.read_text(), f"{rule['alert']} is not in {GUIDE}")

    calls = yaml.safe_load((FOLDER / "alertmanager.yml").read_text())
    holds("namespace" in calls["route"]["group_by"], "alertmanager.yml: alerts of two namespaces are told as one")
    for rule in calls["inhibit_rules"]:
        holds("namespace" in rule.get("equal", []), f"alertmanager.yml: {rule['source_matchers']} silences other namespaces")

    stories = [story for file in sorted((FOLDER / "tests").glob("*.yml")) for story in yaml.safe_load(file.read_text())["tests"]]
    fired = {t["alertname"] for story in stories for t in story.get("alert_rule_test", []) if t["exp_alerts"]}
    quiet = {t["alertname"] for story in stories for t in story.get("alert_rule_test", []) if not t["exp_alerts"]}
    alerts = {rule["alert"] for rule in rules if "alert" in rule}
    holds(alerts == fired, f"alerts without a story in which they fire, or the other way round: {sorted(alerts ^ fired)}")
    holds(alerts == quiet, f"alerts without a moment in which they are quiet, or the other way round: {sorted(alerts ^ quiet)}")

    dashboard = json.loads(DASHBOARD.read_text())
    expressions = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]
    expressions += [(a["name"], a["expr"]) for a in dashboard["annotations"]["list"]]
    expressions += [(v["name"], re.sub(r"label_values\((.*), \w+\)", r"\1", v["query"]["query"])) for v in dashboard["templating"]["list"] if v["type"] == "query"]
    for title, expression in expressions:
        used = check(title, expression, metrics)
        seen |= used
        holds(not any(":" in name for name in used), f"{title}: a panel must not need the recording rules")
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in seen}
    every = {re.sub("_(bucket|sum|count)$", "", name) for name in engine}
    holds(every <= shown, f"metrics that nobody looks at: {sorted(every - shown)}")

    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        sys.exit(1)
    print(f"{len(rules)} rules and {len(expressions)} expressions of the dashboard name {len(shown & every)} of the engine's {len(every)} metrics, all with labels they have")
    print(f"{len(alerts)} alerts fire in one of {len(stories)} stories, keep quiet in another, and are explained in {GUIDE}")


main()
