# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="sqlite3: a generated database on disk, indexes, joins, window functions"
packages="sqlite3"
needs=(/usr/bin/sqlite3)
version() { echo "sqlite3 $(sqlite3 --version)"; }

prepare() {
  awk -v n="$(quantity 60000 5000)" 'BEGIN {
    print "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; BEGIN;"
    print "CREATE TABLE item(id INTEGER PRIMARY KEY, kind INT, name TEXT, price REAL);"
    print "CREATE TABLE sale(item INT, day INT, amount INT);"
    for (i = 1; i <= n; ++i) {
      x = (x * 69069 + 1) % 1048576
      printf "INSERT INTO item VALUES(%d,%d,'"'"'name %d of kind %d'"'"',%d.25);\n", i, x % 97, x, x % 97, x % 1000
      printf "INSERT INTO sale VALUES(%d,%d,%d);\n", x % n + 1, i % 365, x % 13
    }
    print "COMMIT; CREATE INDEX by_kind ON item(kind, price); CREATE INDEX by_item ON sale(item);"
    print "SELECT kind, count(*), sum(price), group_concat(id) FROM (SELECT * FROM item ORDER BY id LIMIT 20000) GROUP BY kind ORDER BY kind;"
    print "SELECT day, sum(amount * price) AS t FROM sale JOIN item ON id = item GROUP BY day ORDER BY t DESC LIMIT 50;"
    print "SELECT kind, name, rank() OVER (PARTITION BY kind ORDER BY price DESC, id) r FROM item ORDER BY r, kind LIMIT 200;"
    print "WITH RECURSIVE c(x, s) AS (SELECT 1, printf('"'"'%0500d'"'"', 1) UNION ALL SELECT x + 1, printf('"'"'%0500d'"'"', x) FROM c WHERE x < 20000) SELECT count(DISTINCT s) FROM c;"
    print "UPDATE item SET name = name || name WHERE kind % 3 = 0; DELETE FROM sale WHERE day % 5 = 0; VACUUM;"
    print "PRAGMA integrity_check; SELECT count(*), sum(length(name)) FROM item;"
  }' >input.sql
}

work() { preloaded sqlite3 -batch data.db <input.sql; }
