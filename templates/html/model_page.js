// What a reader does with the page of a model: point at a quantity, choose an entry, step, edit, train.

const { quantities, lines } = data;
const FEW = 120; // entries that are shown as a table of numbers, and may be edited there
const TERMS = 8; // of a sum that are written out
const stages = Object.keys(lines).filter((stage) => lines[stage].length);
const state = {
  given: quantities.map((q) => (q.v ? q.v.map(read) : null)),
  now: null, stage: stages[0], step: -1, chosen: null, pinned: false, entry: new Map(), update: 0, after: null,
};
const order = stages.flatMap((stage) => lines[stage].map((line) => ({ stage, line })));
const workedOf = new Map(data.worked.map((each) => [each.q, each]));
const lossOf = data.loss[0];
const moves = data.program.stages.flatMap((stage) => stage.moves);
const baseOf = (q) => { // the quantity that a derivative or a new value is of
  if (quantities[q].of !== undefined) return quantities[q].of;
  const move = moves.find((each) => each.q === q && each.old !== null);
  return move ? move.old : q;
};
const spoken = (q) => quantities[q].n;
const textAt = (q, at) => state.now.text[q][flat(quantities[q].s, at)];
const shapeOf = (q) => quantities[q].s.join(" × ");
const label = (q) => (quantities[q].s.length ? filled("lengths", spoken(q), shapeOf(q)) : filled("single", spoken(q)));

// --- entries ------------------------------------------------------------------------------------

function entryOf(q) { // the chosen entry, or the first
  const base = baseOf(q), shape = quantities[q].s, at = state.entry.get(base);
  return at && at.length === shape.length ? at : shape.map(() => 0);
}
function entryName(q, at, form) { // W_{0,1}, or the derivative by it
  const tex = form === FORMS.tex, quantity = quantities[q];
  if (!at.length) return quantity[tex ? "x" : "m"];
  return inHoles(quantity[tex ? "ex" : "em"], () => (tex ? at.join(",") : `<mrow>${at.map((k) => `<mn>${k}</mn>`).join("<mo>,</mo>")}</mrow>`));
}
function filledIn(template, at, form, guard = 0) { // a template with the numbers of one entry
  const name = form === FORMS.mathml ? "m" : "x";
  return inHoles(template[name], (k) => {
    const hole = template.h[k], when = Number(template.g[k]);
    if (Array.isArray(hole)) {
      const places = hole.slice(2).map((t) => place(t, { at, read: (q, here) => number(textAt(q, here) || "0") }, EXACTLY));
      const text = flat(quantities[hole[1]].s, places) < 0 ? "0" : textAt(hole[1], places);
      return numeral(text, form, when);
    }
    if (typeof hole === "string") return numeral(hole, form, when);
    const terms = [], size = hole.size;
    for (let n = 0; n < size; n += 1) {
      if (size > TERMS && n >= TERMS - 2 && n < size - 1) {
        if (n === TERMS - 2) terms.push(form === FORMS.tex ? "\\cdots" : "<mo>\u22ef</mo>");
        continue;
      }
      terms.push(filledIn(hole.body, { ...at, [hole.letter]: n }, form));
    }
    const sum = terms.join(form === FORMS.tex ? " + " : "<mo form=\"infix\">+</mo>");
    return form.row(when && terms.length > 1 ? form.bracket(sum) : sum);
  });
}
function entryRows(q) { // the entry with its numbers, and its result
  const at = entryOf(q), worked = workedOf.get(q), found = [];
  const letters = worked ? Object.fromEntries(worked.at.map((letter, k) => [letter, at[k]])) : {};
  for (const form of [FORMS.mathml, FORMS.tex]) {
    const result = numeral(textAt(q, at), form), equals = form === FORMS.tex ? " = " : EQUALS;
    const filledUp = worked ? filledIn(worked.w, letters, form) : "";
    found.push({ head: entryName(q, at, form), numbers: filledUp, result, equals });
  }
  const [m, x] = found;
  const rows = [];
  if (worked && x.numbers !== x.result) {
    const apart = long(x.numbers);
    rows.push({ kind: "v first named", m: m.head + EQUALS + m.numbers + (apart ? "" : EQUALS + m.result), x: `${x.head} = ${x.numbers}${apart ? "" : ` = ${x.result}`}` });
    rows.push({ kind: apart ? "r own" : "r", m: apart ? `<mrow class="head">${m.head}</mrow>${EQUALS}${m.result}` : m.head + EQUALS + m.result, x: `${x.head} = ${x.result}` });
  } else rows.push({ kind: "r first named", m: m.head + EQUALS + m.result, x: `${x.head} = ${x.result}` });
  return rows;
}

// --- the derivation -----------------------------------------------------------------------------

function rowsOf({ line }) {
  const rows = [];
  for (const shown of line.shown) {
    shown.rows.forEach((group, g) => group.forEach((row, r) => {
      const head = g === 0 && r === 0, equals = r === 0;
      rows.push({
        kind: head ? "f named" : "f", x: (head ? `${shown.x} = ` : equals ? "= " : "") + row.x,
        m: (head ? shown.m : "") + (equals ? EQUALS : "") + row.m,
      });
    }));
  }
  if (line.q !== null && quantities[line.q].s.every((n) => n > 0)) rows.push(...entryRows(line.q));
  return rows;
}
function item(step) {
  const { stage, line } = step, name = line.q === null ? word("stages.update") : spoken(line.q);
  const made = element("li", { "data-step": order.indexOf(step) });
  made.append(element("p", { class: "note" }, word(`equations.${stage}`)));
  const copy = element("button", { type: "button", class: "copy", "aria-label": `${word("copy")}: ${name}` }, "LaTeX");
  copy.addEventListener("click", () => copied(copy, rowsOf(step).filter((row) => row.kind !== "r").map((row) => row.x).join(" \\\\ ")));
  const rows = element("div", { class: "rows", tabindex: "0", role: "group", "aria-label": name });
  made.append(copy, rows);
  put(rows, rowsOf(step));
  return made;
}
function put(rows, list) {
  rows.innerHTML = list.map((row) => `<div class="row ${row.kind}">${math(row.m, row.x, true)}</div>`).join("");
}
function newItem(q) { // the lines of the update of a chosen parameter
  const made = element("li", {}), rows = element("div", { class: "rows", tabindex: "0", role: "group", "aria-label": spoken(q) });
  made.append(element("p", { class: "note" }, word("equations.new")), rows);
  const own = moves.filter((move) => move.of === q);
  put(rows, own.flatMap((move) => entryRows(move.q)));
  return made;
}
function stepsNow() {
  if (state.chosen === null) return order.filter((step) => step.stage === state.stage);
  const both = [state.chosen, quantities[state.chosen].d];
  return order.filter((step) => step.line.q !== null && both.includes(step.line.q));
}
function showLines() {
  const q = state.chosen;
  $("lines").replaceChildren(...stepsNow().map(item));
  if (q !== null && quantities[q].a != null) $("lines").append(newItem(q));
  $("whole").hidden = q === null;
  $("told").replaceChildren();
  if (q !== null) {
    const symbol = element("span", { "aria-hidden": "true" });
    symbol.innerHTML = math(quantities[q].m, quantities[q].x);
    $("told").append(element("span", { class: "spoken" }, label(q)), symbol);
  }
  showEntries();
  mark();
}
function mark() {
  for (const part of all("#lines > li")) {
    const here = Number(part.dataset.step) === state.step && state.chosen === null && state.step >= 0;
    part.classList.toggle("current", here);
    if (here) part.setAttribute("aria-current", "step"); else part.removeAttribute("aria-current");
  }
  for (const button of all("#stages button")) button.setAttribute("aria-pressed", String(state.chosen === null && button.dataset.stage === state.stage));
}

// --- tables of entries --------------------------------------------------------------------------

function grid(q, cell) { // a table with a cell for each entry
  const shape = quantities[q].s, columns = shape.length ? shape[shape.length - 1] : 1, made = element("table");
  const caption = element("caption");
  caption.innerHTML = math(quantities[q].m, quantities[q].x);
  made.append(caption);
  const total = sizeOf(shape), at = (n) => { const found = []; for (let k = shape.length - 1; k >= 0; k -= 1) { found.unshift(n % shape[k]); n = Math.floor(n / shape[k]); } return found; };
  for (let n = 0; n < total; n += columns) {
    const row = element("tr");
    for (let k = 0; k < columns; k += 1) row.append(element("td", {}, cell(at(n + k))));
    made.append(row);
  }
  return element("div", { class: "scroll" }, made);
}
const entryLabel = (q, at) => (at.length ? `${spoken(q)}[${at.join(",")}]` : spoken(q));
function numberCell(q) {
  return (at) => {
    const chosen = entryOf(q).join() === at.join();
    const button = element("button", { type: "button", "aria-pressed": String(chosen), "aria-label": `${entryLabel(q, at)}: ${numeral(textAt(q, at), FORMS.text)}` }, numeral(textAt(q, at), FORMS.text));
    button.addEventListener("click", () => chooseEntry(baseOf(q), at));
    return button;
  };
}
function chooser(q) { // a field for each index of the chosen entry
  const made = element("div", { class: "choose", role: "group", "aria-label": word("entry") });
  quantities[q].s.forEach((size, k) => {
    const input = element("input", { type: "number", min: "0", max: String(size - 1), step: "1" });
    input.value = entryOf(q)[k];
    input.addEventListener("change", () => {
      const at = entryOf(q).slice();
      at[k] = Math.max(0, Math.min(size - 1, Math.round(Number(input.value)) || 0));
      chooseEntry(q, at);
    });
    made.append(element("label", {}, `${filled("index", k + 1)} `, input));
  });
  return made;
}
function heat(q) { // a large table as a picture; the fields beside it choose the same entries
  const shape = quantities[q].s, columns = shape[shape.length - 1], rows = sizeOf(shape) / columns;
  const canvas = element("canvas", { class: "heat", width: columns, height: rows, "aria-hidden": "true" });
  const values = state.now.page[q].map((a) => withDigits(20, () => asDouble(a)));
  const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1, pen = canvas.getContext("2d");
  values.forEach((value, n) => {
    const deep = Math.sqrt(Math.abs(value) / most), tone = value < 0 ? [200, 80, 30] : [31, 78, 121];
    pen.fillStyle = `rgb(${tone.map((c) => Math.round(255 + (c - 255) * deep)).join()})`;
    pen.fillRect(n % columns, Math.floor(n / columns), 1, 1);
  });
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    let n = Math.floor(((event.clientY - box.top) / box.height) * rows) * columns + Math.floor(((event.clientX - box.left) / box.width) * columns);
    const at = [];
    for (let k = shape.length - 1; k >= 0; k -= 1) { at.unshift(n % shape[k]); n = Math.floor(n / shape[k]); }
    chooseEntry(baseOf(q), at);
  });
  return canvas;
}
function showEntries() {
  const q = state.chosen, box = $("entries");
  box.replaceChildren();
  if (q === null) return;
  const own = quantities[q];
  if (own.s.length) box.append(chooser(q));
  if (own.v) {
    const named = element("label", {}, `${entryLabel(q, entryOf(q))} `);
    named.append(field(q, entryOf(q)));
    box.append(named);
  }
  for (const each of [q, own.d, own.a]) {
    if (each == null || !own.s.length) continue;
    if (sizeOf(own.s) <= FEW) box.append(grid(each, numberCell(each)));
    else {
      const title = element("p");
      title.innerHTML = math(quantities[each].m, quantities[each].x);
      box.append(title, heat(each));
    }
  }
}
function chooseEntry(q, at) {
  state.entry.set(q, at);
  const had = document.activeElement, place_ = had && $("entries").contains(had) ? all("button, input", $("entries")).indexOf(had) : -1;
  showLines();
  if (place_ >= 0) { const again = all("button, input", $("entries"))[place_]; if (again) again.focus(); }
  $("status").textContent = filled("quantity_label", entryLabel(q, at), numeral(textAt(q, at), FORMS.text));
}

// --- the picture --------------------------------------------------------------------------------

function downstream(q) { // what a quantity reaches the loss through
  const reaches = new Map();
  const visit = (k) => {
    if (reaches.has(k)) return reaches.get(k);
    reaches.set(k, k === lossOf);
    for (const reader of quantities[k].e) if (visit(reader)) reaches.set(k, true);
    return reaches.get(k);
  };
  visit(q);
  return new Set([...reaches].filter(([, yes]) => yes).map(([k]) => k));
}
function light() {
  let lit = new Set();
  if (state.chosen !== null) lit = new Set([...downstream(state.chosen), state.chosen]);
  else if (state.step >= 0 && order[state.step].line.q !== null) {
    const q = baseOf(order[state.step].line.q), back = order[state.step].stage === "gradients";
    lit = new Set([q, ...(back ? quantities[q].e : [])]);
  }
  for (const part of all(".net [data-quantity]")) {
    const q = Number(part.dataset.quantity);
    part.classList.toggle("lit", lit.has(q));
    part.setAttribute("aria-pressed", String(q === state.chosen));
  }
  for (const end of all(".net .end")) end.classList.toggle("lit", lit.has(Number(end.dataset.from)) && lit.has(Number(end.dataset.to)));
}
function announce() {
  const status = $("status");
  if (state.chosen !== null) {
    const q = state.chosen;
    status.textContent = quantities[q].s.length ? label(q) : filled("quantity_label", spoken(q), numeral(textAt(q, []), FORMS.text));
  } else if (state.step >= 0) {
    const { line } = order[state.step];
    status.textContent = filled("step", state.step + 1, order.length, line.q === null ? word("stages.update") : spoken(line.q));
  } else status.textContent = "";
}

// --- given numbers ------------------------------------------------------------------------------

function field(q, at) {
  const input = element("input", { type: "text", autocomplete: "off", spellcheck: "false", "data-edit": q, "data-at": at.join(), "aria-label": entryLabel(q, at) });
  input.value = comma(textAt(q, at), ",");
  input.addEventListener("input", () => {
    const value = read(input.value), whole = quantities[q].whole;
    const wrong = value === null || (whole && (value.q !== 1n || value.p < 0n)) ? word("wrong") : tried(q, at, value);
    if (wrong) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
    $("wrong").textContent = wrong;
  });
  return input;
}
function tried(q, at, value) { // what is wrong with a value; nothing if the page has taken it
  const before = state.given[q];
  state.given[q] = before.slice();
  state.given[q][flat(quantities[q].s, at)] = value;
  const wrong = renewed();
  if (wrong) { state.given[q] = before; return wrong; }
  state.update = 0;
  $("update").value = 0;
  begin();
  return "";
}
function renewed() {
  try {
    const now = modelComputed(data, state.given, data.format);
    state.after = moves.length && lossOf !== undefined && !data.samples.length ? modelAfter(data, now, state.given, data.format) : null;
    state.now = now;
  } catch (error) {
    if (!(error instanceof NoValue)) throw error;
    return filled("no_value", error.key === undefined ? "" : spoken(error.key));
  }
  refresh();
  return "";
}
function refresh() {
  for (const part of all("#lines > li[data-step]")) put(part.querySelector(".rows"), rowsOf(order[Number(part.dataset.step)]));
  const last = $("lines").lastElementChild;
  if (last && last.dataset.step === undefined) last.replaceWith(newItem(state.chosen));
  if (!$("entries").contains(document.activeElement)) showEntries();
  for (const input of all("input[data-edit]"))
    if (input !== document.activeElement) input.value = comma(textAt(Number(input.dataset.edit), input.dataset.at ? input.dataset.at.split(",").map(Number) : []), ",");
  for (const part of all(".net [data-quantity]")) {
    const q = Number(part.dataset.quantity);
    part.setAttribute("aria-label", quantities[q].s.length ? filled("lengths", spoken(q), shapeOf(q)) : filled("quantity_label", spoken(q), numeral(textAt(q, []), FORMS.text)));
  }
  if (lossOf !== undefined) {
    const loss = `${spoken(lossOf)} = ${numeral(textAt(lossOf, []), FORMS.text)}`;
    $("count").textContent = `${state.update} (${loss}${state.after ? `; ${filled("after", spoken(lossOf), numeral(state.after.text[lossOf][0], FORMS.text))}` : ""})`;
  }
  rounding(state.now);
}
function roleOf(q) {
  if (q === data.rate) return "rate";
  return quantities[q].r || "state";
}
function tables() {
  const given = quantities.map((_, q) => q).filter((q) => quantities[q].v && q !== data.count && !(q === data.rate && !moves.length));
  const small = given.filter((q) => sizeOf(quantities[q].s) <= FEW && roleOf(q) !== "state");
  const rows = quantities.map((_, q) => q).filter((q) => quantities[q].r).map((q) => {
    const button = element("button", { type: "button", "data-choose": q, "aria-label": spoken(q) });
    button.innerHTML = math(quantities[q].m, quantities[q].x);
    button.addEventListener("click", () => { choose(q, true); $("derivation").scrollIntoView(); });
    return element("tr", {}, element("th", { scope: "row" }, button), element("td", {}, shapeOf(q) || "1"), element("td", {}, word(`roles.${roleOf(q)}`)));
  });
  $("tables").replaceChildren(
    table(word("quantities"), ["column_name", "column_shape", "column_role"].map(word), rows),
    ...small.map((q) => grid(q, (at) => field(q, at))),
  );
}

// --- training -----------------------------------------------------------------------------------

function sampled(values, k, as) { // what is given for an update: its number, its sample
  const found = values.slice();
  found[data.count] = [as(String(k + 1))];
  if (data.samples.length) for (const [q, list] of data.samples[k % data.samples.length]) found[q] = list.map(as);
  return found;
}
function begin() {
  if (course) course.stop();
  if (!data.steps || lossOf === undefined) return;
  const first = state.given.map((table) => (table ? table.map((a) => withDigits(20, () => asDouble(a))) : []));
  const step = modelTraining(data, lossOf);
  course = new Course((values, k) => step(sampled(values, k, Number)), first, data.steps);
  course.base = state.given;
  course.run(() => course.draw(state.update));
}
function moved(number) {
  number = reached(number);
  const values = course.at(number), before = state.given;
  state.given = sampled(course.base, number, read);
  if (number) for (const { old } of moves) {
    if (old === null) continue;
    const rounded = quantities[old].r === "parameter";
    state.given[old] = values[old].map((x) => withDigits(DIGITS[0], () => (rounded ? printed(settled(x), data.format).value : ofDouble(x))));
  }
  state.update = number;
  const wrong = renewed();
  if (wrong) { state.given = before; $("wrong").textContent = wrong; }
  course.draw(state.update);
}

// --- the whole page -----------------------------------------------------------------------------

function go(number_) {
  state.chosen = null;
  state.step = Math.max(0, Math.min(order.length - 1, number_));
  const { stage } = order[state.step], again = stage !== state.stage || $("whole").hidden === false;
  state.stage = stage;
  if (again) showLines(); else mark();
  light();
  announce();
  const here = $("lines").querySelector(`[data-step="${state.step}"]`);
  if (here) here.scrollIntoView(AT_ONCE);
}
function spell() {
  spellWords();
  stageButtons(stages);
  tables();
  showLines();
  refresh();
  announce();
}
function listen() {
  let waiting = 0;
  for (const part of all(".net [data-quantity]")) {
    const q = Number(part.dataset.quantity);
    part.addEventListener("pointerenter", (event) => {
      clearTimeout(waiting);
      if (event.pointerType === "mouse" && !state.pinned) waiting = setTimeout(() => choose(q), 60);
    });
    part.addEventListener("pointerleave", () => clearTimeout(waiting));
    part.addEventListener("focus", () => choose(q, state.pinned && state.chosen === q));
    part.addEventListener("click", () => choose(q, true));
    part.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(q, true); }
    });
  }
  listenEverywhere(spell);
  printWhole(() => { if (state.chosen === null) $("lines").replaceChildren(...order.slice(0, PRINTED).map(item)); }, showLines);
}
function start() {
  state.given = sampled(state.given, 0, read);
  state.start = state.given.slice();
  $("update").max = data.steps;
  $("training").hidden = !data.steps || lossOf === undefined;
  listen();
  state.now = { text: quantities.map((q) => Array(sizeOf(q.s)).fill("0")), page: quantities.map((q) => Array(sizeOf(q.s)).fill(ZERO)), chained: data.format.chained };
  const wrong = renewed();
  spell();
  $("wrong").textContent = wrong;
  begin();
}
start();
