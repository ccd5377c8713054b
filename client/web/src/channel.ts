// What the page and its worker say to each other.

/** `token`: one is needed, or the one given is wrong. `ended`: nothing more is tried until the user says so. */
export type ConnectionState = 'connecting' | 'open' | 'waiting' | 'token' | 'ended';

export interface Figures {
  fps: number; // updates shown a second
  latency: number | null; // median of capture to drawn, milliseconds; null until the clocks have been compared
  bytes: number; // received a second
  unpack: number; // medians, milliseconds
  decode: number;
  total: number; // bytes received in all
}

export type ToWorker =
  | {type: 'start'; canvas: OffscreenCanvas; page: string; token?: string}
  | {type: 'connect'; token?: string}
  | {type: 'quality'; value: number};

export type ToPage =
  | {type: 'state'; state: ConnectionState; text: string}
  | {type: 'server'; device: string; model: string}
  | {type: 'size'; width: number; height: number}
  | {type: 'decoder'; text: string; failed: boolean}
  | {type: 'notice'; text: string}
  | {type: 'figures'; figures: Figures};
