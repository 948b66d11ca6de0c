// A stranger's client, tus-js-client, uploads a file and is interrupted on the
// way. Driven by a Go test, which tells it in one line of JSON what to do,
// {base, token, dataset, file, chunk}, and cuts the line once. Then it forgets
// everything but the upload's address, as a program that was started anew
// would, and goes on. It answers in JSON what it saw.

import { readFileSync } from "node:fs";
import * as tus from "tus-js-client";

const o = JSON.parse(readFileSync(0, "utf8"));
const data = readFileSync(o.file);
const seen = { sent: 0, url: "", resumedAt: -1, requests: [], failed: "" };

const common = {
  endpoint: `${o.base}/v1/uploads`,
  chunkSize: o.chunk,
  retryDelays: null,
  storeFingerprintForResuming: false,
  headers: { Authorization: `Bearer ${o.token}` },
  metadata: { dataset: o.dataset, filename: "export.age" },
  onAfterResponse(req, res) {
    seen.requests.push(`${req.getMethod()} ${res.getStatus()}`);
    if (req.getMethod() === "PATCH" && !res.getHeader("Upload-Expires")) seen.failed = "no Upload-Expires";
  },
};

// first uploads until the line is cut.
function first() {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(data, {
      ...common,
      onUploadUrlAvailable: () => (seen.url = upload.url),
      onError: resolve,
      onSuccess: () => reject(new Error("it was never interrupted")),
    });
    upload.start();
  });
}

function again() {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(data, {
      ...common,
      uploadUrl: seen.url,
      onError: reject,
      onProgress: (sent) => {
        if (seen.resumedAt < 0) seen.resumedAt = sent;
        seen.sent = sent;
      },
      onSuccess: resolve,
    });
    upload.start();
  });
}

try {
  await first();
  await again();
} catch (err) {
  seen.failed = String(err);
}
console.log(JSON.stringify(seen));
