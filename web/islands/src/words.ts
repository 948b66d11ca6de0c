// Every sentence that the scripts say. What never changes stands in the page's
// template. The catalogue of messages is read from here, so a sentence is a
// literal given to said, whole, and nothing else here is text.

import type { Left } from "./protocol.ts";
import { day, enumerated, known, listed, moment, number, said, wrapped } from "./said.ts";

export const words = {
  steps: { choose: said("Choose"), look: said("Look"), consent: said("Answer"), check: said("Check") },
  step: (n: number, of: number, name: string) => said("Step {1} of {2}: {3}", number(n), number(of), name),

  // refusals that have no sentence from the server or from the reducer
  twoPools: (a: string, b: string) => said("These files belong to two pools: {1} and {2}. Add them one after the other.", a, b),
  noSuchPool: said("The co-op has no pool for this kind of data yet."),
  inFile: (name: string) => said("It is about “{1}”.", name),
  tooLarge: said("This file is larger than this browser can take in. The command line can take it."),
  noReducer: said("This browser cannot run the part that reads your file. Use another browser, or the command line."),
  otherTab: said("You are adding data in another tab of this browser. Go on there, or close it and load this page again."),
  signedOut: said("You have been signed out."),
  confirmThere: said("Nothing is lost. Confirm in a new tab that it is you, come back to this one, and go on."),
  signInThere: said("Nothing is lost. Sign in again in a new tab, come back to this one, and go on."),
  lost: said("The connection was lost, and trying again did not help."),
  kept: said("Your encrypted file is kept in this browser. You can close the page and go on another day."),
  stay: said("Keep this page open: this browser keeps nothing when it closes. Go on when the connection is back."),
  strangeAnswer: said("The server gave an answer that makes no sense here. Try again later."),
  otherKind: said("Your account’s key is of another kind than the co-op’s key for this data, so nothing was sent. Ask the co-op for help."),
  badKey: said("The co-op’s key cannot be used, so nothing was sent. Ask the co-op for help."),
  overSize: said("The encrypted file is larger than this co-op takes. Leave out some days or columns."),
  noRoom: said("There is no room left on this device to encrypt your data. Free some space, then try again."),
  gone: said("The server no longer knows the upload that was begun. Start again with the same file."),
  unexpected: said("Something in this page went wrong. Nothing was shared. Load the page again."),

  // reading
  reading: (done: string, total: string) => said("Reading on this device: {1} of {2}", done, total),

  // what would be shared
  found: enumerated,
  rows: (n: number) => (n === 1 ? said("1 row") : said("{1} rows", number(n))),
  rowIs: (row: string) => said("One row is {1}.", known(row)),
  also: known,
  days: (from: string, to: string) => (from === to ? day(from) : said("{1} to {2}", day(from), day(to))),
  shownRows: (from: number, to: number, of: number) => said("Rows {1} to {2} of {3}", number(from), number(to), number(of)),
  columns: (kept: number, filled: number) => said("Columns: {1} of {2} shared", number(kept), number(filled)),
  column: known,
  unit: (unit: string) => said("Unit: {1}.", unit),
  empty: said("Your file has nothing for this column."),
  people: (n: number) => said("This file tells about {1} people. Share it only if every one of them agreed.", number(n)),
  skipped: (n: number) => (n === 1 ? said("One record could not be read and was left out.") : said("{1} records could not be read and were left out.", number(n))),
  notRead: (left: Left[]) => said("Not read: {1}.", left.map((l) => kinds[l.kind]?.(l.count) ?? `${number(l.count)} ${l.kind}`).join(", ")),
  leftOut: (names: string[]) => (names.length ? said("Left out: {1}", names.join(", ")) : said("No column left out")),

  // the answer
  forDays: (n: number) => (n === 1 ? said("1 day") : said("{1} days", number(n))),
  forMonths: (n: number) => (n === 1 ? said("1 month") : said("{1} months", number(n))),

  // the key
  keyMissing: said("Make your key first. Without one, nobody could ever open your own copy."),
  sheetMissing: said("What you typed does not stand on your recovery sheet. Read the two groups from your own copy and type them again."),
  codeLength: (want: number, got: number) => said("The code has {1} characters. You typed {2}.", number(want), number(got)),
  codeWrong: (groups: number[]) =>
    groups.length === 1
      ? said("Group {1} does not fit. Look at it again: a character is wrong there, or the group belongs elsewhere.", listed(groups))
      : said("Groups {1} do not fit. Look at them again: a character is wrong there, or they belong elsewhere.", listed(groups)),
  sheetUnsure: said("Before your sheet opens your key, please show once more that it is you."),
  otherSheet: said("This code is typed correctly, and it does not open your key. It is from another sheet, perhaps one that you have replaced."),
  otherFile: said("The key in this file is not the one your account has."),
  otherIdentity: said("Your key does not open this file. It was encrypted to another key of yours."),
  noIdentity: said("There is no key in this file. It should hold a line that begins with AGE-SECRET-KEY."),
  noLocks: said("Your account has a key, and the co-op holds no locked copy of it. Choose the file that you kept your key in."),
  passkeyKnown: said("This device opens your key already."),
  passkeyUnfit: said("The passkey of this device cannot lock a key. Use your recovery sheet instead."),
  passkeyNotUsed: said("No passkey was used. Try again, or go another way."),
  passkeyName: (coop: string) => said("Key for {1}", coop),
  passkeyDone: said("This device can open your key from now on."),
  device: () => (navigator as { userAgentData?: { platform?: string } }).userAgentData?.platform || said("A device"),
  sheetOpens: said("Your sheet opens your key. Keep it where it is."),
  newSheetDone: said("Your new sheet opens your key. The old one does not any more: destroy it."),
  keyDone: said("Your key is made, and you can get at it."),
  lockName: (sheet: boolean, label: string) => (sheet ? said("Recovery sheet") : label ? said("Passkey, {1}", label) : said("Passkey")),
  lockMade: (on: Date) => said("Made on {1}", moment(on)),
  remove: said("Remove"),
  removed: (label: string) => said("Removed: {1}. It does not open the locked copy that the co-op holds any more.", label),
  lastLock: said("This is the only way to your key, so it stays. Add another one first."),
  exported: said("Your key was saved as a file. Whoever has that file can open your copies: keep it safe, and delete it where you do not need it."),
  typeGroup: (n: number) => said("Group {1} of your sheet", number(n)),
  whyBring: said("Choose the file that your key is in. It is read on this device and not sent."),
  whyAdd: said("To add a way to your key, open it first."),
  whyRemove: (label: string) => said("You are about to remove a way to your key: {1}. Open it first, by a way that stays.", label),
  whyExport: said("A file with your key opens your copies for whoever has it. So you are asked again, even if you have just opened your key."),
  whyOpen: said("Your copy is decrypted on this device."),
  whyCustody: said("You are about to keep the only key to this data. Open your key first, to show that you have it."),
  whyApprove: said("Your key makes, on this device, a copy of the file’s key that only this researcher can open."),
  sheet: (coop: string, on: Date, code: string) =>
    [
      said("{1}: recovery sheet", coop),
      said("Made on {1}.", moment(on)),
      "",
      said("Your code:"),
      "",
      ...code.split("-").map((g, i) => `    ${i + 1}   ${g}`),
      "",
      ...wrapped(said("It opens your key on any device: sign in, go to “My key” and type it.")),
      ...wrapped(said("Keep this sheet where only you can reach it, and not beside your device.")),
      ...wrapped(said("If you lose it and every device with your passkey, nobody can open your own copies, ever. The co-op has no other code.")),
      "",
      ...wrapped(said("There is no O, I or L in it: those are the numbers 0 and 1.")),
      "",
    ].join("\n"),
  identity: (on: Date, secret: string) =>
    [
      `# ${said("This is your secret key. It opens your own copies of what you add.")}`,
      `# ${said("Saved on {1}. Keep it where only you can reach it.", moment(on))}`,
      `# ${said("Any program that speaks age can use it: age -d -i my-key.txt")}`,
      secret,
      "",
    ].join("\n"),

  // opening a copy
  notThere: said("This file is not here any more. You may have taken it back."),
  altered: said("This file is not as it was when you added it, so nothing of it is shown. Ask the co-op for help."),
  lostOpening: said("The connection was lost. Nothing was opened; try again."),

  // approving
  notWaiting: said("This request does not wait for you any more. Load the page again."),
  notMine: said("What the server shows is not a file that you added and signed with a key known here, so it was not opened. If you added it with the program, choose its signing key below."),
  otherRecipient: said("The researcher’s key has changed since this page was loaded. Load it again and look at it before you say yes."),
  otherSigner: said("This browser signs what you add with another key than your account knows. Before it becomes the new one, please show that it is you."),
  noSigningKey: said("There is no signing key in this file."),
  approved: said("You approved this request. The researcher can fetch the file now."),

  // sending
  opening: said("Getting ready"),
  encrypting: said("Encrypting on this device"),
  uploading: said("Sending the encrypted file"),
  finishing: said("Finishing"),
  progress: (done: string, total: string) => said("{1} of {2}", done, total),
  speed: (perSecond: string) => said("{1} a second", perSecond),
  left(seconds: number): string {
    if (seconds < 5) return said("a few seconds left");
    if (seconds < 60) return said("about {1} seconds left", number(Math.ceil(seconds / 5) * 5));
    if (seconds < 90) return said("about a minute left");
    if (seconds < 5400) return said("about {1} minutes left", number(Math.round(seconds / 60)));
    return said("about {1} hours left", number(Math.round(seconds / 3600)));
  },
  waiting: (seconds: number) =>
    seconds === 1 ? said("The connection was lost. Trying again in 1 second.") : said("The connection was lost. Trying again in {1} seconds.", number(seconds)),
  offline: said("This device is not connected. It goes on by itself when the connection is back."),

  bytes(n: number): string {
    if (n < 1000) return said("{1} bytes", number(n));
    let size = 0;
    do {
      n /= 1000;
      size++;
    } while (n >= 999.5 && size < 3);
    const figure = number(n, n < 10 ? 1 : 0);
    if (size === 1) return said("{1} kB", figure);
    return size === 2 ? said("{1} MB", figure) : said("{1} GB", figure);
  },
  moment,
  number,
};

// kinds of files that were not read (package codebook, Left).
const kinds: Record<string, (n: number) => string> = {
  "picture": (n) => (n === 1 ? said("1 picture") : said("{1} pictures", number(n))),
  "sound or film": (n) => (n === 1 ? said("1 sound or film") : said("{1} sounds or films", number(n))),
  "document": (n) => (n === 1 ? said("1 document") : said("{1} documents", number(n))),
  "archive": (n) => (n === 1 ? said("1 archive inside the archive") : said("{1} archives inside the archive", number(n))),
  "empty file": (n) => (n === 1 ? said("1 empty file") : said("{1} empty files", number(n))),
  "damaged file": (n) => (n === 1 ? said("1 damaged file") : said("{1} damaged files", number(n))),
  "database log": (n) =>
    n === 1
      ? said("1 log beside a database: close your browser first, then its newest visits are in the database itself")
      : said("{1} logs beside databases: close your browser first, then its newest visits are in the databases themselves", number(n)),
  "file for another pool": (n) => (n === 1 ? said("1 file for another pool: add it again to share that too") : said("{1} files for other pools: add them again to share those too", number(n))),
  "other file": (n) => (n === 1 ? said("1 other file") : said("{1} other files", number(n))),
};
