# What the scripts share. To be sourced, not run.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Builds outlive a clone, so that a fresh one is quick.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/autopr/target}"

say() { printf '\n==> %s\n' "$*" >&2; }

fail() {
    printf '\nerror: %s\n' "$*" >&2
    exit 1
}

# needs COMMAND PACKAGE…: installs the Debian packages unless the command is there.
needs() {
    command -v "$1" >/dev/null || install_packages "${@:2}"
}

# A C compiler that can also link: the headers are a package of their own.
needs_c() {
    echo 'int main(void) { return 0; }' | cc -x c -o /dev/null - 2>/dev/null || install_packages gcc libc6-dev
}

install_packages() {
    say "installing $*"
    command -v apt-get >/dev/null || fail "install $* (or what this system calls them), then run this again"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "run as root: apt-get install $*"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq >&2 || fail "apt-get update failed; is the network there?"
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >&2 || fail "installing $* failed"
}

# needs_cargo COMMAND CRATE VERSION: builds a cargo tool unless the command is there.
needs_cargo() {
    command -v "$1" >/dev/null && return
    say "building $2 $3 (once, some minutes)"
    cargo install --quiet --locked "$2" --version "$3" || fail "cargo install $2 failed"
}

# needs_component COMMAND COMPONENT: adds a part of Rust's toolchain unless it is there.
needs_component() {
    cargo "$1" --version >/dev/null 2>&1 && return
    say "adding $2 to Rust's toolchain"
    rustup component add "$2" || fail "rustup component add $2 failed; install it, then run this again"
}

# needs_kustomize: something that renders deploy/k8s, or else failure: Debian 12 has no package that is new enough, so the caller
# says what was not done.
needs_kustomize() {
    local found
    if command -v kustomize >/dev/null; then
        found=$(kustomize version 2>/dev/null | grep -oE 'v?[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
        if newer_than 4.5.0 "${found#v}"; then kustomizer=(kustomize build) && return; fi
    fi
    if command -v kubectl >/dev/null; then
        found=$(kubectl version --client 2>/dev/null | sed -n 's/^Kustomize Version: v//p')
        if newer_than 4.5.0 "$found"; then kustomizer=(kubectl kustomize) && return; fi
    fi
    return 1
}

# kustomize_build FOLDER: after needs_kustomize.
kustomize_build() {
    "${kustomizer[@]}" "$1"
}

# newer_than OLDEST VERSION: whether there is a version, and it is that one or a newer one.
newer_than() {
    [ -n "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# The real servers that tests run against start in folders and on ports of their own. What the packages may start besides is
# not used.

needs_postgres() {
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || {
        local package=postgresql-15
        # Other releases than Debian 12 have another version.
        apt-cache show "$package" >/dev/null 2>&1 || package=postgresql
        install_packages "$package"
    }
}

needs_pgbouncer() {
    [ -x /usr/sbin/pgbouncer ] || needs pgbouncer pgbouncer
}

needs_redis() {
    needs redis-server redis-server
}

needs_rust() {
    # Rust is commonly installed for one user, outside of the path of scripts.
    command -v cargo >/dev/null || export PATH="$HOME/.cargo/bin:$PATH"
    command -v cargo >/dev/null || fail "Rust's toolchain is missing; install it with rustup, then run this again"
    needs_c
    needs git git
}

# GitHub's own description of its API and its examples of webhooks: npm packages of data, of which two files are read.
# Any others than these are not used.
github_files='829b4bebb19a53133289f7b0bc819f4f1118115821db2ca9f25e9ee995a7da2a  @octokit/openapi/generated/api.github.com.json
09d8f0c617876ae9dad22e26fea5510bfcaad50ee7e602659f6db25b87b25815  @octokit/webhooks-examples/api.github.com/index.json'

# needs_github_description: installs them unless they are there, and tells the tests where. A folder that the caller names
# in AUTOPR_TEST_NODE_MODULES is taken as it is.
needs_github_description() {
    [ -z "${AUTOPR_TEST_NODE_MODULES:-}" ] || return 0
    local prefix="${XDG_CACHE_HOME:-$HOME/.cache}/autopr/node"
    export AUTOPR_TEST_NODE_MODULES="$prefix/node_modules"
    ! github_files_are_right || return 0
    needs npm nodejs npm
    say "installing GitHub's API description and webhook examples"
    # npm takes what lies there for good.
    rm -rf "$prefix/node_modules"
    mkdir -p "$prefix"
    npm install --prefix "$prefix" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
        @octokit/openapi@23.0.2 @octokit/webhooks-examples@7.6.1 >&2 || fail "npm install failed; is the network there?"
    github_files_are_right || fail "the npm packages in $prefix hold other files than those the tests were written with"
}

github_files_are_right() {
    (cd "$AUTOPR_TEST_NODE_MODULES" 2>/dev/null && sha256sum --check --status <<<"$github_files")
}

# needs_python PACKAGE==VERSION COMMAND…: installs a Python program into a virtual environment of its own, since such
# programs disagree about what they build on, and puts its commands on the path.
needs_python() {
    local package="$1" prefix="${XDG_CACHE_HOME:-$HOME/.cache}/autopr/tools" command
    local home="$prefix/${package/==/-}"
    # The file says that the environment is whole.
    if [ ! -e "$home/complete" ]; then
        python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3 python3-venv
        say "installing $package"
        rm -rf "$home"
        python3 -m venv "$home" || fail "python3 can't make a virtual environment; install python3-venv"
        "$home/bin/python" -m pip install --quiet --disable-pip-version-check "$package" >&2 ||
            fail "installing $package with pip failed; is the network there?"
        touch "$home/complete"
    fi
    mkdir -p "$prefix/bin"
    for command in "${@:2}"; do
        ln -sfn "$home/bin/$command" "$prefix/bin/$command"
    done
    case ":$PATH:" in
        *":$prefix/bin:"*) ;;
        *) export PATH="$prefix/bin:$PATH" ;;
    esac
}

# needs_moto: the service that stands in for Amazon SQS and AWS Secrets Manager in tests.
needs_moto() {
    needs_python 'moto[server]==5.2.5' moto_server
}

# needs_azurite: the service that stands in for Azure Storage Queue in tests, an npm package.
needs_azurite() {
    local version=3.35.0 prefix="${XDG_CACHE_HOME:-$HOME/.cache}/autopr/azurite"
    # The file says that the folder is whole.
    [ ! -e "$prefix/complete-$version" ] || return 0
    needs npm nodejs npm
    say "installing azurite $version"
    rm -rf "$prefix"
    mkdir -p "$prefix"
    npm install --prefix "$prefix" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
        "azurite@$version" >&2 || fail "npm install failed; is the network there?"
    touch "$prefix/complete-$version"
}

# Adds a line about something that can't be tested on this machine; tell_untested says them all at the end.
untested=()
not_tested() {
    untested+=("$*")
    say "NOT TESTED: $*"
}

tell_untested() {
    [ "${#untested[@]}" -eq 0 ] || printf '\nNOT TESTED: %s\n' "${untested[@]}" >&2
}

# finds_pubsub: the emulator of Google Cloud Pub/Sub, which no public registry has. Tests that want it end early without it.
finds_pubsub() {
    local program
    for program in "${AUTOPR_TEST_PUBSUB_EMULATOR:-}" "$(command -v cloud-pubsub-emulator)" \
        /usr/lib/google-cloud-sdk/platform/pubsub-emulator/bin/cloud-pubsub-emulator; do
        [ -x "$program" ] && export AUTOPR_TEST_PUBSUB_EMULATOR="$program" && return
    done
    not_tested "Google Cloud Pub/Sub: its emulator is missing (Google's archive has it as google-cloud-cli-pubsub-emulator; \
AUTOPR_TEST_PUBSUB_EMULATOR names it)"
}

# What watches the engine. Debian starts what it installs; that is not used.

needs_prometheus() {
    needs prometheus prometheus
    needs promtool prometheus
}

needs_alertmanager() {
    needs amtool prometheus-alertmanager
}

# needs_grafana_schema: Grafana's types of a dashboard and what reads them, and says where.
needs_grafana_schema() {
    local prefix="${XDG_CACHE_HOME:-$HOME/.cache}/autopr/grafana"
    export AUTOPR_GRAFANA_NODE_MODULES="$prefix/node_modules"
    needs node nodejs
    # The file says that they are whole, and which.
    local wanted='@grafana/schema@13.2.3 typescript@5.9.3'
    [ "$(cat "$prefix/complete" 2>/dev/null)" != "$wanted" ] || return 0
    needs npm npm
    say "installing $wanted"
    rm -rf "$prefix"
    mkdir -p "$prefix"
    # shellcheck disable=SC2086  # two packages
    npm install --prefix "$prefix" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error $wanted >&2 ||
        fail "npm install failed; is the network there?"
    echo "$wanted" >"$prefix/complete"
}
