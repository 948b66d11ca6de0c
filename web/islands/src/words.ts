// Every sentence that the scripts say. What never changes stands in the page's
// template; a second language is a second file like this one.

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
  leftOut: (names: string[]) => (names.length ? `Left out: ${names.join(", ")}` : "No column left out"),


  // the key
  sheetMissing: "Save or print your recovery sheet first. Without it, nobody can open your own copy.",
  sheetName: "recovery-sheet.txt",
  sheet: (coop: string, on: Date, secret: string) =>
    [
      `# ${coop}: recovery sheet`,
      `# Made on ${moment(on)}.`,
      "#",
      "# The last line is your key. It opens your own copy of what you add.",
      "# Keep this file or a printed copy where only you can reach it.",
      "# Nobody can make it again, not even the co-op.",
      "# Any program that speaks age can use it: age -d -i recovery-sheet.txt",
      secret,
      "",
    ].join("\n"),

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
