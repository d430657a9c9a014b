// The item explorer of a report: filters, sorts and shows the items that lie in the page as JSON.
// Everything from the data is set as text, never as HTML; nothing is loaded or sent.
"use strict";
(() => {
  const root = document.getElementById("explorer");
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const OUTCOMES = { a: "answered", b: "abstained", u: "unparsed", r: "refused", f: "failed" };
  const count = data.id.length;
  const arms = data.arms;
  const controls = Object.fromEntries([...root.querySelectorAll("[name]")].map((one) => [one.name, one]));
  const list = root.querySelector(".rows");
  const sheet = root.querySelector(".sheet");
  const status = root.querySelector(".status");
  const detail = root.querySelector(".detail");
  const texts = data.text.map((text, i) => (text + " " + data.tags[i].join(" ")).toLowerCase());
  const disputed = new Set(data.disputed || []);  // items that people gave different answers
  let shown = [];
  let chosen = -1;

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const add = (select, value, text) => {
    const option = make("option", "", text);
    option.value = value;
    select.append(option);
  };

  // -- what an arm said of an item -------------------------------------------------------------
  const outcome = (arm, i) => data.runs[arm].outcome[i];
  const isRight = (arm, i) => number(arm, "credit", i) === 1;
  const isScored = (arm, i) => outcome(arm, i) !== "f";
  const isWrong = (arm, i) => isScored(arm, i) && !isRight(arm, i);
  const answer = (arm, i) => {
    const label = data.runs[arm].label[i];
    return label < 0 ? "(" + OUTCOMES[outcome(arm, i)] + ")" : data.labels[label];
  };
  const number = (arm, column, i) => {
    const values = data.runs[arm][column];
    const value = Array.isArray(values) ? values[i] : values;
    return value === undefined ? null : value;
  };

  // -- filters and orders ----------------------------------------------------------------------
  const SHOW = {
    all: () => true,
    right: isRight,
    wrong: isWrong,
    only_a: (a, i, b) => isRight(a, i) && isWrong(b, i),
    only_b: (a, i, b) => isWrong(a, i) && isRight(b, i),
    neither: (a, i, b) => isWrong(a, i) && isWrong(b, i),
    differ: (a, i, b) => answer(a, i) !== answer(b, i),
    disputed: (a, i) => disputed.has(i),
  };
  const byNumber = (column, sign) => (a) => (i, j) => {
    const x = number(a, column, i), y = number(a, column, j);
    if (x === null || y === null) return (x === null) - (y === null) || i - j;
    return sign * (x - y) || i - j;
  };
  const SORT = {
    item: () => (i, j) => i - j,
    surest: byNumber("score", -1),
    unsurest: byNumber("score", 1),
    dearest: byNumber("cost", -1),
    slowest: byNumber("latency", -1),
    longest: () => (i, j) => data.text[j].length - data.text[i].length || i - j,
  };

  const select = () => {
    const a = Number(controls.a.value), b = Number(controls.b.value);
    const is = SHOW[controls.show.value] || SHOW.all;
    const gold = controls.gold.value, said = controls.answer.value, kind = controls.outcome.value;
    const words = controls.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = [];
    for (let i = 0; i < count; i++) {
      if (gold !== "" && data.gold[i] !== Number(gold)) continue;
      if (said !== "" && data.runs[a].label[i] !== Number(said)) continue;
      if (kind !== "" && outcome(a, i) !== kind) continue;
      if (!is(a, i, b) || !words.every((word) => texts[i].includes(word))) continue;
      shown.push(i);
    }
    shown.sort((SORT[controls.sort.value] || SORT.item)(a));
    status.textContent = shown.length.toLocaleString("en") + " of " + count.toLocaleString("en") + " items";
    sheet.style.height = shown.length * rowHeight() + "px";
    draw();
  };

  // -- rows: only those in sight exist ---------------------------------------------------------
  const rowHeight = () => parseFloat(getComputedStyle(list).getPropertyValue("--row"));
  const mark = (arm, i) => {
    const cell = make("span", "said");
    const right = isRight(arm, i);
    cell.append(make("span", right ? "right" : "wrong", isScored(arm, i) ? (right ? "✓ " : "✗ ") : "– "));
    const text = make("bdi", "", answer(arm, i));
    cell.append(text);
    return cell;
  };
  const row = (place, height, a, b) => {
    const i = shown[place];
    const line = make("div", "row" + (i === chosen ? " chosen" : ""));
    line.id = "row-" + i;
    line.setAttribute("role", "option");
    line.setAttribute("aria-selected", i === chosen ? "true" : "false");
    line.setAttribute("aria-posinset", place + 1);
    line.setAttribute("aria-setsize", shown.length);
    line.style.top = place * height + "px";
    line.dataset.place = place;
    const text = make("bdi", "text", data.text[i] + (data.tags[i].length ? "  [" + data.tags[i].join(", ") + "]" : ""));
    const gold = make("span", "gold");
    gold.append(make("bdi", "", data.labels[data.gold[i]]), disputed.has(i) ? " (people differ)" : "");
    line.append(text, gold, mark(a, i));
    if (b !== a) line.append(mark(b, i));
    return line;
  };
  const draw = () => {
    const height = rowHeight();
    const a = Number(controls.a.value), b = Number(controls.b.value);
    const first = Math.max(0, Math.floor(list.scrollTop / height) - 6);
    const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / height) + 6);
    const rows = [];
    for (let place = first; place < last; place++) rows.push(row(place, height, a, b));
    sheet.replaceChildren(...rows);
    const there = chosen >= 0 && document.getElementById("row-" + chosen);
    if (there) list.setAttribute("aria-activedescendant", there.id);
    else list.removeAttribute("aria-activedescendant");
  };

  // -- one item --------------------------------------------------------------------------------
  const printed = (value, unit) => {
    if (value === null) return "";
    if (unit === "$") return "$" + (value ? value.toFixed(12).replace(/0+$/, "").replace(/\.$/, "") : "0");
    return value < 1 ? Math.round(value * 1e6) / 1e3 + " ms" : Math.round(value * 100) / 100 + " s";
  };
  const describe = () => {
    detail.replaceChildren();
    if (chosen < 0) return;
    const text = make("p", "full", data.text[chosen]);
    text.dir = "auto";
    const about = make("p", "quiet");
    about.append("item ", make("bdi", "", data.id[chosen]), ", gold ", make("bdi", "", data.labels[data.gold[chosen]]));
    if (disputed.has(chosen)) about.append(", people differ");
    if (data.tags[chosen].length) about.append(", tags ", make("bdi", "", data.tags[chosen].join(", ")));
    const table = make("table");
    const head = make("tr");
    for (const title of ["arm", "answer", "score", "cost", "latency", "reply"]) {
      const cell = make("th", "", title);
      cell.scope = "col";
      head.append(cell);
    }
    const body = make("tbody");
    arms.forEach((arm, k) => {
      const line = make("tr");
      const name = make("th", "", arm.name);
      name.scope = "row";
      const said = make("td");
      said.append(mark(k, chosen));
      const score = number(k, "score", chosen);
      const reply = data.runs[k].reply[chosen] || "";
      line.append(name, said, make("td", "number", score === null ? "" : score.toFixed(3)));
      line.append(make("td", "number", printed(number(k, "cost", chosen), "$")));
      line.append(make("td", "number", printed(number(k, "latency", chosen), "s")), make("td", "reply", reply));
      body.append(line);
    });
    const top = make("thead");
    top.append(head);
    table.append(top, body);
    const scroll = make("div", "scroll");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", "What each arm said of the item");
    scroll.append(table);
    detail.append(text, about, scroll);
  };
  const choose = (place) => {
    if (!shown.length) return;
    const at = Math.max(0, Math.min(place, shown.length - 1));
    chosen = shown[at];
    const height = rowHeight();
    if (at * height < list.scrollTop) list.scrollTop = at * height;
    if ((at + 1) * height > list.scrollTop + list.clientHeight) list.scrollTop = (at + 1) * height - list.clientHeight;
    draw();
    describe();
  };

  // -- the address says what is shown ----------------------------------------------------------
  const remember = () => {
    const said = new URLSearchParams();
    for (const [name, control] of Object.entries(controls)) {
      if (control.value !== control.dataset.start) said.set(name, name === "a" || name === "b" ? arms[control.value].run : control.value);
    }
    if (chosen >= 0) said.set("item", data.id[chosen]);
    try {
      history.replaceState(null, "", "#items?" + said.toString());
    } catch { /* Some browsers refuse when a key is held down; letting it go, or leaving the field, comes here again. */ }
  };
  const recall = () => {
    if (!location.hash.startsWith("#items")) return false;
    const said = new URLSearchParams(location.hash.slice("#items?".length));
    for (const [name, control] of Object.entries(controls)) {
      let value = said.has(name) ? said.get(name) : control.dataset.start;
      if ((name === "a" || name === "b") && said.has(name)) {
        value = String(Math.max(0, arms.findIndex((arm) => arm.run === value || arm.name === value)));
      }
      control.value = value;
      if (control.value !== value) control.value = control.dataset.start;
    }
    chosen = said.has("item") ? data.id.indexOf(said.get("item")) : -1;
    select();
    if (chosen >= 0) {
      choose(Math.max(0, shown.indexOf(chosen)));
      remember();
    } else describe();
    return true;
  };

  // -- start -----------------------------------------------------------------------------------
  arms.forEach((arm, k) => { add(controls.a, k, arm.name); add(controls.b, k, arm.name); });
  data.labels.forEach((label, k) => { add(controls.gold, k, label); add(controls.answer, k, label); });
  if (disputed.size) add(controls.show, "disputed", "people differ");
  controls.b.value = String(Math.min(1, arms.length - 1));
  for (const control of Object.values(controls)) control.dataset.start = control.value;
  // No timer anywhere: whatever a click or a key changes has happened before the next one arrives.
  const form = root.querySelector("form");
  const filter = () => { list.scrollTop = 0; select(); remember(); };
  form.addEventListener("input", filter);
  form.addEventListener("change", remember);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();  // the browser resets after this handler, and to values that are not ours
    for (const control of Object.values(controls)) control.value = control.dataset.start;
    chosen = -1;
    describe();
    filter();
  });
  list.addEventListener("scroll", draw);
  list.addEventListener("click", (event) => {
    const line = event.target.closest(".row");
    if (!line) return;
    choose(Number(line.dataset.place));
    remember();
  });
  list.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(list.clientHeight / rowHeight()) - 1);
    const at = shown.indexOf(chosen);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(to);
    if (!event.repeat) remember();
  });
  list.addEventListener("keyup", () => { if (chosen >= 0) remember(); });  // where a key that was held down led to
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      controls.q.focus();
    }
  });
  addEventListener("hashchange", () => { if (recall()) root.scrollIntoView(); });
  addEventListener("resize", () => select());
  root.hidden = false;
  select();
  if (recall()) root.scrollIntoView();
})();
