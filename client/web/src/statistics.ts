// Figures of the last seconds, and how far the server's clock is from ours.

import type {Figures} from './channel';

const WINDOW_MS = 3000;
const CLOCK_SAMPLES = 8;

/** Milliseconds since the Unix epoch, with a fraction, never going back. */
export const now = (): number => performance.timeOrigin + performance.now();

/** RFC 5905, section 8; the sample of the shortest round trip is the best. */
export class PeerClock {
  private samples: {offset: number; roundTrip: number}[] = [];

  /** Times by our clock, theirs, theirs, ours. */
  add(asked: number, received: number, sent: number, answered: number): void {
    this.samples.push({offset: (received - asked + sent - answered) / 2, roundTrip: answered - asked - (sent - received)});
    if (this.samples.length > CLOCK_SAMPLES) this.samples.shift();
  }

  /** Theirs minus ours; null before the first answer. */
  get offset(): number | null {
    if (this.samples.length === 0) return null;
    return this.samples.reduce((best, sample) => (sample.roundTrip < best.roundTrip ? sample : best)).offset;
  }
}

interface Sample {
  at: number;
  latency: number | null;
  bytes: number;
  unpack: number;
  decode: number;
}

function median(values: number[]): number {
  return values.length === 0 ? 0 : values.sort((a, b) => a - b)[values.length >> 1];
}

export class Statistics {
  private samples: Sample[] = [];
  private total = 0;
  private updates = 0;

  add(sample: Omit<Sample, 'at'>): void {
    this.samples.push({...sample, at: performance.now()});
    this.total += sample.bytes;
    ++this.updates;
  }

  figures(): Figures {
    const begin = performance.now() - WINDOW_MS;
    this.samples = this.samples.filter(({at}) => at >= begin);
    const {samples} = this;
    const latencies = samples.flatMap(({latency}) => (latency === null ? [] : [latency]));
    return {
      fps: (samples.length * 1000) / WINDOW_MS,
      latency: latencies.length > 0 ? median(latencies) : null,
      bytes: (samples.reduce((bytes, sample) => bytes + sample.bytes, 0) * 1000) / WINDOW_MS,
      unpack: median(samples.map(({unpack}) => unpack)),
      decode: median(samples.map(({decode}) => decode)),
      total: this.total,
      updates: this.updates,
    };
  }
}
