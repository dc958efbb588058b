#!/usr/bin/env bash
# Starts a PostgreSQL server for tests on a free port of loopback, prints its address on one line, and stops and removes it when
# its standard input ends. Debian's packages; never as root. FSYNC=on makes it as durable as a real one; PORT and DATA start a server
# again over the data of one that died.
set -euo pipefail

fail() { echo "$1" >&2; exit 1; }

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1) || true
[ -n "${bin:-}" ] || bin=$(dirname "$(command -v initdb || true)")
[ -x "$bin/initdb" ] || fail "PostgreSQL is missing: apt-get install postgresql"

data=${DATA:+$(dirname "$DATA")}
data=${data:-$(mktemp -d "${TMPDIR:-/tmp}/isinglass-postgres-XXXXXX")}
as=()
if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 || fail "there is no user postgres to run the server as: apt-get install postgresql"
  chown postgres "$data"
  as=(setpriv --reuid postgres --regid "$(id -g postgres)" --clear-groups)
fi
trap 'rm -rf "$data"' EXIT
cd "$data"

# A collation that people have, not one that happens to be bytewise: the catalog must not depend on it.
[ -n "${DATA:-}" ] || "${as[@]}" "$bin/initdb" --pgdata "$data/data" --username isinglass --auth trust --encoding UTF8 --no-sync \
  --locale C.UTF-8 --locale-provider icu --icu-locale en-US >"$data/initdb.log" 2>&1 || { cat "$data/initdb.log" >&2; exit 1; }
port=${PORT:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}
"${as[@]}" "$bin/postgres" -D "$data/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$data" \
  -c fsync="${FSYNC:-off}" -c full_page_writes="${FSYNC:-off}" -c synchronous_commit="${FSYNC:-off}" -c max_connections=300 \
  -c shared_buffers="${SHARED_BUFFERS:-128MB}" -c max_wal_size=4GB -c log_min_messages=fatal >"$data/log" 2>&1 </dev/null &
server=$!
trap 'kill -INT "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -rf "$data"' EXIT
for _ in $(seq 200); do
  "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" && break
  kill -0 "$server" 2>/dev/null || { cat "$data/log" >&2; exit 1; }
  sleep 0.05
done
echo "postgres://isinglass@127.0.0.1:$port/postgres?sslmode=disable process=$server data=$data/data"
cat >/dev/null
