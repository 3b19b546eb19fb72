# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="postgresql: initdb, pgbench with four clients, parallel queries"
packages="postgresql"
needs=(/usr/lib/postgresql /usr/bin/setpriv)
bin="$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)"
version() { "${bin}/postgres" --version; }

# It refuses to be root.
as_nobody=()
((EUID != 0)) || as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

client() {
  local program="$1"
  shift
  "${as_nobody[@]}" "${bin}/${program}" -h "${scratch}/socket" -U bench "$@"
}

prepare() {
  mkdir socket
  ((EUID != 0)) || chown 65534:65534 . socket
}

work() {
  preloaded "${as_nobody[@]}" "${bin}/initdb" -D data -U bench -A trust --no-sync --locale=C -E UTF8 >initdb.log
  serve "${as_nobody[@]}" "${bin}/postgres" -D data -k "${scratch}/socket" -c listen_addresses= \
    -c fsync=off -c shared_buffers=64MB -c log_min_messages=fatal -c max_parallel_workers_per_gather=2
  await client pg_isready -d postgres
  client createdb bench
  client pgbench -i -q -s "$(quantity 2 1)" bench >/dev/null 2>&1
  client pgbench -n -c 4 -j 2 -t "$(quantity 400 50)" --random-seed=7 bench >pgbench.log 2>&1
  grep 'transactions actually processed' pgbench.log
  client psql -qAt bench <<'SQL'
SELECT sum(delta) - (SELECT sum(abalance) FROM pgbench_accounts) FROM pgbench_history;
SELECT count(*), (SELECT sum(bbalance) FROM pgbench_branches) - (SELECT sum(tbalance) FROM pgbench_tellers) FROM pgbench_history;
SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET work_mem = '64MB';
SELECT count(*), sum(hashtext(a.filler || b.aid)) FROM pgbench_accounts a JOIN pgbench_accounts b ON a.aid = b.aid + 7;
SELECT md5(string_agg(t, ',' ORDER BY t)) FROM (SELECT to_char(i, '0000000') || repeat('x', i % 90) AS t FROM generate_series(1, 50000) i) s;
SELECT jsonb_object_agg(i, jsonb_build_array(i, repeat('y', i % 40)))::text IS NOT NULL FROM generate_series(1, 20000) i;
SQL
  client psql -qAt bench -c 'DROP TABLE pgbench_history' -c 'VACUUM FULL'
  preloaded "${as_nobody[@]}" "${bin}/pg_dump" -h "${scratch}/socket" -U bench -s bench | grep -v '^\\' | cksum
  "${as_nobody[@]}" "${bin}/pg_ctl" stop -D data -m fast >/dev/null

  wait "${server}"
}
