// Sends input in its order. Nothing is dropped; where the network does not keep up, consecutive moves become one.

import {MAX_INPUT_EVENTS, type InputEvent} from './input_events';

const ALIVE_PERIOD_MS = 500; // the server lets go what is held by a viewer that is silent for 2 s
const RETRY_MS = 10;
const MAX_UNSENT_BYTES = 4096;

export interface InputChannel {
  /** What has been given to the network and not gone yet. */
  readonly unsentBytes: number;
  sendInput(events: InputEvent[]): void;
  sayAlive(): void;
}

export class InputSender {
  private waiting: InputEvent[] = [];
  private retry: ReturnType<typeof setTimeout> | undefined;
  private alive: ReturnType<typeof setInterval> | undefined;
  private readonly held = new Set<string>();

  constructor(private readonly channel: InputChannel) {}

  push(events: InputEvent[]): void {
    for (const event of events) {
      const last = this.waiting.at(-1);
      if (event[0] === 'move' && last?.[0] === 'move') this.waiting.pop();
      this.waiting.push(event);
      this.follow(event);
    }
    this.keepAlive();
    this.flush();
  }

  /** The connection is another one, to which nothing is held. */
  reset(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    this.waiting = [];
    this.held.clear();
    this.keepAlive();
  }

  private flush(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    while (this.waiting.length > 0) {
      if (this.channel.unsentBytes > MAX_UNSENT_BYTES) {
        this.retry = setTimeout(() => this.flush(), RETRY_MS);
        return;
      }
      this.channel.sendInput(this.waiting.splice(0, MAX_INPUT_EVENTS));
    }
  }

  private follow(event: InputEvent): void {
    if (event[0] === 'release') this.held.clear();
    if (event[0] !== 'key' && event[0] !== 'button') return;
    const what = `${event[0]} ${event[1]}`;
    if (event[2]) this.held.add(what);
    else this.held.delete(what);
  }

  private keepAlive(): void {
    if (this.held.size === 0) {
      clearInterval(this.alive);
      this.alive = undefined;
    } else {
      this.alive ??= setInterval(() => this.channel.sayAlive(), ALIVE_PERIOD_MS);
    }
  }
}
