#include "bench/programs/input.h"

#include <sstream>

namespace bench {

std::string TemplateSource(int amount) {
  std::ostringstream out;
  out << R"(#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

template <int... Is, typename F>
int Each(std::integer_sequence<int, Is...>, F f) {
  return (f(std::integral_constant<int, Is>()) + ... + 0);
}
)";
  for (int i = 0; i < amount; ++i) {
    out << "struct Key" << i << " { int number; std::string name; };\n"
        << "inline bool operator<(const Key" << i << "& a, const Key" << i
        << "& b) {\n"
        << "  return std::tie(a.number, a.name) < std::tie(b.number, b.name);\n"
        << "}\n"
        << "using Value" << i << " = std::variant<int, double, std::string, "
        << "std::vector<Key" << i << ">>;\n"
        << "int Work" << i << "(int n) {\n"
        << "  std::map<Key" << i << ", std::unique_ptr<Value" << i
        << ">> map;\n"
        << "  std::vector<Key" << i << "> keys;\n"
        << "  int sum = 0;\n"
        << "  Each(std::make_integer_sequence<int, 12>(), [&](auto c) {\n"
        << "    keys.push_back({n - c(), std::to_string(c() * n)});\n"
        << "    sum += std::get<c() % 3>(std::tuple<int, long, char>());\n"
        << "    return c();\n"
        << "  });\n"
        << "  std::sort(keys.begin(), keys.end());\n"
        << "  for (const auto& key : keys) {\n"
        << "    map[key] = std::make_unique<Value" << i << ">(key.name);\n"
        << "  }\n"
        << "  std::function<int(const Value" << i
        << "&)> size = [](auto& v) {\n"
        << "    return std::visit([](const auto& x) -> int {\n"
        << "      if constexpr (std::is_arithmetic_v<std::decay_t<"
        << "decltype(x)>>) return x;\n"
        << "      else return x.size();\n"
        << "    }, v);\n"
        << "  };\n"
        << "  for (const auto& [key, value] : map) sum += size(*value);\n"
        << "  return sum;\n"
        << "}\n";
  }
  return out.str();
}

std::string PythonScript(int amount) {
  std::ostringstream out;
  out << "AMOUNT = " << amount << R"(
import collections
import hashlib
import json

state = 12345
def number(limit):
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
    return (state >> 33) % limit

def record(i):
    return {
        "id": i,
        "name": "user-%d" % number(1000000),
        "tags": ["tag%d" % number(500) for _ in range(number(12))],
        "note": "x" * number(2000),
        "score": number(10 ** 9) / 1000,
        "nested": {"a": [number(100) for _ in range(8)], "b": None},
    }

records = [record(i) for i in range(AMOUNT)]
text = json.dumps(records, sort_keys=True)
again = json.loads(text)
again.sort(key=lambda r: (r["tags"], -r["score"]))
words = collections.Counter(t for r in again for t in r["tags"])
lines = []
for r in again:
    lines.append(",".join([r["name"], str(r["score"]), r["note"].upper()]))
joined = "\n".join(lines)
parts = sorted(joined.split("x"), key=len)
# A list that grows by one, a string that grows, and a table thrown away.
grown = []
for i in range(AMOUNT * 10):
    grown.append(i)
table = {}
for i in range(AMOUNT * 5):
    table[str(i)] = bytearray(number(300))
for i in range(0, AMOUNT * 5, 2):
    del table[str(i)]
digest = hashlib.sha256()
for part in (text, joined, str(words.most_common(20)), str(len(parts)),
             str(len(grown)), str(sum(map(len, table.values())))):
    digest.update(part.encode())
print(digest.hexdigest())
)";
  return out.str();
}

std::string SqlScript(int amount) {
  std::ostringstream out;
  out << "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, city TEXT, "
         "age INTEGER, note TEXT);\n"
         "CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER, "
         "amount REAL, item TEXT);\n";
  unsigned state = 1;
  const auto number = [&state](unsigned limit) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
  };
  out << "BEGIN;\n";
  for (int i = 0; i < amount; ++i) {
    out << "INSERT INTO people VALUES (" << i << ", 'name" << number(100000)
        << "', 'city" << number(300) << "', " << number(90) << ", '"
        << std::string(number(120), 'n') << "');\n";
    out << "INSERT INTO orders VALUES (" << i << ", " << number(amount) << ", "
        << number(100000) << ".5, 'item" << number(1000) << "');\n";
  }
  out << R"(COMMIT;
CREATE INDEX people_city ON people (city, age);
CREATE INDEX orders_person ON orders (person);
SELECT count(*), sum(age), max(name) FROM people;
SELECT city, count(*), avg(age) FROM people GROUP BY city ORDER BY 2 DESC, 1 LIMIT 5;
SELECT p.city, round(sum(o.amount)), group_concat(DISTINCT o.item)
  FROM people p JOIN orders o ON o.person = p.id
  WHERE p.age > 80 GROUP BY p.city ORDER BY 2 DESC LIMIT 5;
SELECT count(*) FROM people a JOIN people b ON a.city = b.city AND a.age = b.age;
UPDATE people SET note = upper(note) || name WHERE age % 3 = 0;
DELETE FROM orders WHERE amount < 20000;
SELECT count(*), sum(length(note)) FROM people;
SELECT count(*), round(sum(amount)) FROM orders;
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 20000)
  SELECT sum(length(hex(n) || printf('%08d', n))) FROM numbers;
)";
  return out.str();
}

}  // namespace bench
