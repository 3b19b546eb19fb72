# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="redis-server under redis-benchmark, scripts and a snapshot by a forked child"
packages="redis-server"
needs=(/usr/bin/redis-server /usr/bin/redis-cli /usr/bin/redis-benchmark)
version() { redis-server --version; }

ask() { redis-cli -s redis.sock "$@"; }

work() {
  # Debian's is linked with jemalloc; the loader takes ours, or glibc's, for that.
  local n
  n="$(quantity 15000 1000)"
  # shellcheck disable=SC2034  # What serve reads.
  local preload="${preload:-libc.so.6}"

  serve redis-server --port 0 --unixsocket redis.sock --save '' --appendonly no \
    --dir "${scratch}" --logfile redis.log
  await ask ping
  local size
  # Not -r: with random keys there would be no answer to compare.
  for size in 16 300 4000; do
    redis-benchmark -s redis.sock -n "${n}" -c 20 -P 16 -d "${size}" -q \
      -t set,get,incr,lpush,rpush,lpop,sadd,hset,zadd,mset >/dev/null
    ask eval "for i = 1, tonumber(ARGV[1]) do
      redis.call('set', 'k' .. i, string.rep('v', (i * 7919) % ARGV[2]))
      if i % 3 == 0 then redis.call('append', 'k' .. (i - 1), string.rep('w', i % 500)) end
      if i % 5 == 0 then redis.call('del', 'k' .. (i - 3)) end
      end return redis.call('dbsize')" 0 "${n}" "${size}"
  done
  ask bgsave >/dev/null
  await bash -c 'redis-cli -s redis.sock info persistence | grep -q rdb_bgsave_in_progress:0'
  ask info persistence | grep rdb_last_bgsave_status
  ask dbsize
  ask llen mylist
  ask get k1001 | cksum
  ask eval "local s = 0 for i = 1, tonumber(ARGV[1]) do s = s + redis.call('strlen', 'k' .. i) end return s" 0 "${n}"
  ask debug digest 2>&1 | head -n 1
  # It asks mallinfo's like, where it is built without jemalloc.
  ask memory purge
  ask shutdown nosave || true

  wait "${server}"
}
