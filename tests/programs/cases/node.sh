# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="node: objects, buffers and JSON in four worker threads"
packages="nodejs"
needs=(/usr/bin/node)
version() { echo "node $(node --version)"; }

prepare() {
  cat >input.js <<'JS'
const {Worker, isMainThread, parentPort, workerData} = require('worker_threads');
const crypto = require('crypto');
const zlib = require('zlib');
function load(seed, n) {
  const hash = crypto.createHash('sha256');
  let keep = [];
  for (let i = 0; i < n; ++i) {
    const buffer = Buffer.alloc((i * seed) % 70000, i & 255);
    keep.push({i, text: 'x'.repeat(i % 500), list: [i, i + 1, {deep: [seed]}], buffer});
    if (keep.length > 300) keep = keep.filter((_, k) => k % 3 === 0);
    if (i % 50 === 0) {
      const text = JSON.stringify(keep.map(({i, text, list}) => ({i, text, list})));
      hash.update(JSON.stringify(JSON.parse(text)));
      hash.update(zlib.gunzipSync(zlib.gzipSync(buffer)));
    }
  }
  return hash.digest('hex');
}
if (isMainThread) {
  const n = Number(process.argv[2]);
  const workers = [3, 5, 7, 11].map(seed => new Promise((done, failed) => {
    const worker = new Worker(__filename, {workerData: {seed, n}});
    worker.on('message', done);
    worker.on('error', failed);
  }));
  Promise.all(workers).then(all => console.log(all.join('\n')));
} else {
  parentPort.postMessage(load(workerData.seed, workerData.n));
}
JS
}

work() { preloaded node input.js "$(quantity 2500 500)"; }
