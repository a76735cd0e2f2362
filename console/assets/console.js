// Three things that a page can do better with a script: the padlock's question as a dialog, a language that changes when
// it is chosen, and an activity's progress as it goes on. Every page works without it.
"use strict";

for (const opener of document.querySelectorAll("[data-dialog]")) {
  const dialog = document.getElementById(opener.dataset.dialog);
  if (!dialog || !dialog.showModal) continue;
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
  for (const closer of dialog.querySelectorAll("[data-close]")) {
    closer.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
      opener.focus();
    });
  }
}

for (const choice of document.querySelectorAll("[data-submit]")) {
  choice.form.classList.add("scripted");
  choice.addEventListener("change", () => choice.form.requestSubmit());
}

const followed = document.querySelector("[data-events]");
if (followed) {
  const progress = followed.querySelector("progress");
  const events = new EventSource(followed.dataset.events);
  events.addEventListener("activity", (event) => {
    const activity = JSON.parse(event.data);
    progress.value = activity.percent;
    progress.textContent = `${activity.percent} %`;
    // The words of the end are the server's, in the reader's language.
    if (activity.state === "completed" || activity.state === "failed") {
      events.close();
      location.reload();
    }
  });
}
