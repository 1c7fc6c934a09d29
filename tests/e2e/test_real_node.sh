#!/bin/bash
# node: a just-in-time compiler (code without unwind tables), worker threads, a cluster of processes, children.
# TIMEOUT 240
. "$TESTS/e2e/lib.sh"
. "$TESTS/e2e/real.sh"

cat >work.js <<'END'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const cluster = require('cluster');
const crypto = require('crypto');
const http = require('http');
const zlib = require('zlib');

const pack = (n) => zlib.gunzipSync(zlib.gzipSync(Buffer.alloc(n, 'ab'))).length;

async function main() {
    const table = new Map();
    for (let i = 0; i < 50000; i++) table.set('k' + i, { i, text: 'x'.repeat(i % 50) });
    const buffers = [];
    for (let i = 0; i < 2000; i++) buffers.push(Buffer.allocUnsafeSlow(10000).fill(i));
    console.log(table.size, buffers.length, JSON.stringify([...table].slice(0, 3)));
    console.log(require('child_process').execFileSync('sh', ['-c', 'echo child']).toString());
    const workers = [1, 2, 3].map((n) => new Promise((done, failed) => {
        const worker = new Worker(__filename, { workerData: n });
        worker.on('message', done);
        worker.on('error', failed);
    }));
    console.log('workers say', await Promise.all(workers));
    console.log(await serve());
    process.exitCode = 5;
}

async function serve() { // two processes answer at one socket
    let answers = [];
    const ready = [1, 2].map(() => new Promise((done) => cluster.fork().on('listening', done)));
    await Promise.all(ready);
    for (let i = 0; i < 200; i++)
        answers.push(await new Promise((done, failed) => http.get({ socketPath: 'socket' }, (r) => {
            let text = '';
            r.on('data', (d) => { text += d; });
            r.on('end', () => done(text));
        }).on('error', failed)));
    const gone = Object.values(cluster.workers).map((w) => new Promise((done) => w.on('exit', done)));
    cluster.disconnect();
    return [answers.length, new Set(answers).size, await Promise.all(gone)];
}

if (!isMainThread) {
    const sums = [];
    for (let i = 0; i < 300; i++) sums.push(crypto.createHash('sha1').update(Buffer.alloc(i * 10)).digest('hex'));
    parentPort.postMessage([workerData, pack(200000), sums[299]]);
} else if (cluster.isWorker) {
    http.createServer((request, response) => {
        response.end(zlib.gzipSync(Buffer.alloc(5000)).length + ' bytes');
    }).listen('socket');
} else {
    main();
}
END
real_prepare() { cp ../work.js .; }
real_allow=(--truncated node --program node --program sh)
real_program 100000 node work.js
