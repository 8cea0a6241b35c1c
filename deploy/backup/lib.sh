# shellcheck shell=bash
# What the scripts of this folder share. To be sourced, not run. docs/disaster-recovery.md explains the settings.

set -euo pipefail
# Backups hold everything the database does.
umask 077
export LC_ALL=C

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

# A file of settings, KEY=VALUE a line, for those that PostgreSQL starts with an environment of its own. What is set already
# counts more.
if [ -n "${BACKUP_CONFIG:-}" ]; then
    while IFS='=' read -r key value; do
        [[ "$key" =~ ^(BACKUP_|PG|RCLONE_|DATABASE_URL)[A-Z0-9_]*$ ]] || continue
        [ -n "${!key:-}" ] || export "$key=$value"
    done <"$BACKUP_CONFIG"
fi

keep_days="${BACKUP_KEEP_DAYS:-30}"

say() { printf '%s\n' "$*" >&2; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

work_folder() {
    work=$(mktemp -d "${BACKUP_WORK:-${TMPDIR:-/tmp}}/autopr-backup.XXXXXX")
    trap 'rm -rf "$work"' EXIT
}

# Debian keeps the programs of each version in a folder of their own.
find_postgres() {
    compgen -G "/usr/lib/postgresql/*/bin/$1" | sort -V | tail -n 1 | grep . || command -v "$1" ||
        fail "$1 is missing: install PostgreSQL's client programs, of the server's version or newer"
}

# Takes the password out of DATABASE_URL, since anybody on the machine can read the arguments of its processes.
connect() {
    local url="$1" decoded
    if [[ "$url" =~ ^(postgres(ql)?://[^:/@]*):([^@]*)@(.*)$ ]]; then
        decoded="${BASH_REMATCH[3]//\\/\\\\}"
        PGPASSWORD="$(printf '%b' "${decoded//%/\\x}")"
        export PGPASSWORD
        url="${BASH_REMATCH[1]}@${BASH_REMATCH[4]}"
    fi
    # Without one libpq's own variables say where (PGHOST, PGDATABASE …).
    # shellcheck disable=SC2034  # those that source this use it
    database=("--dbname=${url:-${PGDATABASE:-}}")
    export PGAPPNAME=autopr-backup
    # A server may be set up for the engine, whose statements are short: what is done here lasts as long as it lasts.
    export PGOPTIONS="${PGOPTIONS:+$PGOPTIONS }-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
}

# The place where backups are kept, by one of the target-* scripts: a folder, or rclone:REMOTE:PATH.
target() {
    [ -n "${BACKUP_TARGET:-}" ] || fail "BACKUP_TARGET is not set: name a folder, or rclone:REMOTE:PATH"
    case "$BACKUP_TARGET" in
        rclone:*) "$here/target-rclone" "${BACKUP_TARGET#rclone:}" "$@" ;;
        *) "$here/target-folder" "$BACKUP_TARGET" "$@" ;;
    esac
}

encrypts() { [ -n "${BACKUP_AGE_RECIPIENTS:-}" ]; }

# The end of an encrypted file's name, or nothing.
suffix() { ! encrypts || printf '.age'; }

# From standard input to standard output, encrypted if keys are named.
seal() {
    if encrypts; then age --encrypt --recipients-file "$BACKUP_AGE_RECIPIENTS"; else cat; fi
}

# From the file to standard output, decrypted if its name says so.
unseal() {
    case "$1" in
        *.age)
            [ -n "${BACKUP_AGE_IDENTITY:-}" ] || fail "${1##*/} is encrypted: name the file with the private key in BACKUP_AGE_IDENTITY"
            age --decrypt --identity "$BACKUP_AGE_IDENTITY" "$1"
            ;;
        *) cat "$1" ;;
    esac
}

now_stamp() { date -u +%Y%m%dT%H%M%SZ; }

# 20261123T023000Z as seconds.
stamp_seconds() {
    local s="$1"
    date -u -d "${s:0:4}-${s:4:2}-${s:6:2}T${s:9:2}:${s:11:2}:${s:13:2}Z" +%s
}

# The stamps of the complete backups of a kind, the oldest first: the sums are written last.
stamps() {
    target list "$1/" | sed -n 's|^.*/\([0-9]\{8\}T[0-9]\{6\}Z\)\.sums$|\1|p' | sort
}

# put_backup KIND STAMP FILE…: sums and signs the files of the work folder and puts all of them there, the sums at the end.
put_backup() {
    local kind="$1" stamp="$2" file
    shift 2
    (cd "$work" && sha256sum "$@" >"$stamp.sums")
    if [ -n "${BACKUP_SIGNING_KEY:-}" ]; then
        openssl pkeyutl -sign -rawin -inkey "$BACKUP_SIGNING_KEY" -in "$work/$stamp.sums" -out "$work/$stamp.sig"
        set -- "$@" "$stamp.sig"
    fi
    for file in "$@" "$stamp.sums"; do
        target put "$work/$file" "$kind/$file"
    done
    # What was put is read again: a place that takes everything and keeps nothing is found out now.
    if [ "${BACKUP_READ_BACK:-yes}" = yes ]; then
        mkdir "$work/back"
        get_backup "$kind" "$stamp" "$work/back"
        rm -rf "$work/back"
    fi
}

# get_backup KIND STAMP FOLDER: fetches its files, and fails unless they are those that were put.
get_backup() {
    local kind="$1" stamp="$2" folder="$3" file
    target get "$kind/$stamp.sums" "$folder/$stamp.sums" || fail "there is no backup $kind/$stamp"
    if [ -n "${BACKUP_VERIFY_KEY:-}" ]; then
        target get "$kind/$stamp.sig" "$folder/$stamp.sig" || fail "$kind/$stamp is not signed"
        openssl pkeyutl -verify -pubin -rawin -inkey "$BACKUP_VERIFY_KEY" -in "$folder/$stamp.sums" \
            -sigfile "$folder/$stamp.sig" >/dev/null 2>&1 || fail "$kind/$stamp is not signed by the key in $BACKUP_VERIFY_KEY"
    fi
    while read -r _ file; do
        [[ "$file" == "$stamp".* && "$file" != */* ]] || fail "$kind/$stamp.sums names $file, which is not one of its files"
        target get "$kind/$file" "$folder/$file" || fail "$kind/$file is missing"
    done <"$folder/$stamp.sums"
    (cd "$folder" && sha256sum --check --strict --quiet "$stamp.sums" >&2) ||
        fail "$kind/$stamp is not what was put there: it is cut off, damaged or changed"
}

# prune KIND: removes what is older than BACKUP_KEEP_DAYS, but never the newest. With `forever` the place itself does, or nobody.
prune() {
    local kind="$1" stamp newest oldest name
    [ "$keep_days" != forever ] || return 0
    newest=$(stamps "$kind" | tail -n 1)
    oldest=$(($(date +%s) - keep_days * 86400))
    for stamp in $(stamps "$kind"); do
        if [ "$stamp" = "$newest" ] || [ "$(stamp_seconds "$stamp")" -ge "$oldest" ]; then continue; fi
        # The sums first: without them it counts as none.
        target delete "$kind/$stamp.sums"
        target list "$kind/$stamp." | while read -r name; do target delete "$name"; done
        say "removed $kind/$stamp, which is older than $keep_days days"
    done
}

# metrics NAME VALUE HELP …: for node_exporter's collector of text files, in BACKUP_METRICS with NAME at its end.
write_metrics() {
    [ -n "${BACKUP_METRICS:-}" ] || return 0
    local file="$BACKUP_METRICS-$1.prom"
    # Others than us read it. A name that ends with .prom is only ever a whole file.
    (umask 022 && cat >"$file.partial") && mv "$file.partial" "$file"
}
