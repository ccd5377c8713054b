// The page: starts the worker and hands on what it tells.

import './style.css';
import {focusBar, startBar} from './bar';
import type {ToPage} from './channel';
import {Desk} from './desk';
import {facts, showFigures, updateFigures} from './figures';
import {byId, tell, worker} from './page';
import {showNotice, showState, warnOfClearText} from './status';

const TOKEN_KEY = 'latentdesk-token';

/** Of `#token=`, which leaves the address bar; kept for this tab alone, so that reloading works. */
function takeToken(): string | undefined {
  const hash = new URLSearchParams(location.hash.slice(1));
  const given = hash.get('token');
  if (given !== null) {
    sessionStorage.setItem(TOKEN_KEY, given);
    hash.delete('token');
    const rest = hash.toString() === '' ? '' : '#' + hash.toString();
    history.replaceState(null, '', location.pathname + location.search + rest);
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? undefined;
}

/** `?view_only` or `#view_only` */
function wantsViewOnly(): boolean {
  return [location.search, location.hash].some((part) => new URLSearchParams(part.slice(1)).has('view_only'));
}

function showDecoder(text: string, failed: boolean): void {
  facts.decoder = text;
  document.documentElement.dataset.decoder = failed ? 'failed' : text === 'loading' ? 'loading' : 'ready';
  if (failed) showNotice(`Pictures cannot be decoded, only text and what rests is shown: ${text}`);
}

function take(message: ToPage): void {
  if (message.type === 'figures') return updateFigures(message.figures);
  if (message.type === 'state') showState(message.state, message.text);
  if (message.type === 'notice') showNotice(message.text);
  if (message.type === 'anew') showNotice('Connected again: to a server that was restarted, or after too long a pause.', true);
  if (message.type === 'decoder') showDecoder(message.text, message.failed);
  if (message.type === 'server') Object.assign(facts, {server: message.device, model: message.model});
  if (message.type === 'server') byId<HTMLOptionElement>('fit-resize').disabled = !message.resizable;
  if (message.type === 'size') facts.size = `${message.width} x ${message.height}`;
  showFigures();
}

function connectWithToken(event: Event): void {
  event.preventDefault();
  const token = byId<HTMLInputElement>('token').value.trim();
  sessionStorage.setItem(TOKEN_KEY, token);
  tell({type: 'connect', token});
}

function listen(): void {
  const desk = new Desk(focusBar);
  worker.onmessage = ({data}: MessageEvent<ToPage>) => {
    take(data);
    desk.take(data);
  };
  worker.onerror = ({message}) =>
    showState('ended', `The viewer failed: ${message || 'its program could not be loaded'}. Reload the page.`);
  byId('retry').addEventListener('click', () => tell({type: 'connect'}));
  byId('notice-close').addEventListener('click', () => (byId('notice').hidden = true));
  byId('token-form').addEventListener('submit', connectWithToken);
  addEventListener('online', () => tell({type: 'connect'}));
  addEventListener('hashchange', () => tell({type: 'connect', token: takeToken()}));
  startBar(desk);
}

function start(): void {
  const desktop = byId<HTMLCanvasElement>('desktop');
  if (!('transferControlToOffscreen' in desktop)) {
    return showState('ended', 'This browser is too old: Chrome 93, Firefox 114 or Safari 16.4 and later can show the desktop.');
  }
  listen();
  warnOfClearText();
  const canvas = desktop.transferControlToOffscreen();
  tell({type: 'start', canvas, page: location.href, token: takeToken(), viewOnly: wantsViewOnly()}, [canvas]);
}

start();
