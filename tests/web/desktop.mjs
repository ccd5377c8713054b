// A real desktop to look at: Xvfb with an xterm, the server on it, and the native viewer to compare with.

import {spawn, execFile} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createServer as createHttpServer} from 'node:http';
import {connect, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

const run = promisify(execFile);
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const {port} = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts a program; its standard error is kept for messages. */
function start(command, args, options = {}) {
  const child = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe'], ...options});
  child.log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (child.log += text));
  child.ended = new Promise((done) => child.once('exit', done));
  return child;
}

async function stop(child) {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  await child.ended;
}

export async function eventually(condition, what, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) {
    const value = await condition();
    if (value) return value;
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

/** Any static server would do: this source tree on a port of its own. */
export async function serveRepository() {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const types = {html: 'text/html', mjs: 'text/javascript', wasm: 'application/wasm'};
  const server = createHttpServer((request, response) => {
    const path = join(root, decodeURIComponent(new URL(request.url, 'http://a').pathname));
    response.setHeader('Content-Type', types[path.split('.').pop()] ?? 'application/octet-stream');
    try {
      response.end(readFileSync(path));
    } catch {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  return {origin: `http://127.0.0.1:${server.address().port}`, stop: () => server.close()};
}

/** A network that can fail: `cut` ends its connections without a word, `freeze` lets nothing through. */
export async function badNetwork(port) {
  const ends = new Set();
  const network = {bytes: 0, frozen: false};
  const server = createServer((viewer) => {
    const desktop = connect(port, '127.0.0.1');
    for (const [from, to] of [[viewer, desktop], [desktop, viewer]]) {
      ends.add(from);
      if (network.frozen) from.pause();
      from.on('data', (bytes) => {
        if (from === desktop) network.bytes += bytes.length;
        to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => (ends.delete(from), to.destroy()));
    }
  }).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  return Object.assign(network, {
    port: server.address().port,
    cut: () => ends.forEach((end) => end.resetAndDestroy()),
    freeze: (frozen) => {
      network.frozen = frozen;
      for (const end of ends) frozen ? end.pause() : end.resume();
    },
    stop: () => (server.close(), network.cut()),
  });
}

export class Desktop {
  constructor(binaries, size) {
    this.binaries = binaries;
    this.size = size;
    this.folder = mkdtempSync(join(tmpdir(), 'latentdesk-web-'));
    this.children = [];
  }

  async start() {
    const xvfb = start('Xvfb', ['-displayfd', '1', '-screen', '0', `${this.size}x24`, '-nolisten', 'tcp', '-noreset']);
    this.children.push(xvfb);
    const number = await eventually(() => /^(\d+)$/m.exec(xvfb.log)?.[1], 'Xvfb');
    this.environment = {...process.env, DISPLAY: ':' + number};
    delete this.environment.XAUTHORITY;
    this.environment.LC_ALL = 'C.UTF-8';
    this.environment.XDG_STATE_HOME = this.folder; // where a certificate would be kept
    const terminal = ['-geometry', '100x36+20+20', '-fa', 'DejaVu Sans Mono', '-fs', '11', '-bg', '#10161c', '-fg', '#d8dee6'];
    this.launch('xterm', [...terminal, '-e', 'bash', '--norc']);
    await eventually(() => this.x('search', '--class', 'xterm').catch(() => ''), 'the terminal');
    await sleep(1000);
  }

  launch(command, args) {
    const child = start(command, args, {env: {...this.environment, PS1: '$ '}});
    this.children.push(child);
    return child;
  }

  /** A video of 15 frames a second that ends with a still picture; `pretty` ones cost much to make. */
  playVideo(seconds, {size = '560x420', pretty = false} = {}) {
    const [left, top] = size === this.size ? [0, 0] : [690, 270];
    // Noise is nothing for palettes; of 16 bits, which gradients have, it makes black.
    const video = pretty
      ? `mandelbrot=size=${size}:rate=15:end_scale=0.01:end_pts=${seconds * 15}`
      : `gradients=size=${size}:rate=15:speed=0.02:n=4:seed=1:c0=0xd04020:c1=0x2060c0:c2=0xe0c040:c3=0x208050,format=gbrp,noise=alls=6:allf=t`;
    const source = `${video},trim=duration=${seconds}`;
    this.launch('ffplay', ['-loglevel', 'error', '-left', `${left}`, '-top', `${top}`, '-noborder', '-f', 'lavfi', '-i', source]);
  }

  async run(command, ...args) {
    return (await run(command, args, {env: this.environment})).stdout;
  }

  x(...args) {
    return this.run('xdotool', ...args);
  }

  async type(text) {
    await this.x('search', '--class', 'xterm', 'windowfocus');
    await this.x('type', '--delay', '15', text);
    await this.x('key', 'Return');
  }

  async serve(port, ...options) {
    const all = ['--listen', `127.0.0.1:${port}`, '--device', 'cpu', ...options];
    const server = start(join(this.binaries, 'latentdesk-server'), all, {env: this.environment});
    this.children.push(server);
    await eventually(() => {
      if (server.exitCode !== null) throw new Error('the server ended: ' + server.log);
      return server.log.includes('listening on');
    }, 'the server');
    return {server, stop: () => stop(server)};
  }

  serveWithToken(port, token) {
    Object.assign(this.environment, {LATENTDESK_TOKEN: token});
    return this.serve(port).finally(() => delete this.environment.LATENTDESK_TOKEN);
  }

  /** What the native viewer shows, as PNG. It is given longer where the machine is too busy for a first picture. */
  async nativeScreenshot(port, {seconds = 2, model} = {}) {
    const file = join(this.folder, 'native.png');
    const options = ['--headless', '--seconds', String(seconds), '--screenshot', file, ...(model ? ['--model', model] : [])];
    try {
      await run(join(this.binaries, 'latentdesk-viewer'), [...options, `ws://127.0.0.1:${port}`]);
    } catch (error) {
      if (seconds > 16 || !/no picture came/.test(error.stderr)) throw error;
      return this.nativeScreenshot(port, {seconds: 2 * seconds, model});
    }
    return readFileSync(file);
  }

  async end() {
    for (const child of this.children.reverse()) await stop(child);
    rmSync(this.folder, {recursive: true, force: true});
  }
}
