#!/usr/bin/env bash
# Runs a command with a PostgreSQL of its own: with_postgres.sh COMMAND [ARGUMENTS]. Nothing is left behind.
#
# The command finds in its environment
#   VARDE_TEST_POSTGRES_URL  of an empty database on a private port of 127.0.0.1
#   VARDE_TEST_POSTGRES_CTL  a command that takes stop, start or restart, for tests of a server that goes away
# VARDE_POSTGRES_FSYNC=on makes commits durable as in production (benchmarks); tests do without.
set -euo pipefail

bin=${VARDE_POSTGRES_BIN:-/usr/lib/postgresql/15/bin}
[[ -x $bin/initdb ]] || { echo "with_postgres.sh: no $bin/initdb; apt-get install postgresql-15 or set VARDE_POSTGRES_BIN" >&2; exit 1; }
[[ $# -gt 0 ]] || { echo "usage: with_postgres.sh COMMAND [ARGUMENTS]" >&2; exit 2; }

# The server refuses to run as root.
as_server=()
if [[ $EUID -eq 0 ]]; then as_server=(setpriv --reuid=postgres --regid=postgres --init-groups --); fi

dir=$(mktemp -d /tmp/varde-postgres.XXXXXX)
chmod 755 "$dir"
mkdir "$dir/data"
if [[ $EUID -eq 0 ]]; then chown -R postgres "$dir/data"; fi

# shellcheck disable=SC2317  # the trap calls it
finish() {
    (cd / && "${as_server[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -s stop >/dev/null 2>&1) || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 10000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    return 1
}
port=$(free_port)

# LC_ALL=C: the machine may have no other locale. max_connections: ctest runs several suites at once.
(cd / && LC_ALL=C "${as_server[@]}" "$bin/initdb" -D "$dir/data" -U varde -A trust -E UTF8 --locale=C --no-sync) \
    >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
"${as_server[@]}" tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$dir/data'
max_connections = 200
shared_buffers = 256MB
max_wal_size = 4GB
fsync = ${VARDE_POSTGRES_FSYNC:-off}
full_page_writes = ${VARDE_POSTGRES_FSYNC:-off}
log_min_messages = fatal
logging_collector = off
CONF

cat >"$dir/ctl" <<CTL
#!/bin/sh
cd / && exec ${as_server[*]} $bin/pg_ctl -D $dir/data -l $dir/data/log -m fast -w -t 60 -s "\$1" >/dev/null 2>&1
CTL
chmod 755 "$dir/ctl"
"$dir/ctl" start || { cat "$dir/data/log" >&2; exit 1; }
"$bin/createdb" -h 127.0.0.1 -p "$port" -U varde varde_test

export VARDE_TEST_POSTGRES_URL="postgresql://varde:not-a-secret@127.0.0.1:$port/varde_test"
export VARDE_TEST_POSTGRES_CTL="$dir/ctl"
status=0
"$@" || status=$?
exit "$status"
