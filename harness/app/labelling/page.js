"use strict";
// One item at a time. An answer is sent, and only when the server says it is on the disk does the next item show.
const token = document.querySelector("meta[name=token]").content;
const tab = sessionStorage.tab || (sessionStorage.tab = Math.random().toString(36).slice(2));
let widget = null, since = 0, busy = false, widths = [];

async function call(path, body) {
  const options = { headers: { "X-Harness-Token": token } };
  if (body) {
    options.method = "POST";
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify({ ...body, tab });
  }
  let reply;
  try {
    reply = await fetch(body ? path : `${path}?tab=${tab}`, options);
  } catch {
    throw new Error("harness label has stopped. Start it again and open the address that it prints; what was saved before is kept.");
  }
  const said = await reply.json();
  if (!reply.ok) throw new Error(said.error || `the server said ${reply.status}`);
  return said;
}

function show(said) {
  current = said.item;
  since = performance.now();
  const { done, all } = said.counts;
  at("counts").textContent = `${done} of ${all} labelled` +
    (said.counts["cannot tell"] ? `, ${said.counts["cannot tell"]} that you cannot tell` : "") +
    (said.counts.disagreed ? `, ${said.counts.disagreed} disagreed on` : "");
  at("bar").max = all || 1;
  at("bar").value = done;
  at("text").textContent = current ? current.text : "All done. End harness label with Ctrl-C: it says what comes next.";
  at("tags").textContent = current ? current.tags.join(", ") : "";
  const fields = current ? Object.entries(current.fields) : [];
  at("fields").replaceChildren(...fields.flatMap(([name, text]) => [element("dt", name), element("dd", text)]));
  const hints = [];
  if (said.suggestion !== null) hints.push(`suggested: ${widget.words(said.suggestion)}`);
  if (said.others.length) hints.push(`people said: ${said.others.map((one) => widget.words(one)).join(" | ")}`);
  at("hint").hidden = !hints.length;
  at("hint").textContent = hints.join("; ");
  at("box").value = "";
  at("box").blur();
  keys = {};
  if (current) {
    widget.start();
    widget.offer();
  }
  for (const id of ["labels", "chosen", "values", "how", "box", "box-title", "skip", "cannot"]) at(id).hidden = !current;
  at("done").hidden = !current || !widget.answer;
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

function undo() {
  if (!current || !widget.back()) change("/undo", {});
}

// An estimate takes a while: what is answered meanwhile asks for one more, so the last one holds every answer.
let asked = false, again = false;
async function progress() {
  again = asked;
  if (asked) return;
  asked = true;
  try {
    const said = await call("/progress");
    at("leader").textContent = said.sentence;
    if (said.width !== null && said.width !== widths[widths.length - 1]) widths.push(said.width);
    at("widths").hidden = widths.length < 2;
    at("spark").replaceChildren(...widths.slice(-40).map((width) => element("i", "", `h${Math.max(1, Math.round(width * 10))}`)));
  } catch (error) {
    if (!at("error").textContent) at("error").textContent = error.message;
    again = false;
  } finally {
    asked = false;
    if (again) progress();
  }
}

const ACTS = {
  ",": () => send("skip"), ".": () => send("cannot tell"), Backspace: undo, "/": () => at("box").focus(),
  "?": () => (at("guide").open = !at("guide").open),
};

// What a key means: inside the box only Enter and Escape do, and a button's Enter is its own.
function act_of(event) {
  if (document.activeElement === at("box")) return { Enter: keys.Enter, Escape: leave }[event.key];
  if (event.key === "Enter") return document.activeElement === document.body ? keys.Enter : null;
  return ACTS[event.key] || keys[event.key] || (current && widget.key && widget.key(event)) || null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !task) return;
  const act = act_of(event);
  if (!act || (event.repeat && !event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  act();
});

function leave() {
  at("box").value = "";
  at("box").blur();
  widget.offer();
}

at("box").addEventListener("input", () => current && widget.offer());
at("text").addEventListener("mouseup", () => current && widget.taken && widget.taken());
at("done").addEventListener("click", () => current && finish());
at("skip").addEventListener("click", () => send("skip"));
at("cannot").addEventListener("click", () => send("cannot tell"));
at("undo").addEventListener("click", undo);

(async () => {
  try {
    task = await call("/task");
    widget = WIDGETS[kind()];
    at("title").textContent = `${task.adjudicates ? "Settle" : "Label"} ${task.dataset} as ${task.annotator}`;
    document.title = at("title").textContent;
    at("labels-title").textContent = widget.title;
    at("box-title").textContent = widget.box;
    at("how").textContent = widget.how;
    at("guideline").textContent = task.guideline || "There is no guideline; give one with --guide FILE.";
    show(await call("/next"));
    progress();
  } catch (error) {
    at("error").textContent = error.message;
  }
})();
