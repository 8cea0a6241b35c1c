"""What Terraform itself does not look at: the tables in the folders' READMEs, and what terraform/README.md agrees on.

    terraform.py docs             writes the tables
    terraform.py docs --check     says which are not current
    terraform.py conventions      says what breaks them

Called by scripts/terraform-docs and scripts/check-terraform with the Python of python-hcl2.
"""

import functools
import json
import re
import sys
from pathlib import Path

import hcl2

ROOT = Path("terraform")
BEGIN, END = "<!-- generated -->", "<!-- /generated -->"
OUTPUTS = {"webhook_url", "api_url", "queue", "database_secret", "database_server"}
MOST_VARIABLES = 25
# Environment variables of the engine, as far as they can be told by their names.
SETTING = re.compile(r"\b(?:AUTOPR|DATABASE|REDIS|GITHUB|AZURE_OPENAI|WORKFLOW|LLM)_[A-Z_]+\b|\b[A-Z]+_API_KEYS?\b|\bDEFAULT_LLM_PROVIDER\b|\bMAX_CONCURRENT_[A-Z]+\b")

wrong = []


def holds(condition, message):
    if not condition:
        wrong.append(message)


def main(arguments):
    folders = sorted({path.parent for path in ROOT.glob("*/*/*.tf")})
    if not folders:
        sys.exit(f"{ROOT}: there is no Terraform here")
    if arguments[:1] == ["docs"]:
        for folder in folders:
            document(folder, write="--check" not in arguments)
    elif arguments == ["conventions"]:
        for folder in folders:
            conventions(folder)
    else:
        sys.exit(__doc__)
    for message in wrong:
        print(message, file=sys.stderr)
    sys.exit(1 if wrong else 0)


# ------------------------------------------------------------------------------------------------------------ reading


def blocks(folder, kind):
    """[(labels, body)] of one kind of block in a folder."""
    found = []
    for path in sorted(folder.glob("*.tf")):
        for entry in hcl2.loads(path.read_text()).get(kind, []):
            labels = []
            while len(keys := [key for key in entry if key != "__is_block__"]) == 1 and keys[0].startswith('"'):
                labels.append(keys[0].strip('"'))
                entry = entry[keys[0]]
            found.append((labels, entry))
    return found


def text(value):
    """A string as a person reads it."""
    if value is None:
        return ""
    value = value.strip('"')
    heredoc = re.fullmatch(r"<<-?(\w+)\n(.*?)\n?\s*\1\s*", value, re.S)
    return heredoc[2] if heredoc else value.replace('\\"', '"').replace("\\\\", "\\")


def expression(value):
    """An expression as it stands in the file."""
    if isinstance(value, str):
        return value[2:-1] if value.startswith("${") and value.endswith("}") else value
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {expression(part)}" for key, part in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(expression(part) for part in value) + "]"
    return json.dumps(value)


def split(body):
    """The parts between commas that lie in no bracket or string."""
    parts, depth, quoted, start = [], 0, False, 0
    for index, letter in enumerate(body):
        if letter == '"' and body[index - 1 : index] != "\\":
            quoted = not quoted
        elif not quoted:
            depth += (letter in "([{") - (letter in ")]}")
            if letter == "," and depth == 0:
                parts.append(body[start:index])
                start = index + 1
    return [part.strip() for part in [*parts, body[start:]] if part.strip()]


def attributes(kind):
    """[(name, type, default or None)] of an object type; none for others."""
    whole = re.fullmatch(r"object\(\{(.*)\}\)", kind, re.S)
    found = []
    for part in split(whole[1]) if whole else []:
        name, _, of = part.partition("=")
        optional = re.fullmatch(r"optional\((.*)\)", of.strip(), re.S)
        pieces = split(optional[1]) if optional else [of.strip()]
        default = None if not optional else ", ".join(pieces[1:]) or "null"
        found.append((name.strip(), pieces[0], default))
    return found


# ------------------------------------------------------------------------------------------------------------- tables


def described(description):
    """The description's own words, and those about each part: `- `a`, `b`: words`."""
    lead, parts = [], {}
    names = []
    for line in description.splitlines():
        item = re.match(r"\s*- ((?:`\w+`(?:, )?)+): (.*)", line)
        if item:
            names = re.findall(r"`(\w+)`", item[1])
            parts.update({name: item[2].strip()[:1].upper() + item[2].strip()[1:] for name in names})
        elif names and line.startswith(" " * 6):
            parts.update({name: f"{parts[name]} {line.strip()}" for name in names})
        else:
            names = []
            lead.append(line.strip())
    return " ".join(line for line in lead if line), parts


def cell(words):
    return words.replace("|", "\\|").replace("\n", " ")


def code(words):
    return f"`{cell(words)}`" if words else ""


def tables(folder):
    lines = []
    variables = blocks(folder, "variable")
    if variables:
        lines += ["## Variables", "", "| variable | type | default | |", "|---|---|---|---|"]
    for (name,), body in variables:
        kind = expression(body.get("type", "any"))
        lead, about = described(text(body.get("description")))
        default = code(expression(body["default"])) if "default" in body else "required"
        parts = attributes(kind)
        shown = "object" if parts else kind
        lines.append(f"| `{name}` | {code(shown)} | {default} | {cell(lead)} |")
        for part, of, default in parts:
            shown = "required" if default is None else code(default)
            lines.append(f"| `{name}.{part}` | {code(of)} | {shown} | {cell(about.get(part, ''))} |")
    outputs = blocks(folder, "output")
    if outputs:
        lines += ["", "## Outputs", "", "| output | |", "|---|---|"]
        lines += [f"| `{name}` | {cell(text(body.get('description')))} |" for (name,), body in outputs]
    return "\n".join(lines).strip()


def document(folder, write):
    readme = folder / "README.md"
    if not readme.exists():
        wrong.append(f"{readme}: missing; write a title and a paragraph, and a line {BEGIN} with {END} below it")
        return
    current = readme.read_text()
    if current.count(BEGIN) != 1 or current.count(END) != 1:
        wrong.append(f"{readme}: must hold {BEGIN} and {END} once each")
        return
    before, rest = current.split(BEGIN)
    wanted = f"{before}{BEGIN}\n\n{tables(folder)}\n\n{END}{rest.split(END)[1]}"
    if wanted == current:
        return
    if write:
        readme.write_text(wanted)
        print(f"{readme}: written")
    else:
        wrong.append(f"{readme}: not current; run scripts/terraform-docs")


# -------------------------------------------------------------------------------------------------------- conventions


@functools.cache
def settings():
    """Every name in capitals that the programs' sources have in quotes: the environment variables are among them."""
    sources = [path for folder in ("functions", "infra") for path in Path(folder).glob("**/*.rs")]
    return {name for path in sources for name in re.findall(r'"([A-Z][A-Z_]+)"', path.read_text())}



def conventions(folder):
    kind = folder.parent.name
    variables, outputs = blocks(folder, "variable"), blocks(folder, "output")
    for what, found in [("variable", variables), ("output", outputs)]:
        for (name,), body in found:
            holds(text(body.get("description")), f"{folder}: {what} {name} has no description")
    for (name,), body in variables:
        holds("type" in body, f"{folder}: variable {name} has no type")
        holds("sensitive" not in body, f"{folder}: variable {name} is sensitive: no secret's value is a variable")

    if kind in ("modules", "stacks"):
        holds(not blocks(folder, "provider"), f"{folder}: has a provider block, which belongs into the examples")
        tests = "".join(path.read_text() for path in (folder / "tests").glob("*.tftest.hcl"))
        holds(tests, f"{folder}: has no tests")
        holds("mock_provider" in tests, f"{folder}: its tests need an account")
        refused = re.findall(r"\bvar\.(\w+)", " ".join(re.findall(r"expect_failures\s*=\s*\[(.*?)\]", tests, re.S)))
        for (name,), body in variables:
            rules = len(body.get("validation", []))
            runs = refused.count(name)
            holds(runs >= rules, f"{folder}: {rules} validation(s) of {name}, but {runs} run(s) that expect a failure")

    if kind == "stacks":
        names = {name for (name,), _ in outputs}
        holds(names == OUTPUTS, f"{folder}: outputs are {sorted(names)}, not {sorted(OUTPUTS)}")
        count = len(variables)
        holds(count <= MOST_VARIABLES, f"{folder}: {count} variables, more than {MOST_VARIABLES}")
        cloud = folder.name
        for size in ("minimal", "production"):
            example = ROOT / "examples" / f"{cloud}-{size}"
            holds(example.is_dir(), f"{folder}: {example} is missing")

    versions = blocks(folder, "terraform")
    holds(versions, f"{folder}: says nothing of versions")
    for _, body in versions:
        holds('"' + ">= 1.11" + '"' == body.get("required_version"), f"{folder}: required_version is not >= 1.11")
        for providers in body.get("required_providers", []):
            for provider, about in providers.items():
                if provider != "__is_block__":
                    version = expression(about.get("version", "")) if isinstance(about, dict) else ""
                    holds(">=" in version and "<" in version, f"{folder}: provider {provider} has no range of versions")

    known = settings()
    for path in sorted(folder.glob("*.tf")):
        content = path.read_text()
        for name in sorted(set(SETTING.findall(content)) - known):
            wrong.append(f"{path}: {name} is no setting of the engine")
        for reason in re.findall(r"checkov:skip=\w+(.*)", content):
            holds(len(reason.strip(": ")) > 10, f"{path}: an exception of checkov without a reason")
        holds(not re.search(r"^\s*(password|secret_string|passwords|auth_token|secret_data|administrator_password)\s*=(?!=|\s*ephemeral\.)", content, re.M),
              f"{path}: a secret's value would be in the state; use the write-only argument")


main(sys.argv[1:])
