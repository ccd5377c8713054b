// The messages of latentdesk.2 as the page has them; docs/protocol.md is the norm.

import type {ControlState} from './channel';
import type {InputEvent} from './input_events';
import type {UpdateHeader} from './protocol';

export type ServerMessage =
  | ServerHello
  | {type: 'resize'; width: number; height: number}
  | UpdateHeader
  | {type: 'ping'; time: number}
  | {type: 'pong'; time: number; received: number; sent: number}
  | {type: 'control'; state: ControlState}
  | CursorHeader
  | {type: 'pointer'; x: number; y: number}
  | {type: 'clipboard'} // the payload is the text
  | {type: 'notice'; text: string}
  | {type: 'bye'; reason: string};

export interface ServerHello {
  type: 'hello';
  modelVersion: string;
  device: string;
  time: number;
  slots: number;
  session: string; // empty: it cannot be resumed
  resumed: boolean;
  clipboard: boolean;
  resizable: boolean;
}

export interface CursorHeader {
  type: 'cursor';
  width: number; // 0: hidden
  height: number;
  x: number; // the pixel that points
  y: number;
}

export type ViewerMessage =
  | {type: 'hello'; token?: string; cache: number; view_only?: true; resume?: {session: string; updates: number}}
  | {type: 'ack'; updates: number}
  | {type: 'ping'; time: number}
  | {type: 'pong'; time: number; received: number; sent: number}
  | {type: 'quality'; value: number}
  | {type: 'input'; events: InputEvent[]}
  | {type: 'control'; take: boolean}
  | {type: 'size'; width: number; height: number};
