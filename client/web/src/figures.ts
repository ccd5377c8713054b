// The panel of statistics.

import type {Figures} from './channel';
import {byId} from './page';

export const facts = {server: '–', model: '–', decoder: 'not needed yet', size: '–'};
let latest: Figures | null = null;
const details = new Map<string, HTMLElement>(); // by the name of what they tell

export function updateFigures(figures: Figures): void {
  latest = figures;
  showFigures();
}

export function toggleFigures(): void {
  const panel = byId('figures');
  panel.hidden = !panel.hidden;
  byId('statistics').setAttribute('aria-pressed', String(!panel.hidden));
  showFigures();
}

export function showFigures(): void {
  if (byId('figures').hidden) return;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const kib = (value: number): string => `${(value / 1024).toFixed(0)} KiB`;
  show('FPS', latest ? latest.fps.toFixed(1) : '–');
  show('Latency', latest?.latency != null ? `${ms(latest.latency)} from capture to drawn` : '–');
  show('Received', latest ? `${kib(latest.bytes)}/s, ${kib(latest.total)} in ${latest.updates} updates` : '–');
  show('Unpack', latest ? ms(latest.unpack) : '–');
  show('Decode and draw', latest ? ms(latest.decode) : '–');
  show('Decoder', facts.decoder);
  show('Screen', facts.size);
  show('Server', facts.server);
  show('Model', facts.model);
}

function show(name: string, value: string): void {
  const detail = details.get(name) ?? addRow(name);
  if (detail.textContent !== value) detail.textContent = value;
}

function addRow(name: string): HTMLElement {
  const term = document.createElement('dt'), detail = document.createElement('dd');
  term.textContent = name;
  byId('figures').append(term, detail);
  details.set(name, detail);
  return detail;
}
