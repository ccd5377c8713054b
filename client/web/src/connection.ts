// The WebSocket: connects, and connects again with a growing pause; says in words what is the matter. A connection on which
// nothing comes any more, not even answers to pings, is told of and then given up.

import type {ConnectionState} from './channel';
import type {ViewerMessage} from './messages';
import {joinMessage, MAX_MESSAGE_BYTES, ProtocolError, SUBPROTOCOL} from './protocol';
import {now} from './statistics';

const FIRST_PAUSE_MS = 500;
const LOST_PAUSE_MS = 50; // after a connection that worked
const LONGEST_PAUSE_MS = 15000;
const WATCH_PERIOD_MS = 1000;
const SILENT_MS = 3000;
// A large message takes its time on a slow link and is not seen before it is whole, so each time that this was wrong it doubles.
const DEAD_MS = 6000;
const LONGEST_DEAD_MS = 60000;
const CONNECT_MS = 5000;
const MAX_QUEUED_BYTES = 2 * MAX_MESSAGE_BYTES;
// Browsers let a page close with 1000 and 3000 to 4999 only.
const CLOSE_PROTOCOL_ERROR = 4400;
const CLOSE_TOKEN = 4401, CLOSE_FORBIDDEN = 4403, CLOSE_WAIT = 4429, CLOSE_FULL = 1013;

/** What takes the messages of one connection. */
export interface Receiver {
  readonly greeted: boolean; // the server has let us in
  readonly works: boolean; // and something has been shown
  handle(message: ArrayBuffer, received: number): Promise<void>;
}

export interface ConnectionEvents {
  /** Of a connection that begins; nothing of one before it is being handled then. */
  begin(): {receiver: Receiver; hello: ViewerMessage};
  /** What it sent breaks a rule: nothing of it is worth keeping. */
  broken(): void;
  state(state: ConnectionState, text: string): void;
}

export class Connection {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause = FIRST_PAUSE_MS;
  private failure = ''; // why we closed
  private announced = false; // that it is open
  private saidHello = false;
  private heard = 0; // when something last came
  private watched = 0;
  private patience = DEAD_MS;
  private abandoned: WebSocket[] = []; // closed when the next one works: a close frame would end the session that it resumes
  private isSilent = false;
  private handling = Promise.resolve(); // what has come, one message after the other

  /** `page`: the address of the page, whose server is the one. */
  constructor(private readonly page: string, private readonly events: ConnectionEvents) {
    setInterval(() => this.watch(), WATCH_PERIOD_MS);
  }

  /** Bytes that wait to be sent. */
  get unsentBytes(): number {
    return this.socket?.bufferedAmount ?? 0;
  }

  connect(): void {
    clearTimeout(this.timer);
    if (this.socket?.readyState === WebSocket.OPEN) this.abandoned.push(this.socket);
    else this.socket?.close();
    this.failure = '';
    this.announced = this.saidHello = this.isSilent = false;
    this.heard = performance.now();
    this.events.state('connecting', 'Connecting to ' + new URL(this.page).host + ' …');
    const address = new URL('.', this.page);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address.href, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.listen(socket);
  }

  /** Nowhere while there is no connection. With a payload it is a binary message. */
  send(message: ViewerMessage | {type: 'clipboard'}, payload?: Uint8Array): void {
    if (this.socket?.readyState !== WebSocket.OPEN || !this.saidHello) return;
    this.socket.send(payload ? joinMessage(message, payload) : JSON.stringify(message));
  }

  private listen(socket: WebSocket): void {
    let receiver: Receiver | undefined;
    let queued = 0;
    socket.onopen = () => {
      if (socket.protocol !== SUBPROTOCOL) return this.refuse(socket, 'the server does not speak ' + SUBPROTOCOL);
      this.handling = this.handling.then(() => {
        if (this.socket !== socket) return;
        const begun = this.events.begin();
        receiver = begun.receiver;
        socket.send(JSON.stringify(begun.hello));
        this.saidHello = true;
      });
    };
    socket.onmessage = ({data}) => {
      if (this.socket !== socket) return;
      const received = now();
      this.heard = performance.now();
      if (!(data instanceof ArrayBuffer)) return this.refuse(socket, 'the server sent text');
      queued += data.byteLength;
      if (queued > MAX_QUEUED_BYTES) return this.refuse(socket, 'the server sends more than it may');
      this.handling = this.handling
        .then(async () => {
          if (this.socket !== socket || !receiver) return;
          await receiver.handle(data, received);
          queued -= data.byteLength;
          if (this.socket === socket) this.progress(receiver);
        })
        .catch((error) => this.refuse(socket, describe(error)));
    };
    socket.onclose = ({code, reason}) => {
      if (this.socket === socket) void this.closed(code, reason);
    };
  }

  private progress(receiver: Receiver): void {
    if (receiver.greeted && !this.announced) this.events.state('open', '');
    this.announced = receiver.greeted;
    for (const socket of this.abandoned.splice(0)) socket.close();
    if (!receiver.works) return;
    this.pause = 0;
    this.patience = DEAD_MS;
  }

  private watch(): void {
    const time = performance.now();
    // Decoding or sleep held this thread up, and what has come is still to be looked at.
    if (time - this.watched > 2 * WATCH_PERIOD_MS) this.heard = time;
    this.watched = time;
    const silence = time - this.heard;
    if (this.socket?.readyState === WebSocket.CONNECTING && silence > CONNECT_MS) return this.connect();
    if (!this.announced || this.socket?.readyState !== WebSocket.OPEN) return;
    if (silence > this.patience) {
      this.patience = Math.min(2 * this.patience, LONGEST_DEAD_MS);
      return this.connect();
    }
    const isSilent = silence > SILENT_MS;
    if (isSilent) this.events.state('silent', `No answer for ${Math.round(silence / 1000)} s. Waiting for the network …`);
    else if (this.isSilent) this.events.state('open', '');
    this.isSilent = isSilent;
    if (silence > 0.9 * WATCH_PERIOD_MS) this.send({type: 'ping', time: now()});
  }

  /** Ends the connection for what the server sent. */
  private refuse(socket: WebSocket, reason: string): void {
    if (this.socket !== socket) return;
    this.events.broken();
    this.failure = reason;
    this.drop(reason);
    void this.closed(CLOSE_PROTOCOL_ERROR, reason);
  }

  private drop(reason: string): void {
    const {socket} = this;
    this.socket = null;
    // 123 bytes is what a close frame takes.
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(CLOSE_PROTOCOL_ERROR, reason.replace(/[^ -~]/g, '?').slice(0, 123));
  }

  private async closed(code: number, reason: string): Promise<void> {
    this.socket = null;
    if (code === CLOSE_TOKEN) return this.events.state('token', sentence(reason || 'this server wants a token'));
    if (code === CLOSE_FORBIDDEN) return this.events.state('ended', 'The server refuses: ' + reason);
    if (this.pause === 0 && !reason) {
      this.pause = LOST_PAUSE_MS;
      this.events.state('connecting', 'The connection was lost. Connecting again …');
      this.timer = setTimeout(() => this.connect(), this.pause);
      return;
    }
    this.pause = Math.min(Math.max(this.pause * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
    const seconds = Math.ceil(this.pause / 1000);
    this.timer = setTimeout(() => this.connect(), this.pause);
    const text = await this.explain(code, reason);
    if (this.socket === null) this.events.state('waiting', `${text} Trying again in ${seconds} s.`);
  }

  private async explain(code: number, reason: string): Promise<string> {
    if (this.failure) return `The connection was ended, since ${this.failure}.`;
    if (code === CLOSE_WAIT || code === CLOSE_FULL) return 'The server says: ' + sentence(reason);
    if (reason) return 'The server has closed the connection: ' + sentence(reason);
    // Browsers do not tell a page why a WebSocket could not be opened.
    const isThere = await fetch(new URL('healthz', this.page), {cache: 'no-store'}).then(
      (response) => response.ok,
      () => false,
    );
    if (!isThere) return 'The server cannot be reached. Does it run, and does the network reach it?';
    return (
      'The connection was lost or refused, though the server answers: ' +
      'it may have as many viewers as it takes, or not know this page’s address.'
    );
  }
}

function describe(error: unknown): string {
  if (error instanceof ProtocolError) return 'the server broke the protocol: ' + error.message;
  return 'something failed in the page: ' + String(error);
}

function sentence(text: string): string {
  const trimmed = text.trim();
  const whole = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(whole) ? whole : whole + '.';
}
