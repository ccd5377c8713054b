// What is the matter with the connection, and notices.

import type {ConnectionState} from './channel';
import {byId} from './page';

const PASSING_NOTICE_MS = 6000;

export function showState(state: ConnectionState, text: string): void {
  document.documentElement.dataset.state = state;
  byId('message').hidden = state === 'open';
  byId('message-text').textContent = text;
  byId('token-form').hidden = state !== 'token';
  byId('retry').hidden = state !== 'waiting' && state !== 'ended' && state !== 'silent';
  if (state === 'token') byId('token').focus();
}

/** Later notices follow earlier ones until the user closes them; `passing` ones go by themselves. */
export function showNotice(text: string, passing = false): void {
  const notice = byId('notice-text');
  const shown = byId('notice').hidden ? [] : (notice.textContent ?? '').split('\n');
  if (!shown.includes(text)) shown.push(text);
  notice.textContent = shown.slice(-4).join('\n');
  byId('notice').hidden = false;
  if (passing) setTimeout(() => removeNotice(text), PASSING_NOTICE_MS);
}

function removeNotice(text: string): void {
  const notice = byId('notice-text');
  const left = (notice.textContent ?? '').split('\n').filter((line) => line !== text);
  notice.textContent = left.join('\n');
  byId('notice').hidden = left.length === 0;
}

export function warnOfClearText(): void {
  if (isSecureContext) return;
  const secure = `https://${location.host}${location.pathname}`;
  showNotice(
    `This page came unencrypted, so the browser denies it WebGPU and, but for keys and clicks, its clipboard. ` +
      `If the server has a certificate (--tls-self-signed makes one), open ${secure}`,
  );
}
