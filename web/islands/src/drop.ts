// What is dropped on the page: files, or folders with files in them.

export interface Dropped {
  files: File[];
  folder: boolean; // at least one folder was among it
}

// dropped reads what was dropped. The list of entries must be taken before
// anything is waited for: after that the browser has emptied it.
export async function dropped(data: DataTransfer): Promise<Dropped> {
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (!entries.some((e) => e.isDirectory)) return { files: [...data.files], folder: false };
  const files: File[] = [];
  for (const entry of entries) await gather(entry, files);
  return { files, folder: true };
}

async function gather(entry: FileSystemEntry, files: File[]): Promise<void> {
  if (entry.isFile) {
    files.push(await new Promise((done, failed) => (entry as FileSystemFileEntry).file(done, failed)));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // a browser hands over a hundred at a time, and none at the end
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const inner of some) await gather(inner, files);
  }
}
