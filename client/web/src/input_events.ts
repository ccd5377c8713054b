// What a person does with keyboard and pointer, as it travels: docs/protocol.md, "Input".

export type InputEvent =
  | ['key', number, 0 | 1] // keysym; down or up
  | ['move', number, number]
  | ['button', number, 0 | 1]
  | ['scroll', number, number] // notches right, down
  | ['text', string]
  | ['release'];

export const MAX_INPUT_EVENTS = 256;
export const MAX_SCROLL = 100;
const MAX_TEXT_BYTES = 1024;

/** Text of any length as events, cut between characters. */
export function textEvents(text: string): InputEvent[] {
  const encoder = new TextEncoder();
  const events: InputEvent[] = [];
  let piece = '', bytes = 0;
  for (const character of text) {
    const size = encoder.encode(character).length;
    if (bytes + size > MAX_TEXT_BYTES) {
      events.push(['text', piece]);
      piece = '';
      bytes = 0;
    }
    piece += character;
    bytes += size;
  }
  if (piece) events.push(['text', piece]);
  return events;
}
