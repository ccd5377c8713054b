// The elements of index.html, and the worker.

import type {ToWorker} from './channel';

export function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error('the page has no ' + id);
  return element as T;
}

export const worker = new Worker(new URL('./worker.ts', import.meta.url), {type: 'module'});
export const tell = (content: ToWorker, transfer: Transferable[] = []): void => worker.postMessage(content, transfer);
