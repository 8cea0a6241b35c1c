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

needs_rust() {
    # Rust is commonly installed for one user, outside of the path of scripts.
    command -v cargo >/dev/null || export PATH="$HOME/.cargo/bin:$PATH"
    command -v cargo >/dev/null || fail "Rust's toolchain is missing; install it with rustup, then run this again"
    needs_c
    needs git git
}
