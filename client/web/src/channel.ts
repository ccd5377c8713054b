// What the page and its worker say to each other.

import type {InputEvent} from './input_events';

/** `silent`: open, but nothing comes. `token`: one is needed, or the one given is wrong. `ended`: nothing more is tried until the user says so. */
export type ConnectionState = 'connecting' | 'open' | 'silent' | 'waiting' | 'token' | 'ended';

export interface Figures {
  fps: number; // updates shown a second
  latency: number | null; // median of capture to drawn, milliseconds; null until the clocks have been compared
  bytes: number; // received a second
  unpack: number; // medians, milliseconds
  decode: number;
  total: number; // bytes received in all
  updates: number; // shown in all
}

/** Whose keyboard and pointer the desktop follows: `none`, this viewer may only look; `free`, who types first has it. */
export type ControlState = 'none' | 'free' | 'yours' | 'taken';

/** How the pointer looks: RGBA, row by row; 0 by 0: it is hidden. (x, y) points. */
export interface CursorShape {
  width: number;
  height: number;
  x: number;
  y: number;
  pixels: Uint8ClampedArray;
}

export type ToWorker =
  | {type: 'start'; canvas: OffscreenCanvas; page: string; token?: string; viewOnly: boolean}
  | {type: 'input'; events: InputEvent[]}
  | {type: 'control'; take: boolean}
  | {type: 'size'; width: number; height: number}
  | {type: 'clipboard'; text: string}
  | {type: 'connect'; token?: string}
  | {type: 'quality'; value: number};

export type ToPage =
  | {type: 'state'; state: ConnectionState; text: string}
  | {type: 'server'; device: string; model: string; clipboard: boolean; resizable: boolean}
  | {type: 'anew'} // the server has not kept the session of a connection that was lost
  | {type: 'control'; state: ControlState}
  | {type: 'cursor'; shape: CursorShape}
  | {type: 'pointer'; x: number; y: number} // moved by somebody else
  | {type: 'clipboard'; text: string}
  | {type: 'size'; width: number; height: number}
  | {type: 'decoder'; text: string; failed: boolean}
  | {type: 'notice'; text: string}
  | {type: 'figures'; figures: Figures};
