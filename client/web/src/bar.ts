// The bar at the upper edge.

import type {Desk} from './desk';
import {toggleFigures} from './figures';
import {chord, systemOf} from './keys';
import {KEYSYM} from './keysyms';
import {byId, tell} from './page';
import {showNotice} from './status';
import type {Fit} from './view';

const BAR_STAYS_MS = 2500;
const EDGE = 60;

/** Of Chromium: in full screen also keys such as Escape and Alt+Tab come to the page. */
interface KeyboardLock {
  lock(): Promise<void>;
  unlock(): void;
}
const keyboardLock = (navigator as unknown as {keyboard?: Partial<KeyboardLock>}).keyboard;

let timer: ReturnType<typeof setTimeout> | undefined;

export function showBar(): void {
  byId('bar').classList.remove('away');
  clearTimeout(timer);
  timer = setTimeout(() => byId('bar').classList.add('away'), BAR_STAYS_MS);
}

export function focusBar(): void {
  showBar();
  byId('bar').querySelector<HTMLButtonElement>('button:not([hidden])')?.focus();
}

async function toggleFullScreen(): Promise<void> {
  if (document.fullscreenElement) return document.exitFullscreen();
  await document.documentElement.requestFullscreen().catch(() => showNotice('The browser does not allow full screen here.', true));
}

function fullScreenChanged(): void {
  const isFull = document.fullscreenElement !== null;
  byId('fullscreen').textContent = isFull ? 'Leave full screen' : 'Full screen';
  if (isFull) void keyboardLock?.lock?.().catch(() => undefined);
  else keyboardLock?.unlock?.();
  byId('keys').focus();
}

function listenToQuality(): void {
  const quality = byId<HTMLInputElement>('quality');
  quality.addEventListener('input', () => (byId('quality-value').textContent = quality.value));
  quality.addEventListener('change', () => tell({type: 'quality', value: Number(quality.value)}));
}

export function startBar(desk: Desk): void {
  byId('fullscreen').addEventListener('click', () => void toggleFullScreen());
  document.addEventListener('fullscreenchange', fullScreenChanged);
  const fit = byId<HTMLSelectElement>('fit');
  fit.addEventListener('change', () => desk.view.setFit(fit.value as Fit));
  byId('control').addEventListener('click', () => desk.toggleControl());
  const attention = chord(KEYSYM.controlLeft, KEYSYM.altLeft, KEYSYM.delete);
  byId('attention').addEventListener('click', () => desk.type(attention));
  byId('statistics').addEventListener('click', toggleFigures);
  listenToQuality();
  if (systemOf(navigator.platform) === 'mac') byId('attention').title += '; Command is the desktop’s Alt, Option its AltGr';
  document.addEventListener('pointermove', ({clientY}) => clientY < EDGE && showBar());
  showBar();
}
