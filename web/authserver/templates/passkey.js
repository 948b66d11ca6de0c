"use strict";

// The one script of these pages. It asks the browser to make or to use a
// passkey (Web Authentication Level 3) and sends the answer with the form that
// asked for it. It talks to nobody else.
(() => {
  // The page says what there is to say, in its own language; the script chooses.
  const sentences = document.getElementById("said").content;
  const said = (name) => sentences.querySelector(`[data-for~="${CSS.escape(name)}"]`)?.textContent;

  // Binary values travel as base64url without padding.
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join(""))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  // Older browsers know passkeys, but not their form in JSON.
  function parse(kind, options) {
    const native = kind === "create" ? "parseCreationOptionsFromJSON" : "parseRequestOptionsFromJSON";
    if (typeof PublicKeyCredential[native] === "function") return PublicKeyCredential[native](options);
    const out = { ...options, challenge: bytes(options.challenge) };
    if (options.user) out.user = { ...options.user, id: bytes(options.user.id) };
    for (const list of ["excludeCredentials", "allowCredentials"]) {
      if (options[list]) out[list] = options[list].map((c) => ({ ...c, id: bytes(c.id) }));
    }
    return out;
  }

  function write(credential) {
    try {
      if (typeof credential.toJSON === "function") return JSON.stringify(credential.toJSON());
    } catch {
      // Some password managers hand out an object on which it does not work.
    }
    const from = credential.response;
    const response = {};
    for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (from[part]) response[part] = text(from[part]);
    }
    if (typeof from.getTransports === "function") response.transports = from.getTransports();
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      clientExtensionResults: {},
    });
  }

  function prepare(form) {
    const button = form.querySelector("button");
    const state = form.querySelector(".state");
    if (!window.PublicKeyCredential || !navigator.credentials) {
      state.textContent = said("missing");
      return;
    }
    button.disabled = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      state.textContent = "";
      try {
        const kind = form.dataset.passkey;
        const options = JSON.parse(form.dataset.options);
        const name = form.elements.namedItem("name");
        if (name) options.user.name = options.user.displayName = name.value.trim();
        const credential = await navigator.credentials[kind]({ publicKey: parse(kind, options) });
        form.elements.namedItem("credential").value = write(credential);
        form.submit();
      } catch (error) {
        state.textContent = said(error.name) ?? said("failed");
        button.disabled = false;
      }
    });
  }

  document.querySelectorAll("form[data-passkey]").forEach(prepare);
})();
