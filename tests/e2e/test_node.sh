#!/bin/bash
# node: a just-in-time compiler (code without unwind tables), worker threads, its own child.
# TIMEOUT 240
. "$TESTS/e2e/lib.sh"

cat >work.js <<'END'
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (isMainThread) {
    const table = new Map();
    for (let i = 0; i < 50000; i++) table.set('k' + i, { i, text: 'x'.repeat(i % 50) });
    const buffers = [];
    for (let i = 0; i < 200; i++) buffers.push(Buffer.alloc(10000, i));
    console.log(table.size, buffers.length, JSON.stringify([...table].slice(0, 3)));
    console.log(require('child_process').execFileSync('sh', ['-c', 'echo child']).toString());
    const worker = new Worker(__filename);
    worker.on('message', (m) => { console.log('worker says', m); process.exitCode = 5; });
} else {
    parentPort.postMessage(require('zlib').gzipSync(Buffer.alloc(100000)).length);
}
END
assert_real_program 10000 node work.js
