// What has been copied, both ways. Browsers give it and take it by several doors, of which each opens sometimes: the asynchronous
// interface (encrypted pages, and with leave), copy and paste events (upon a key or a click), and a panel where all else is closed.

import {byId} from './page';
import {MAX_CLIPBOARD_BYTES} from './protocol';
import {showNotice} from './status';

export class SharedClipboard {
  private readonly panel = byId('clipboard-panel');
  private readonly text = byId<HTMLTextAreaElement>('clipboard-text');
  private both: string | null = null; // what both sides have: nothing is sent back
  private owed: string | null = null; // copied on the desktop, and not yet here

  /** `send` gives it to the desktop; `takes`: whether that would have it. */
  constructor(private readonly send: (text: string) => void, private readonly takes: () => boolean) {
    byId('clipboard').addEventListener('click', () => this.toggle());
    byId('clipboard-send').addEventListener('click', () => this.offer(this.text.value));
    byId('clipboard-allow').addEventListener('click', () => void this.read(true));
    document.addEventListener('copy', (event) => this.copy(event));
    for (const name of ['keydown', 'pointerdown'] as const) addEventListener(name, () => this.deliver(), {capture: true});
    addEventListener('focus', () => void this.read(false));
  }

  /** Copied on the desktop. */
  received(text: string): void {
    this.both = this.owed = text;
    this.text.value = text;
    void this.write(text);
  }

  /** Copied here. */
  offer(text: string): void {
    if (text === this.both || text === '' || !this.takes()) return;
    if (new TextEncoder().encode(text).length > MAX_CLIPBOARD_BYTES) {
      return showNotice('What was copied is more than 1 MiB, and is not sent to the desktop.', true);
    }
    this.both = text;
    this.owed = null;
    this.text.value = text;
    this.send(text);
  }

  /** What was copied here, where the browser tells; `asks`: the user may be asked for leave. */
  async read(asks: boolean): Promise<void> {
    if (!this.takes() || !navigator.clipboard?.readText || !(asks || (await mayRead()))) return;
    const text = await navigator.clipboard.readText().catch(() => '');
    this.offer(text);
    if (asks) byId('clipboard-allow').hidden = await mayRead();
  }

  private async write(text: string): Promise<void> {
    const written = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    if (written && this.owed === text) this.owed = null;
  }

  /** Upon a key or a click browsers let a page copy that they do not let otherwise. */
  private deliver(): void {
    if (this.owed !== null && document.activeElement === byId('keys')) document.execCommand('copy');
  }

  private copy(event: ClipboardEvent): void {
    if (this.owed === null || document.activeElement === this.text) return;
    event.clipboardData?.setData('text/plain', this.owed);
    event.preventDefault();
    this.owed = null;
  }

  private toggle(): void {
    this.panel.hidden = !this.panel.hidden;
    byId('clipboard').setAttribute('aria-expanded', String(!this.panel.hidden));
    if (this.panel.hidden) return byId('keys').focus();
    this.text.select();
    this.text.focus();
    void mayRead().then((may) => (byId('clipboard-allow').hidden = may || !navigator.clipboard?.readText));
  }
}

async function mayRead(): Promise<boolean> {
  // Not every browser knows this permission; those ask each time, which nobody wants.
  const name = 'clipboard-read' as PermissionName;
  return (await navigator.permissions?.query({name}).catch(() => null))?.state === 'granted';
}
