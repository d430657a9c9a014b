"use strict";
// One item at a time. An answer is sent, and only when the server says it is on the disk does the next item show.
// What people wrote is only ever set as text.
const at = (id) => document.getElementById(id);
const token = document.querySelector("meta[name=token]").content;
const tab = sessionStorage.tab || (sessionStorage.tab = Math.random().toString(36).slice(2));
const KEYS = "123456789abcdefghijklmnopqrstuvwxyz";
let task = null, current = null, since = 0, busy = false, keys = {}, widths = [];

async function call(path, body) {
  const options = { headers: { "X-Harness-Token": token } };
  if (body) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify({ ...body, tab });
  }
  const reply = await fetch(body ? path : `${path}?tab=${tab}`, options);
  const said = await reply.json();
  if (!reply.ok) throw new Error(said.error || `the server said ${reply.status}`);
  return said;
}

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

// The widget of a kind: how its answers are offered and chosen. `single` has a key a label and a search.
const WIDGETS = {
  single: {
    offer() {
      const wanted = at("search").value.trim().toLowerCase();
      const fits = task.labels.filter((one) => `${one.name} ${one.description}`.toLowerCase().includes(wanted));
      const byName = (one) => (one.name.toLowerCase().startsWith(wanted) ? 0 : 1);
      if (wanted) fits.sort((a, b) => byName(a) - byName(b));
      keys = {};
      at("labels").replaceChildren(...fits.map((one, place) => {
        const row = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        const key = wanted ? (place ? "" : "Enter") : KEYS[place] || "";
        if (key) keys[key] = one.name;
        button.append(element("kbd", key), element("span", one.name));
        if (one.description) button.append(element("small", one.description));
        if (wanted && !place) button.className = "first";
        button.addEventListener("click", () => send("label", one.name));
        row.append(button);
        return row;
      }));
    },
  },
};

function show(said) {
  current = said.item;
  since = performance.now();
  const { done, all } = said.counts;
  at("counts").textContent = `${done} of ${all} labelled, ${said.counts["cannot tell"]} not to be told` +
    (said.counts.disagreed ? `, ${said.counts.disagreed} disagreed on` : "");
  at("bar").max = all || 1;
  at("bar").value = done;
  at("text").textContent = current ? current.text : "All done. Close this page; the command says what comes next.";
  at("tags").textContent = current ? current.tags.join(", ") : "";
  const fields = current ? Object.entries(current.fields) : [];
  at("fields").replaceChildren(...fields.flatMap(([name, text]) => [element("dt", name), element("dd", text)]));
  const hints = [];
  if (said.suggestion !== null) hints.push(`suggested: ${said.suggestion}`);
  if (said.others.length) hints.push(`people said: ${said.others.join(", ")}`);
  at("hint").hidden = !hints.length;
  at("hint").textContent = hints.join("; ");
  at("search").value = "";
  WIDGETS[task.kind].offer();
  document.body.dataset.item = current ? current.id : "";
}

async function change(path, body) {
  if (busy) return;
  busy = true;
  try {
    show(await call(path, body));
    at("error").textContent = "";
    progress();
  } catch (error) {
    at("error").textContent = `Not saved: ${error.message}`;
  } finally {
    busy = false;
  }
}

function send(act, answer) {
  if (!current) return;
  const seconds = (performance.now() - since) / 1000;
  change("/answer", { act, item: current.id, answer: answer === undefined ? null : answer, seconds });
}

let asked = false;
async function progress() {
  if (asked) return;
  asked = true;
  try {
    const said = await call("/progress");
    at("leader").textContent = said.sentence;
    if (said.width !== null && said.width !== widths[widths.length - 1]) widths.push(said.width);
    at("spark").replaceChildren(...widths.slice(-40).map((width) => element("i", "", `h${Math.max(1, Math.round(width * 10))}`)));
  } catch (error) {
    at("leader").textContent = error.message;
  } finally {
    asked = false;
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const searching = document.activeElement === at("search");
  const act = searching
    ? { Enter: () => keys.Enter && send("label", keys.Enter), Escape: () => leave() }[event.key]
    : { ",": () => send("skip"), ".": () => send("cannot tell"), Backspace: () => change("/undo", {}),
        "/": () => at("search").focus(), "?": () => (at("guide").open = !at("guide").open) }[event.key] ||
      (keys[event.key] !== undefined && event.key.length === 1 ? () => send("label", keys[event.key]) : null);
  if (!act || event.repeat) return;
  event.preventDefault();
  act();
  if (searching && event.key === "Enter") at("search").blur();
});

function leave() {
  at("search").value = "";
  at("search").blur();
  WIDGETS[task.kind].offer();
}

at("search").addEventListener("input", () => WIDGETS[task.kind].offer());
at("skip").addEventListener("click", () => send("skip"));
at("cannot").addEventListener("click", () => send("cannot tell"));
at("undo").addEventListener("click", () => change("/undo", {}));

(async () => {
  try {
    task = await call("/task");
    at("title").textContent = `${task.adjudicates ? "Settle" : "Label"} ${task.dataset} as ${task.annotator}`;
    document.title = at("title").textContent;
    at("guideline").textContent = task.guideline || "There is no guideline; give one with --guide FILE.";
    show(await call("/next"));
    progress();
  } catch (error) {
    at("error").textContent = error.message;
  }
})();
