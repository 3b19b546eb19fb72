# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="python3: JSON, threads, sqlite3 and processes that are forked"
packages="python3"
needs=(/usr/bin/python3)
version() { python3 --version; }

prepare() {
  cat >input.py <<'PYTHON'
import hashlib, json, multiprocessing, os, sqlite3, sys, threading

def churn(seed, n):
    mine, total = [], 0
    for i in range(n):
        mine.append(bytearray((i * seed) % 3000))
        if i % 3 == 0: mine.pop(i % len(mine))
        if i % 500 == 0: total += sum(map(len, mine)); del mine[::2]
    return total + sum(map(len, mine))

def records(n):
    return [{"id": i, "name": "n%d" % i, "tags": ["t%d" % (i % k) for k in range(1, 6)],
             "deep": {"a": [i / 7, None, True], "b": {"c": "x" * (i % 100)}}} for i in range(n)]

def main(n):
    text = json.dumps(records(n))
    again = json.dumps(json.loads(text))
    print(text == again, hashlib.sha256(text.encode()).hexdigest())

    sums = []
    threads = [threading.Thread(target=lambda s=s: sums.append(churn(s, n))) for s in range(1, 7)]
    [t.start() for t in threads]
    if os.fork() == 0: os._exit(len(bytes(1000000)) != 1000000)  # while they go on
    print(os.wait()[1])
    [t.join() for t in threads]
    print(sorted(sums))

    base = sqlite3.connect(":memory:")
    base.execute("create table t(a integer primary key, b text, c real)")
    base.executemany("insert into t values(?, ?, ?)", ((i, "v%d" % (i % 97) * (i % 9), i / 3) for i in range(n)))
    base.create_function("digest", 1, lambda t: hashlib.md5(t.encode()).hexdigest())
    print(base.execute("select count(*), sum(c), max(digest(b)) from t group by a % 3").fetchall())

    with multiprocessing.get_context("fork").Pool(4) as pool:
        print(pool.starmap(churn, [(s, n // 4) for s in range(1, 13)]))

main(int(sys.argv[1]))
PYTHON
}

work() { preloaded python3 -I -S input.py "$(quantity 15000 2000)"; }
