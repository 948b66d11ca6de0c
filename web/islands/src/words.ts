// Every sentence that the scripts say. What never changes stands in the page's
// template; a second language is a second file like this one.

import type { Left } from "./protocol.ts";

export const words = {
  steps: { choose: "Choose", look: "Look", consent: "Answer", check: "Check" },
  step: (n: number, of: number, name: string) => `Step ${n} of ${of}: ${name}`,

  // refusals that have no sentence from the server or from the reducer
  twoPools: (a: string, b: string) => `These files belong to two pools: ${a} and ${b}. Add them one after the other.`,
  noSuchPool: "The co-op has no pool for this kind of data yet.",
  inFile: (name: string) => `It is about “${name}”.`,
  tooLarge: "This file is larger than this browser can take in. The command line can take it.",
  noReducer: "This browser cannot run the part that reads your file. Use another browser, or the command line.",
  otherTab: "You are adding data in another tab of this browser. Go on there, or close it and load this page again.",
  signedOut: "You have been signed out.",
  signInThere: "Nothing is lost. Sign in again in a new tab, come back to this one, and go on.",
  lost: "The connection was lost, and trying again did not help.",
  kept: "Your encrypted file is kept in this browser. You can close the page and go on another day.",
  stay: "Keep this page open: this browser keeps nothing when it closes. Go on when the connection is back.",
  strangeAnswer: "The server gave an answer that makes no sense here. Try again later.",
  otherKind: "Your account’s key is of another kind than the co-op’s key for this data, so nothing was sent. Ask the co-op for help.",
  badKey: "The co-op’s key cannot be used, so nothing was sent. Ask the co-op for help.",
  overSize: "The encrypted file is larger than this co-op takes. Leave out some days or columns.",
  noRoom: "There is no room left on this device to encrypt your data. Free some space, then try again.",
  gone: "The server no longer knows the upload that was begun. Start again with the same file.",
  unexpected: "Something in this page went wrong. Nothing was shared. Load the page again.",

  // reading
  reading: (done: string, total: string) => `Reading on this device: ${done} of ${total}`,

  // what would be shared
  rows: (n: number) => (n === 1 ? "1 row" : `${number(n)} rows`),
  rowIs: (row: string) => `One row is ${row.charAt(0).toLowerCase()}${row.slice(1).replace(/\.$/, "")}.`,
  days: (from: string, to: string) => (from === to ? day(from) : `${day(from)} to ${day(to)}`),
  shownRows: (from: number, to: number, of: number) => `Rows ${number(from)} to ${number(to)} of ${number(of)}`,
  columns: (kept: number, filled: number) => `Columns: ${kept} of ${filled} shared`,
  unit: (unit: string) => `Unit: ${unit}.`,
  empty: "Your file has nothing for this column.",
  people: (n: number) => `This file tells about ${number(n)} people. Share it only if every one of them agreed.`,
  skipped: (n: number) => (n === 1 ? "One record could not be read and was left out." : `${number(n)} records could not be read and were left out.`),
  notRead: (left: Left[]) => `Not read: ${left.map((l) => `${number(l.count)} ${kinds[l.kind]?.[l.count === 1 ? 0 : 1] ?? l.kind}`).join(", ")}.`,
  leftOut: (names: string[]) => (names.length ? `Left out: ${names.join(", ")}` : "No column left out"),

  // the key
  keyMissing: "Make your key first. Without one, nobody could ever open your own copy.",
  sheetMissing: "What you typed does not stand on your recovery sheet. Read the two groups from your own copy and type them again.",
  codeLength: (want: number, got: number) => `The code has ${want} characters. You typed ${got}.`,
  codeWrong: (groups: number[]) =>
    groups.length === 1 ? `Group ${groups[0]} does not fit. Look at it again: a character is wrong there, or the group belongs elsewhere.` : `Groups ${groups.join(" and ")} do not fit. Look at them again: a character is wrong there, or they belong elsewhere.`,
  otherSheet: "This code is typed correctly, and it does not open your key. It is from another sheet, perhaps one that you have replaced.",
  otherFile: "The key in this file is not the one your account has.",
  otherIdentity: "Your key does not open this file. It was encrypted to another key of yours.",
  noIdentity: "There is no key in this file. It should hold a line that begins with AGE-SECRET-KEY.",
  noLocks: "Your account has a key, and the co-op holds no locked copy of it. Choose the file that you kept your key in.",
  passkeyKnown: "This device opens your key already.",
  passkeyUnfit: "The passkey of this device cannot lock a key. Use your recovery sheet instead.",
  passkeyNotUsed: "No passkey was used. Try again, or go another way.",
  passkeyName: (coop: string) => `Key for ${coop}`,
  passkeyDone: "This device can open your key from now on.",
  device: () => `${(navigator as { userAgentData?: { platform?: string } }).userAgentData?.platform || "A device"}`,
  sheetOpens: "Your sheet opens your key. Keep it where it is.",
  newSheetDone: "Your new sheet opens your key. The old one does not any more: destroy it.",
  keyDone: "Your key is made, and you can get at it.",
  lockName: (kind: string, label: string) => (kind === "sheet" ? "Recovery sheet" : label ? `Passkey, ${label}` : "Passkey"),
  lockMade: (on: Date) => `Made on ${moment(on)}`,
  remove: "Remove",
  removeWhat: (label: string) => ` ${label}`,
  removed: (label: string) => `Removed: ${label}. It does not open the locked copy that the co-op holds any more.`,
  lastLock: "This is the only way to your key, so it stays. Add another one first.",
  exported: "Your key was saved as a file. Whoever has that file can open your copies: keep it safe, and delete it where you do not need it.",
  typeGroup: (n: number) => `Group ${n} of your sheet`,
  groupNumber: (n: number) => ` ${n}`,
  whyBring: "Choose the file that your key is in. It is read on this device and not sent.",
  whyAdd: "To add a way to your key, open it first.",
  whyRemove: (label: string) => `You are about to remove a way to your key: ${label}. Open it first, by a way that stays.`,
  whyExport: "A file with your key opens your copies for whoever has it. So you are asked again, even if you have just opened your key.",
  whyOpen: "Your copy is decrypted on this device.",
  whyCustody: "You are about to keep the only key to this data. Open your key first, to show that you have it.",
  whyApprove: "Your key makes, on this device, a copy of the file’s key that only this researcher can open.",
  sheetName: "recovery-sheet.txt",
  sheet: (coop: string, on: Date, code: string) =>
    [
      `${coop}: recovery sheet`,
      `Made on ${moment(on)}.`,
      "",
      "Your code:",
      "",
      ...code.split("-").map((g, i) => `    ${i + 1}   ${g}`),
      "",
      "It opens your key on any device: sign in, go to “My key” and type it.",
      "Keep this sheet where only you can reach it, and not beside your device.",
      "If you lose it and every device with your passkey, nobody can open your",
      "own copies, ever. The co-op has no other code.",
      "",
      "There is no O, I or L in it: those are the numbers 0 and 1.",
      "",
    ].join("\n"),
  identityName: "my-key.txt",
  identity: (on: Date, secret: string) =>
    ["# This is your secret key. It opens your own copies of what you add.", `# Saved on ${moment(on)}. Keep it where only you can reach it.`, "# Any program that speaks age can use it: age -d -i my-key.txt", secret, ""].join("\n"),

  // opening a copy
  notThere: "This file is not here any more. You may have taken it back.",
  altered: "This file is not as it was when you added it, so nothing of it is shown. Ask the co-op for help.",
  lostOpening: "The connection was lost. Nothing was opened; try again.",

  // approving
  notWaiting: "This request does not wait for you any more. Load the page again.",
  notMine: "What the server shows is not a file that you added and signed with a key known here, so it was not opened. If you added it with the program, choose its signing key below.",
  otherRecipient: "The researcher’s key has changed since this page was loaded. Load it again and look at it before you say yes.",
  noSigningKey: "There is no signing key in this file.",
  approved: "You approved this request. The researcher can fetch the file now.",

  // sending
  opening: "Getting ready",
  encrypting: "Encrypting on this device",
  uploading: "Sending the encrypted file",
  finishing: "Finishing",
  progress: (done: string, total: string) => `${done} of ${total}`,
  speed: (perSecond: string) => `${perSecond} a second`,
  left: (seconds: number) => (seconds < 5 ? "a few seconds left" : seconds < 60 ? `about ${Math.ceil(seconds / 5) * 5} seconds left` : seconds < 90 ? "about a minute left" : seconds < 5400 ? `about ${Math.round(seconds / 60)} minutes left` : `about ${Math.round(seconds / 3600)} hours left`),
  waiting: (seconds: number) => `The connection was lost. Trying again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`,
  offline: "This device is not connected. It goes on by itself when the connection is back.",

  bytes(n: number): string {
    if (n < 1000) return `${n} bytes`;
    const units = ["kB", "MB", "GB"];
    let i = -1;
    do {
      n /= 1000;
      i++;
    } while (n >= 999.5 && i < units.length - 1);
    return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
  },
  moment,
  number,
};

// kinds of files that were not read, one and many (package codebook, Left).
const kinds: Record<string, [string, string]> = {
  picture: ["picture", "pictures"],
  "sound or film": ["sound or film", "sounds or films"],
  document: ["document", "documents"],
  archive: ["archive inside the archive", "archives inside the archive"],
  "empty file": ["empty file", "empty files"],
  "damaged file": ["damaged file", "damaged files"],
  "database log": ["log beside a database: close your browser first, then its newest visits are in the database itself", "logs beside databases: close your browser first, then its newest visits are in the databases themselves"],
  "file for another pool": ["file for another pool: add it again to share that too", "files for other pools: add them again to share those too"],
  "other file": ["other file", "other files"],
};

function number(n: number): string {
  return n.toLocaleString("en-GB");
}

// day writes 2026-03-01 as 1 March 2026.
function day(iso: string): string {
  return new Date(`${iso}T00:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
}

function moment(at: Date): string {
  return at.toLocaleString("en-GB", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" });
}
