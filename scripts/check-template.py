"""What template.yaml must say beyond being valid: read as CloudFormation reads it, after SAM's own expansion.

Called by scripts/check-template with the Python of its sam. Writes the expanded template to the file that is named.
"""

import json
import re
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

TEMPLATE = Path("template.yaml")
# Each function and whether it may be in the VPC.
FUNCTIONS = {"Webhook": False, "Worker": True, "Sweeper": True, "Api": True}

# What a role may do, by the names of its statements.
ALLOWED = {
    "WriteLogs": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "SendTraces": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    "ReadSecrets": ["secretsmanager:GetSecretValue"],
    "UseKey": ["kms:Decrypt", "kms:GenerateDataKey"],
    "JoinVpc": [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ],
    "OnlyLambdaJoins": ["ec2:*"],
}
ANY = {"WriteLogs", "SendTraces", "ReadSecrets", "UseKey"}
IN_VPC = ANY | {"JoinVpc", "OnlyLambdaJoins"}
MAY = {"Webhook": ANY, "Worker": IN_VPC, "Sweeper": IN_VPC, "Api": IN_VPC}
QUEUE = {
    "Webhook": ["sqs:SendMessage"],
    "Worker": [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    ],
    "Sweeper": ["sqs:SendMessage"],
}
CONCURRENCY = {"Webhook": 50, "Worker": {"Ref": "WorkerConcurrency"}, "Sweeper": 1, "Api": 10}

wrong = []


def holds(condition, message):
    if not condition:
        wrong.append(message)


def main(out):
    written = yaml_parse(TEMPLATE.read_text())
    # It leaves folders and zips that are not there to the packaging, which needs an address in S3.
    source = yaml_parse(TEMPLATE.read_text())
    for name in FUNCTIONS:
        function = source["Resources"][f"{name}Function"]["Properties"]
        holds(function["CodeUri"] == f"target/lambda/aws-{name.lower()}.zip", f"{name}: CodeUri")
        function["CodeUri"] = "s3://bucket/key"
    expanded = transform(source, {}, None)
    resources = expanded["Resources"]
    Path(out).write_text(json.dumps(expanded, indent=1))

    def properties(name):
        return resources[name]["Properties"]

    # The queue feeds the worker in batches whose messages fail one by one.
    mapping = properties("WorkerFunctionMessages")
    holds(mapping["BatchSize"] == 10, "the worker's batches have ten messages")
    holds(mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], "a message fails alone")
    holds(mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "WorkerConcurrency"}}, "batches at once are bounded")
    holds("MaximumBatchingWindowInSeconds" in mapping, "messages are gathered")
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html asks for six times the time-out.
    timeouts = written["Mappings"]["WorkerTimeouts"]
    allowed = written["Parameters"]["WorkerTimeout"]["AllowedValues"]
    holds({int(seconds) for seconds in timeouts} == set(allowed), "every time-out of the worker has a visibility")
    for seconds, row in timeouts.items():
        holds(row["Visibility"] >= 6 * int(seconds), f"messages are hidden six times as long as {seconds} s")
    holds(properties("Queue")["RedrivePolicy"]["maxReceiveCount"] == {"Ref": "MaxReceives"}, "dead letters")

    # Routes.
    paths = properties("Http")["Body"]["paths"]

    def target(path, method):
        return json.dumps(paths[path][method]["x-amazon-apigateway-integration"]["uri"])

    holds("${WebhookFunction.Arn}" in target("/webhooks/github", "post"), "POST /webhooks/github goes to the webhook function")
    holds("${ApiFunction.Arn}" in target("$default", "x-amazon-apigateway-any-method"), "the rest goes to the API function")
    holds(len(paths) == 2, "there is no other route")

    settings = Path("functions/runtime/src/settings/environment.rs").read_text()
    known = set(re.findall(r'name: "([A-Z_]+)"', settings))
    known |= {"AUTOPR_QUEUE_URL", "PGSSLMODE", "PGSSLROOTCERT"}
    for name, in_vpc in FUNCTIONS.items():
        function, role = properties(f"{name}Function"), properties(f"{name}Role")
        holds(function["Runtime"] == "provided.al2023", f"{name}: runtime")
        holds(function["TracingConfig"] == {"Mode": "Active"}, f"{name}: tracing")
        holds(("VpcConfig" in function) == in_vpc, f"{name}: VPC")
        holds(not role.get("ManagedPolicyArns"), f"{name}: no policy but its own")
        variables = function["Environment"]["Variables"]
        statements = [s["Fn::If"][1] if "Fn::If" in s else s for s in role["Policies"][0]["PolicyDocument"]["Statement"]]
        allowed = {
            s["Sid"]: (s["Effect"], *sorted([s["Action"]] if isinstance(s["Action"], str) else s["Action"]))
            for s in statements
        }
        expected = {sid: ("Deny" if sid == "OnlyLambdaJoins" else "Allow", *ALLOWED[sid]) for sid in MAY[name]}
        expected |= {"UseQueue": ("Allow", *QUEUE[name])} if name in QUEUE else {}
        holds(allowed == expected, f"{name}: the role allows {allowed}, which is not {expected}")
        for statement in statements:
            free = statement["Sid"] in {"SendTraces", "JoinVpc", "OnlyLambdaJoins"}
            everything = statement["Resource"] == "*" or "*" in statement["Resource"]
            holds(free or not everything, f"{name}: {statement['Sid']} allows it on everything")
        reserved = function.get("ReservedConcurrentExecutions", {}).get("Fn::If", [None, None])[1]
        holds(reserved == CONCURRENCY[name], f"{name}: concurrency {reserved}")
        for variable in variables.keys() - known:
            wrong.append(f"{name}: {variable} is no setting")
        # It may read the secrets that its variables name, and none else.
        named = set(re.findall(r"aws-sm://\$\{(\w+)\}", json.dumps(variables)))
        statements = [s for s in role["Policies"][0]["PolicyDocument"]["Statement"] if s.get("Sid") == "ReadSecrets"]
        granted = set(re.findall(r'"Ref": "(\w+Secret)"', json.dumps(statements)))
        holds(named == granted, f"{name}: variables name the secrets {sorted(named)}, the role reads {sorted(granted)}")
        for variable, value in variables.items():
            refers = re.findall(r'"Ref": "(\w+Secret)"', json.dumps(value))
            holds(not refers, f"{name}: {variable} holds the bare name of a secret")

    # With a webhook every few minutes, failures in consecutive minutes would never be seen.
    for name, resource in expanded["Resources"].items():
        alarm = resource["Properties"] if resource["Type"] == "AWS::CloudWatch::Alarm" else {}
        if alarm.get("MetricName") in {"Errors", "Throttles", "5xx"}:
            holds((alarm["Period"], alarm["EvaluationPeriods"]) == (300, 1), f"{name}: five minutes, once")

    for name in ["WebhookUrl", "ApiUrl", "QueueUrl"]:
        holds(name in expanded["Outputs"], f"there is an output {name}")
    for message in wrong:
        print(f"template.yaml: {message}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


main(sys.argv[1])
