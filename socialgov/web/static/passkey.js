// Asks the browser for a passkey. Used by the few pages that have a form with `data-passkey`; every other page of
// this product works without any script.
//
// <form method="post" data-passkey="get|create" data-options="/address/of/the/challenge"> with a hidden field
// `answer`: when its button is pressed, fetch the challenge, ask the browser, put its answer into the field, send.
"use strict";

const toBytes = (text) => {
  const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
};

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const withIds = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

async function challenge(form) {
  const reply = await fetch(form.dataset.options, {
    method: "POST",
    credentials: "same-origin",
    body: new URLSearchParams({ csrf_token: form.elements.csrf_token.value }),
  });
  if (!reply.ok || reply.redirected) throw new Error("no challenge");
  const options = await reply.json();
  options.challenge = toBytes(options.challenge);
  return options;
}

async function register(form) {
  const options = await challenge(form);
  options.user.id = toBytes(options.user.id);
  options.excludeCredentials = withIds(options.excludeCredentials);
  const made = await navigator.credentials.create({ publicKey: options });
  const transports = made.response.getTransports ? made.response.getTransports() : [];
  return answer(made, { attestationObject: toText(made.response.attestationObject), transports });
}

async function use(form) {
  const options = await challenge(form);
  options.allowCredentials = withIds(options.allowCredentials);
  const found = await navigator.credentials.get({ publicKey: options });
  const { authenticatorData, signature, userHandle } = found.response;
  return answer(found, {
    authenticatorData: toText(authenticatorData),
    signature: toText(signature),
    userHandle: userHandle ? toText(userHandle) : null,
  });
}

const answer = (credential, response) =>
  JSON.stringify({
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    response: { clientDataJSON: toText(credential.response.clientDataJSON), ...response },
  });

const SENTENCES = {
  InvalidStateError: "This device has a passkey for you here already.",
  NotAllowedError: "The passkey was not used: the question was closed, or took too long.",
  SecurityError: "The browser allows no passkey at this address.",
};

function tell(form, error) {
  const place = form.querySelector("[data-passkey-trouble]");
  const sentence = SENTENCES[error.name] || "That did not work. Load this page again and repeat.";
  place.textContent = `${sentence} You can try again, or choose another way.`;
  place.hidden = false;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const place = form.querySelector("[data-passkey-trouble]");
  form.querySelector("[data-passkey-without]").remove();
  if (!window.PublicKeyCredential) {
    place.textContent = "This browser knows no passkeys. Choose another way.";
    place.hidden = false;
    continue;
  }
  form.querySelector("button").hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    place.hidden = true;
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      form.elements.answer.value = await (form.dataset.passkey === "create" ? register(form) : use(form));
      form.submit();
    } catch (error) {
      button.disabled = false;
      tell(form, error);
    }
  });
}
