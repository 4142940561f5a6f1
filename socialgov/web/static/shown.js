// A secret on the page that shows it once: counts down, hides it, and copies it. Without this file the page leaves by
// itself after the same time, and the text can be selected.
"use strict";

const byId = (id) => document.getElementById(id);

// <p data-hide="ID" data-seconds="30" data-after="/address">… <strong role="timer"></strong>
for (const place of document.querySelectorAll("[data-hide]")) {
  const secret = byId(place.dataset.hide);
  const timer = place.querySelector("[role=timer]");
  const end = performance.now() + Number(place.dataset.seconds) * 1000;
  const hide = () => {
    secret.textContent = "";
  };
  const tick = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    timer.textContent = left === 1 ? "1 second" : `${left} seconds`;
    if (left === 0) {
      hide();
      location.replace(place.dataset.after);
    } else {
      setTimeout(tick, 250);
    }
  };
  addEventListener("pagehide", hide); // the browser may keep the page for its back button
  tick();
}

// <form data-copy="ID" action="/where/it/is/noted"> <button hidden> <span role="status">
for (const form of document.querySelectorAll("form[data-copy]")) {
  const button = form.querySelector("button");
  const status = form.querySelector("[role=status]");
  button.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = byId(form.dataset.copy).textContent;
    try {
      const noted = await fetch(form.action, {
        method: "POST",
        credentials: "same-origin",
        body: new URLSearchParams({ csrf_token: form.elements.csrf_token.value }),
      });
      if (noted.status !== 204) throw new Error("not noted");
    } catch {
      status.textContent = "It could not be noted in the log, so it was not copied.";
      return;
    }
    try {
      await navigator.clipboard.writeText(text);
      status.textContent = "Copied. Copy something else over it when you are done.";
    } catch {
      getSelection().selectAllChildren(byId(form.dataset.copy));
      status.textContent = "This browser lets no page copy. It is marked: copy it with the keyboard.";
    }
  });
}
