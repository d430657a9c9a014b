"use strict";
// How the answers of a kind are offered and given. A widget has
//   title, box   what stands above the answers and above the box,
//   start()      for a new item, offer() whenever the box or what is chosen changed: it fills `keys`, a key an act,
//   answer()     what Enter sends (null: nothing yet), where an answer is more than one choice,
//   back()       takes the last choice of this item back; false where there is none,
//   words(text)  an answer as people read it.
// What people wrote is only ever set as text.
const at = (id) => document.getElementById(id);
const KEYS = "123456789abcdefghijklmnopqrstuvwxyz";
let task = null, current = null, keys = {};

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function button(key, text, act) {
  const made = element("button", "");
  made.type = "button";
  made.append(element("kbd", key), element("span", text));
  made.addEventListener("click", act);
  return made;
}

// The labels that the box's letters fit, each with its key; of a search, Enter means the first.
function offerLabels(act, isChosen) {
  const wanted = at("box").value.trim().toLowerCase();
  const fits = task.labels.filter((one) => `${one.name} ${one.description}`.toLowerCase().includes(wanted));
  const byName = (one) => (one.name.toLowerCase().startsWith(wanted) ? 0 : 1);
  if (wanted) fits.sort((a, b) => byName(a) - byName(b));
  keys = {};
  at("labels").replaceChildren(...fits.map((one, place) => {
    const key = wanted ? (place ? "" : "Enter") : KEYS[place] || "";
    if (key) keys[key] = () => act(one.name);
    const made = button(key, one.name, () => act(one.name));
    if (one.description) made.append(element("small", one.description));
    if (wanted && !place) made.className = "first";
    if (isChosen) made.setAttribute("aria-pressed", isChosen(one.name));
    const row = element("li", "");
    row.append(made);
    return row;
  }));
  if (!wanted && isChosen) keys.Enter = finish;
}

function finish() {
  const answer = WIDGETS[kind()].answer();
  if (answer !== null) send("label", answer);
}

const kind = () => (task.kind in WIDGETS ? task.kind : "written");

// One label: a key a label.
const single = {
  title: "Labels", box: "Search (/)", how: "",
  start() {},
  offer: () => offerLabels((name) => send("label", name)),
  back: () => false,
  words: (text) => text,
};

// Several labels: a key turns a label on or off, Enter sends what is on; none is an answer too.
const multi = {
  title: "Labels", box: "Search (/)", how: "A key turns a label on or off; Enter when all are on, none if none fits.",
  chosen: [],
  start() { this.chosen = []; },
  offer() {
    offerLabels((name) => this.turn(name), (name) => this.chosen.includes(name));
    at("chosen").textContent = this.chosen.length ? `on: ${this.chosen.join(", ")}` : "none is on";
  },
  turn(name) {
    this.chosen = this.chosen.includes(name) ? this.chosen.filter((one) => one !== name) : [...this.chosen, name];
    leave();
  },
  answer() { return JSON.stringify(this.chosen); },
  back() {
    if (!this.chosen.length) return false;
    this.chosen.pop();
    this.offer();
    return true;
  },
  words: (text) => JSON.parse(text).join(", ") || "none",
};

// A number in a range: a key a whole number where they are few, and a box for any.
const score = {
  title: "Number", box: "Any number (/)",
  get how() { return `From ${task.labels[0].name} to ${task.labels[task.labels.length - 1].name}; Enter sends the box.`; },
  start() {},
  offer() {
    const [low, high] = [task.labels[0], task.labels[task.labels.length - 1]].map((one) => Number(one.name));
    const few = Number.isInteger(low) && Number.isInteger(high) && high - low <= 10;
    const numbers = few ? Array.from({ length: high - low + 1 }, (_, i) => low + i) : [];
    const own = low >= 0 && high <= 9; // then a number is its own key
    const wanted = at("box").value.trim();
    keys = wanted ? { Enter: finish } : {};
    at("labels").replaceChildren(...numbers.map((number, place) => {
      const key = own ? String(number) : KEYS[place];
      if (!wanted) keys[key] = () => send("label", String(number));
      const row = element("li", "");
      row.append(button(key, String(number), () => send("label", String(number))));
      return row;
    }));
  },
  answer: () => at("box").value.trim().replace(",", ".") || null,
  back: () => false,
  words: (text) => text,
};

// Fields with values: words are chosen by arrows or mouse, a field's key gives it what is chosen, Enter sends all.
const extract = {
  title: "Fields", box: "Search (/)",
  how: "Arrows move over the words, with Shift they choose several; a field's key takes what is chosen; Enter when done.",
  values: [], words_at: [], from: 0, to: 0, span: null,
  start() {
    Object.assign(this, { values: [], from: 0, to: 0, span: null });
    const text = current.text;
    this.words_at = [...text.matchAll(/[\p{L}\p{M}\p{N}_]+|[^\s\p{L}\p{M}\p{N}_]/gu)].map((m) => [m.index, m.index + m[0].length]);
    const parts = [];
    let before = 0;
    for (const [start, end] of this.words_at) {
      parts.push(document.createTextNode(text.slice(before, start)), element("span", text.slice(start, end)));
      before = end;
    }
    at("text").replaceChildren(...parts, document.createTextNode(text.slice(before)));
    this.marks = [...at("text").querySelectorAll("span")];
  },
  place() {
    if (this.span) return this.span;
    if (!this.words_at.length) return null;
    const [first, last] = [Math.min(this.from, this.to), Math.max(this.from, this.to)];
    return [this.words_at[first][0], this.words_at[last][1]];
  },
  offer() {
    offerLabels((name) => this.give(name), () => false);
    for (const made of at("labels").querySelectorAll("button")) made.removeAttribute("aria-pressed");
    const place = this.place();
    const inside = ([start, end], [from, to]) => start < to && end > from;
    this.marks.forEach((mark, i) => {
      mark.className = place && inside(this.words_at[i], place) ? "cursor" : "";
      if (this.values.some((one) => inside(this.words_at[i], [one.start, one.end]))) mark.classList.add("taken");
    });
    at("chosen").textContent = place ? `chosen: ${current.text.slice(...place)}` : "";
    at("values").replaceChildren(...this.values.map((one, i) => {
      const row = element("li", `${one.field}: ${current.text.slice(one.start, one.end)} `);
      const gone = element("button", "remove");
      gone.type = "button";
      gone.setAttribute("aria-label", `remove ${row.textContent}`);
      gone.addEventListener("click", () => { this.values.splice(i, 1); this.offer(); });
      row.append(gone);
      return row;
    }));
  },
  give(field) {
    const place = this.place();
    if (!place) return;
    const [start, end] = place;
    if (!this.values.some((one) => one.field === field && one.start === start && one.end === end)) this.values.push({ field, start, end });
    const last = this.words_at.findIndex(([from]) => from >= end); // on behind what was taken
    this.from = this.to = last < 0 ? this.words_at.length - 1 : last;
    this.span = null;
    leave();
  },
  move(step, isWide) {
    this.span = null;
    this.to = Math.max(0, Math.min(this.words_at.length - 1, this.to + step));
    if (!isWide) this.from = this.to;
    this.offer();
    if (this.marks[this.to]) this.marks[this.to].scrollIntoView({ block: "nearest" });
  },
  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    return step === undefined ? null : () => this.move(step, event.shiftKey);
  },
  // What the mouse chose, without the blanks at its ends.
  taken() {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed || !at("text").contains(selection.getRangeAt(0).commonAncestorContainer)) return;
    const range = selection.getRangeAt(0).cloneRange(), text = range.toString();
    range.setEnd(range.startContainer, range.startOffset);
    range.setStart(at("text"), 0);
    const start = range.toString().length + text.length - text.trimStart().length;
    if (text.trim()) this.span = [start, start + text.trim().length];
    this.offer();
  },
  answer() {
    const points = (units) => Array.from(current.text.slice(0, units)).length; // characters, not units of UTF-16
    const of_field = {};
    for (const { field, start, end } of this.values) {
      (of_field[field] = of_field[field] || []).push({ text: current.text.slice(start, end), start: points(start), end: points(end) });
    }
    return JSON.stringify(of_field);
  },
  back() {
    if (!this.values.length) return false;
    this.values.pop();
    this.offer();
    return true;
  },
  words(text) {
    const said = Object.entries(JSON.parse(text)).map(([field, held]) =>
      `${field}: ${[held].flat().map((one) => (typeof one === "string" ? one : one.text)).join(", ")}`);
    return said.join("; ") || "nothing";
  },
};

// A kind of somebody's own: its answer is written, and the server says where it is none.
const written = {
  title: "Answer", box: "Answer (/)", how: "Write the answer; Enter sends it.",
  start: () => at("box").focus(),
  offer() {
    keys = { Enter: finish };
    at("labels").replaceChildren(...task.labels.map((one) => element("li", one.name)));
  },
  answer: () => at("box").value.trim() || null,
  back: () => false,
  words: (text) => text,
};

const WIDGETS = { single, multi, score, extract, written };
