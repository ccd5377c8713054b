// The panel of statistics.

import type {Figures} from './channel';
import {byId} from './page';

export const facts = {server: '–', model: '–', decoder: 'not needed yet', size: '–'};
let latest: Figures | null = null;

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
  const panel = byId('figures');
  if (panel.hidden) return;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const kib = (value: number): string => `${(value / 1024).toFixed(0)} KiB`;
  const rows: [string, string][] = [
    ['FPS', latest ? latest.fps.toFixed(1) : '–'],
    ['Latency', latest?.latency != null ? `${ms(latest.latency)} from capture to drawn` : '–'],
    ['Received', latest ? `${kib(latest.bytes)}/s, ${kib(latest.total)} in ${latest.updates} updates` : '–'],
    ['Unpack', latest ? ms(latest.unpack) : '–'],
    ['Decode and draw', latest ? ms(latest.decode) : '–'],
    ['Decoder', facts.decoder],
    ['Screen', facts.size],
    ['Server', facts.server],
    ['Model', facts.model],
  ];
  panel.replaceChildren(
    ...rows.flatMap(([name, value]) => {
      const term = document.createElement('dt'), detail = document.createElement('dd');
      term.textContent = name;
      detail.textContent = value;
      return [term, detail];
    }),
  );
}
