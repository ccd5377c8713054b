// KeyboardEvent.key to X11's keysyms. Characters are Latin-1 or Unicode keysyms: servers know which others mean the same.

export const KEYSYM = {
  backspace: 0xff08,
  delete: 0xffff,
  controlLeft: 0xffe3,
  altLeft: 0xffe9,
  metaLeft: 0xffeb,
  levelThreeShift: 0xfe03, // AltGr
} as const;

export interface Key {
  key: string;
  location: number; // KeyboardEvent's: 0 standard, 1 left, 2 right, 3 numpad
}

const RIGHT = 2, NUMPAD = 3;
const UNICODE = 0x01000000;
const LAST_FUNCTION_KEY = 35;

// A second number: that of the right or the numpad's key.
const NAMED: Record<string, number | [number, number]> = {
  Backspace: KEYSYM.backspace, Tab: 0xff09, Enter: [0xff0d, 0xff8d], Escape: 0xff1b, Pause: 0xff13, ScrollLock: 0xff14,
  PrintScreen: 0xff61, ContextMenu: 0xff67, Help: 0xff6a, Undo: 0xff65, Redo: 0xff66, Find: 0xff68, Cancel: 0xff69,
  Select: 0xff60, Execute: 0xff62, Clear: [0xff0b, 0xff9d],
  Home: [0xff50, 0xff95], ArrowLeft: [0xff51, 0xff96], ArrowUp: [0xff52, 0xff97], ArrowRight: [0xff53, 0xff98],
  ArrowDown: [0xff54, 0xff99], PageUp: [0xff55, 0xff9a], PageDown: [0xff56, 0xff9b], End: [0xff57, 0xff9c],
  Insert: [0xff63, 0xff9e], Delete: [KEYSYM.delete, 0xff9f],
  Shift: [0xffe1, 0xffe2], Control: [KEYSYM.controlLeft, 0xffe4], Alt: [KEYSYM.altLeft, 0xffea],
  Meta: [KEYSYM.metaLeft, 0xffec], OS: [KEYSYM.metaLeft, 0xffec], Super: [KEYSYM.metaLeft, 0xffec], Hyper: 0xffed,
  AltGraph: KEYSYM.levelThreeShift, CapsLock: 0xffe5, NumLock: 0xff7f, ModeChange: 0xff7e,
  Convert: 0xff23, NonConvert: 0xff22, KanaMode: 0xff2d, Romaji: 0xff24, Hiragana: 0xff25, Katakana: 0xff26,
  HiraganaKatakana: 0xff27, Zenkaku: 0xff28, Hankaku: 0xff29, ZenkakuHankaku: 0xff2a, Eisu: 0xff30, KanjiMode: 0xff21,
  Alphanumeric: 0xff30, HangulMode: 0xff31, HanjaMode: 0xff34,
  BrightnessUp: 0x1008ff02, BrightnessDown: 0x1008ff03, AudioVolumeDown: 0x1008ff11, AudioVolumeMute: 0x1008ff12,
  AudioVolumeUp: 0x1008ff13, MediaPlayPause: 0x1008ff14, MediaPlay: 0x1008ff14, MediaStop: 0x1008ff15,
  MediaTrackPrevious: 0x1008ff16, MediaTrackNext: 0x1008ff17, BrowserHome: 0x1008ff18, LaunchMail: 0x1008ff19,
  BrowserSearch: 0x1008ff1b, BrowserBack: 0x1008ff26, BrowserForward: 0x1008ff27, BrowserStop: 0x1008ff28,
  BrowserRefresh: 0x1008ff29, Power: 0x1008ff2a, WakeUp: 0x1008ff2b, Sleep: 0x1008ff2f, BrowserFavorites: 0x1008ff30,
  Copy: 0x1008ff57, Cut: 0x1008ff58, Paste: 0x1008ff6d,
};

const NUMPAD_SIGNS: Record<string, number> = {'*': 0xffaa, '+': 0xffab, ',': 0xffac, '-': 0xffad, '.': 0xffae, '/': 0xffaf, '=': 0xffbd};

/** Of a character; null where none is typed by it. */
function characterKeysym(character: string): number | null {
  const code = character.codePointAt(0)!;
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return null;
  return code <= 0xff ? code : UNICODE | code;
}

function numpadKeysym(key: string): number | null {
  if (/^[0-9]$/.test(key)) return 0xffb0 + Number(key);
  return NUMPAD_SIGNS[key] ?? null;
}

/** Null for keys that have no meaning yet (dead, of an input method) or none that a keysym could say. */
export function keysymOf({key, location}: Key): number | null {
  if ([...key].length === 1) return (location === NUMPAD ? numpadKeysym(key) : null) ?? characterKeysym(key);
  const functionKey = /^F([1-9][0-9]?)$/.exec(key);
  if (functionKey) return Number(functionKey[1]) <= LAST_FUNCTION_KEY ? 0xffbd + Number(functionKey[1]) : null;
  const named = NAMED[key];
  if (!Object.hasOwn(NAMED, key) || named === undefined) return null;
  if (typeof named === 'number') return named;
  return location === RIGHT || location === NUMPAD ? named[1] : named[0];
}
