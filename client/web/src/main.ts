// The page: its bar, its messages, and what the worker tells.

import './style.css';
import type {ConnectionState, Figures, ToPage, ToWorker} from './channel';

const BAR_STAYS_MS = 2500;
const TOKEN_KEY = 'latentdesk-token';

function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error('the page has no ' + id);
  return element as T;
}

const desktop = byId<HTMLCanvasElement>('desktop');
const figures = byId('figures');
const message = byId('message');

/** Of `#token=`, which leaves the address bar; kept for this tab alone, so that reloading works. */
function takeToken(): string | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given !== null) {
    sessionStorage.setItem(TOKEN_KEY, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? undefined;
}

const worker = new Worker(new URL('./worker.ts', import.meta.url), {type: 'module'});
const tell = (content: ToWorker, transfer: Transferable[] = []): void => worker.postMessage(content, transfer);

// --- messages ---

function showState(state: ConnectionState, text: string): void {
  document.documentElement.dataset.state = state;
  message.hidden = state === 'open';
  byId('message-text').textContent = text;
  byId('token-form').hidden = state !== 'token';
  byId('retry').hidden = state !== 'waiting' && state !== 'ended';
  if (state === 'token') byId('token').focus();
}

/** Later notices follow earlier ones until the user closes them. */
function showNotice(text: string): void {
  const notice = byId('notice-text');
  const shown = byId('notice').hidden ? [] : (notice.textContent ?? '').split('\n');
  if (!shown.includes(text)) shown.push(text);
  notice.textContent = shown.slice(-4).join('\n');
  byId('notice').hidden = false;
}

function warnOfClearText(): void {
  if (isSecureContext) return;
  const secure = `https://${location.host}${location.pathname}`;
  showNotice(
    `This page came unencrypted, so the browser denies it WebGPU and threads, and decoding is slower. ` +
      `If the server has a certificate (--tls-self-signed makes one), open ${secure}`,
  );
}

// --- statistics ---

const facts = {server: '–', model: '–', decoder: 'not needed yet', size: '–'};
let latest: Figures | null = null;

function showFigures(): void {
  if (figures.hidden) return;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const kib = (value: number): string => `${(value / 1024).toFixed(0)} KiB`;
  const rows: [string, string][] = [
    ['FPS', latest ? latest.fps.toFixed(1) : '–'],
    ['Latency', latest?.latency != null ? `${ms(latest.latency)} from capture to drawn` : '–'],
    ['Received', latest ? `${kib(latest.bytes)}/s, ${kib(latest.total)} in all` : '–'],
    ['Unpack', latest ? ms(latest.unpack) : '–'],
    ['Decode and draw', latest ? ms(latest.decode) : '–'],
    ['Decoder', facts.decoder],
    ['Screen', facts.size],
    ['Server', facts.server],
    ['Model', facts.model],
  ];
  figures.replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const term = document.createElement('dt'), detail = document.createElement('dd');
      term.textContent = name;
      detail.textContent = value;
      return [term, detail];
    }),
  );
}

// --- what the worker tells ---

function showSize(width: number, height: number): void {
  facts.size = `${width} x ${height}`;
  desktop.dataset.width = String(width);
  desktop.dataset.height = String(height);
  applyFit();
}

function showDecoder(text: string, failed: boolean): void {
  facts.decoder = text;
  document.documentElement.dataset.decoder = failed ? 'failed' : text === 'loading' ? 'loading' : 'ready';
  if (failed) showNotice(`Pictures cannot be decoded, only text and what rests is shown: ${text}`);
}

worker.onmessage = ({data}: MessageEvent<ToPage>) => {
  if (data.type === 'state') showState(data.state, data.text);
  if (data.type === 'size') showSize(data.width, data.height);
  if (data.type === 'notice') showNotice(data.text);
  if (data.type === 'decoder') showDecoder(data.text, data.failed);
  if (data.type === 'server') Object.assign(facts, {server: data.device, model: data.model});
  if (data.type === 'figures') latest = data.figures;
  showFigures();
};
worker.onerror = ({message: text}) =>
  showState('ended', `The viewer failed: ${text || 'its program could not be loaded'}. Reload the page.`);

// --- the bar ---

let barTimer: ReturnType<typeof setTimeout> | undefined;

function showBar(): void {
  byId('bar').classList.remove('away');
  clearTimeout(barTimer);
  barTimer = setTimeout(() => byId('bar').classList.add('away'), BAR_STAYS_MS);
}

/** At 1:1 a pixel of the desktop is a pixel of the screen, whatever the page's zoom. */
function applyFit(): void {
  const exact = document.body.dataset.fit === '1:1';
  const {width, height} = desktop.dataset;
  desktop.style.width = exact ? `${Number(width) / devicePixelRatio}px` : '';
  desktop.style.height = exact ? `${Number(height) / devicePixelRatio}px` : '';
}

function toggleFit(): void {
  const fit = document.body.dataset.fit === 'fit' ? '1:1' : 'fit';
  document.body.dataset.fit = fit;
  byId('fit').textContent = fit === 'fit' ? 'Fit' : '1:1';
  byId('fit').setAttribute('aria-pressed', String(fit === 'fit'));
  applyFit();
}

function toggleStatistics(): void {
  figures.hidden = !figures.hidden;
  byId('statistics').setAttribute('aria-pressed', String(!figures.hidden));
  showFigures();
}

async function toggleFullScreen(): Promise<void> {
  if (document.fullscreenElement) return document.exitFullscreen();
  await document.documentElement.requestFullscreen().catch(() => showNotice('The browser does not allow full screen here.'));
}

function connectWithToken(event: Event): void {
  event.preventDefault();
  const token = byId<HTMLInputElement>('token').value.trim();
  sessionStorage.setItem(TOKEN_KEY, token);
  tell({type: 'connect', token});
}

function listen(): void {
  byId('fullscreen').addEventListener('click', () => void toggleFullScreen());
  byId('fit').addEventListener('click', toggleFit);
  byId('statistics').addEventListener('click', toggleStatistics);
  byId('retry').addEventListener('click', () => tell({type: 'connect'}));
  byId('notice-close').addEventListener('click', () => (byId('notice').hidden = true));
  byId('token-form').addEventListener('submit', connectWithToken);
  const quality = byId<HTMLInputElement>('quality');
  quality.addEventListener('input', () => (byId('quality-value').textContent = quality.value));
  quality.addEventListener('change', () => tell({type: 'quality', value: Number(quality.value)}));
  document.addEventListener('fullscreenchange', () => {
    byId('fullscreen').textContent = document.fullscreenElement ? 'Leave full screen' : 'Full screen';
  });
  addEventListener('resize', applyFit);
  document.addEventListener('pointermove', ({clientY}) => {
    if (clientY < 60) showBar();
  });
  addEventListener('online', () => tell({type: 'connect'}));
  addEventListener('hashchange', () => tell({type: 'connect', token: takeToken()}));
}

function start(): void {
  if (!('transferControlToOffscreen' in desktop) || typeof DecompressionStream === 'undefined') {
    return showState('ended', 'This browser is too old: Chrome 80, Firefox 113 or Safari 16.4 and later can show the desktop.');
  }
  listen();
  showBar();
  warnOfClearText();
  const canvas = desktop.transferControlToOffscreen();
  tell({type: 'start', canvas, page: location.href, token: takeToken()}, [canvas]);
}

start();
