// What a reader does with the page of a network: point, step, edit, train; and what is shown then.

const { keys, templates, weights } = data;
const CHUNK = 60; // lines shown at once
const state = {
  given: keys.map((key) => (computes(key) ? null : read(key.t))),
  now: { text: keys.map((key) => key.t), chained: data.format.chained && !data.gave_up, astray: data.gave_up },
  stage: data.stages[0], step: -1, chosen: null, pinned: false, sample: 0, update: 0, shown: 0,
};
const weightOf = new Map(weights.map((row) => [row[0], row]));
// The shares of the error are told within it: rounded ones need not add up to what it is printed as.
const told = (k) => keys[k].s && keys[k].k !== "part";
const order = data.stages.flatMap((stage) => keys.map((_, k) => k).filter((k) => told(k) && keys[k].s === stage));
function fill([number, holes], values, form) { // a row with names or with numbers in its holes
  const template = templates[number], name = form === FORMS.mathml ? "m" : "x";
  return inHoles(template[name], (k) => (values
    ? numeral(state.now.text[holes[k]], form, Number(template.g[k])) : keys[holes[k]][name]));
}
function rowsOf(k) { // the rows of a line: what they are, MathML, TeX
  const key = keys[k], found = [];
  const result = (form) => numeral(state.now.text[k], form);
  key.d.forEach((group, g) => {
    group.forEach((row, r) => found.push({ kind: "f", more: r > 0, m: fill(row, false, FORMS.mathml), x: fill(row, false, FORMS.tex) }));
  });
  const apart = key.v.length > 0 && long(fill(key.v[key.v.length - 1], true, FORMS.tex)); // the result has its own row
  key.v.forEach((row, r) => {
    const last = r === key.v.length - 1 && !apart;
    found.push({
      kind: r ? "v" : "v first", more: r > 0,
      m: fill(row, true, FORMS.mathml) + (last ? EQUALS + result(FORMS.mathml) : ""),
      x: fill(row, true, FORMS.tex) + (last ? ` = ${result(FORMS.tex)}` : ""),
    });
  });
  const only = key.d.length ? "" : " only";
  found.push({ kind: apart ? "r own" : key.v.length ? "r" : `r first${only}`, more: false, m: result(FORMS.mathml), x: result(FORMS.tex) });
  return found;
}
function texOf(k) {
  const rows = rowsOf(k).filter((row) => row.kind !== "r"); // it stands behind the numbers
  return keys[k].x + rows.map((row) => (row.more ? ` ${row.x}` : ` = ${row.x}`)).join("");
}
const spoken = (k) => keys[k].n.replace("_total", "").replace(/_/g, " ");
const seen = (k) => numeral(state.now.text[k], FORMS.text);

// --- the derivation -----------------------------------------------------------------------------

function line(k) {
  const key = keys[k], item = element("li", { "data-key": k });
  item.append(element("p", { class: "note" }, word(`kinds.${key.k}`)));
  const copy = element("button", { type: "button", class: "copy", "aria-label": `${word("copy")}: ${spoken(k)}` }, "LaTeX");
  copy.addEventListener("click", () => copied(copy, texOf(k)));
  const rows = element("div", { class: "rows", tabindex: "0", role: "group", "aria-label": spoken(k) });
  item.append(copy, rows);
  put(rows, k);
  return item;
}
function put(rows, k) {
  rows.innerHTML = rowsOf(k).map((row) => {
    const head = `<mrow class="head">${keys[k].m}</mrow>`;
    return `<div class="row ${row.kind}">${math(row.more ? row.m : head + EQUALS + row.m, row.x, true)}</div>`;
  }).join("");
}
function leaves(tree) {
  return typeof tree === "number" ? [tree] : Array.isArray(tree) ? tree.slice(1).flatMap(leaves) : [];
}
function behind(k) { // a derivative with those that it is made of, in the order of the page
  const found = new Set(), waiting = [k];
  while (waiting.length) {
    const each = waiting.pop();
    if (found.has(each)) continue;
    found.add(each);
    waiting.push(...leaves(keys[each].f).filter((n) => keys[n].s === "gradients"));
  }
  return [...found].sort((a, b) => a - b);
}
function linesNow() {
  if (state.chosen === null) return order.filter((k) => keys[k].s === state.stage);
  const [, gradient, after] = weightOf.get(state.chosen);
  return [...(gradient === null ? [] : behind(gradient)), ...(after === null ? [] : [after])];
}
function showLines(keep = false) {
  const lines = linesNow(), at = state.chosen === null ? Math.max(0, lines.indexOf(order[state.step])) : 0;
  if (!keep) state.shown = CHUNK * Math.ceil((at + 1) / CHUNK);
  $("lines").replaceChildren(...lines.slice(0, state.shown).map(line));
  $("more").hidden = lines.length <= state.shown;
  $("whole").hidden = state.chosen === null;
  const told = $("told");
  told.replaceChildren();
  if (state.chosen !== null) {
    told.innerHTML = filled("of_weight", math(keys[state.chosen].m, keys[state.chosen].x));
    told.append(" ", field(state.chosen));
  }
  $("stage-note").textContent = state.chosen === null ? word(`stage_notes.${state.stage}`) : "";
  mark();
}
function mark() {
  const current = state.step >= 0 ? order[state.step] : null;
  for (const item of all("#lines > li")) {
    const here = Number(item.dataset.key) === current && state.chosen === null;
    item.classList.toggle("current", here);
    if (here) item.setAttribute("aria-current", "step"); else item.removeAttribute("aria-current");
  }
  for (const button of all("#stages button")) button.setAttribute("aria-pressed", String(state.chosen === null && button.dataset.stage === state.stage));
}

// --- the picture --------------------------------------------------------------------------------

function light() {
  let places = new Set(), factors = new Set();
  if (state.chosen !== null) {
    const [weight, gradient] = weightOf.get(state.chosen), way = gradient === null ? [] : behind(gradient);
    places = new Set([`w${weight}`, ...way.flatMap((k) => keys[k].p)]);
    for (const k of way) for (const n of leaves(keys[k].f)) if (weightOf.has(n)) places.add(`w${n}`);
    factors = new Set(way);
  } else if (state.step >= 0) {
    const k = order[state.step];
    places = new Set([...keys[k].p, ...leaves(keys[k].f).flatMap((n) => (weightOf.has(n) ? keys[n].p : []))]);
    factors = new Set([k]);
  }
  for (const part of all(".net [data-place]")) {
    part.classList.toggle("lit", places.has(part.dataset.place));
    part.classList.toggle("chosen", part.dataset.place === `w${state.chosen}`);
    if (part.dataset.weight) part.setAttribute("aria-pressed", String(part.dataset.weight === String(state.chosen)));
  }
  for (const end of all(".net .end")) end.classList.toggle("lit", places.has("E") && places.has(end.dataset.from));
  for (const factor of all(".net [data-factor]")) factor.classList.toggle("lit", factors.has(Number(factor.dataset.factor)) && (!factor.dataset.sample || Number(factor.dataset.sample) === state.sample));
  for (const net of all(".net")) net.classList.toggle("way", places.size > 0);
}
function announce() {
  const status = $("status");
  if (state.chosen !== null) {
    const [weight, gradient] = weightOf.get(state.chosen);
    status.textContent = gradient === null ? filled("weight_label", spoken(weight), seen(weight))
      : filled("gradient_label", spoken(weight), seen(weight), seen(gradient));
  } else if (state.step >= 0) status.textContent = filled("step", state.step + 1, order.length, spoken(order[state.step]));
  else status.textContent = "";
}
function numbers() { // every number that stands outside the lines
  for (const part of all("[data-value]")) {
    const list = part.dataset.value.split(" ");
    part.textContent = seen(Number(list[Math.min(state.sample, list.length - 1)]));
  }
  for (const part of all(".net [data-weight]")) {
    const k = Number(part.dataset.weight);
    part.setAttribute("aria-label", filled("weight_label", spoken(k), seen(k)));
  }
  for (const input of all("input[data-edit]")) {
    if (input !== document.activeElement) input.value = comma(state.now.text[Number(input.dataset.edit)], ",");
    input.setAttribute("aria-label", spoken(Number(input.dataset.edit)));
  }
  $("count").textContent = `${state.update} (${spoken(data.loss)} = ${seen(data.loss)})`;
}

// --- given numbers ------------------------------------------------------------------------------

function field(k) {
  const input = element("input", { type: "text", inputmode: "text", autocomplete: "off", spellcheck: "false", "data-edit": k, "aria-label": spoken(k) });
  input.value = comma(state.now.text[k], ",");
  input.addEventListener("input", () => edited(input, k));
  input.addEventListener("change", () => { if (input.getAttribute("aria-invalid") !== "true") input.value = comma(state.now.text[k], ","); });
  return input;
}
function edited(input, k) {
  const value = read(input.value), wrong = value === null ? word("wrong") : tried(k, value);
  if (wrong) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid");
  $("wrong").textContent = wrong;
}
function tried(k, value) { // what is wrong with a value; nothing if the page has taken it
  const before = state.given[k];
  state.given[k] = value;
  const wrong = renewed();
  if (wrong) { state.given[k] = before; return wrong; }
  state.update = 0;
  $("update").value = 0;
  begin();
  return "";
}
function renewed() { // compute all numbers anew
  try { state.now = computed(keys, state.given, data.format); } catch (error) {
    if (!(error instanceof NoValue)) throw error;
    return filled("no_value", error.key === undefined ? "" : spoken(error.key));
  }
  refresh();
  return "";
}
function refresh() {
  for (const rows of all("#lines .rows")) put(rows, Number(rows.parentElement.dataset.key));
  numbers();
  announce();
  rounding(state.now);
}
function cell(k) { return element("td", { "data-value": k === null ? "" : k }); }
function tables() {
  const named = (k, button) => {
    const inner = element(button ? "button" : "span", button ? { type: "button", "data-choose": k } : {});
    inner.innerHTML = math(keys[k].m, keys[k].x);
    if (button) { inner.setAttribute("aria-label", spoken(k)); inner.addEventListener("click", () => { choose(k, true); $("derivation").scrollIntoView(); }); }
    if (!button) {
      inner.setAttribute("aria-hidden", "true");
      return element("th", { scope: "row" }, element("span", { class: "spoken" }, spoken(k)), inner);
    }
    return element("th", { scope: "row" }, inner);
  };
  const plain = keys.map((_, k) => k).filter((k) => !computes(keys[k]) && !weightOf.has(k));
  const first = table(word("given"), [word("column_name"), word("column_value")],
    plain.map((k) => element("tr", {}, named(k, false), element("td", {}, field(k)))));
  const second = table(word("parameters"), ["column_name", "column_value", "column_gradient", "column_new"].map(word),
    weights.map(([k, gradient, after]) => element("tr", {}, named(k, true), element("td", {}, field(k)),
      gradient === null ? element("td") : cell(gradient), after === null ? element("td", {}, word("frozen")) : cell(after))));
  $("tables").replaceChildren(first, second);
}

// --- training -----------------------------------------------------------------------------------

function begin() { // a new training, from the numbers that are given now
  const updates = weights.filter((row) => row[2] !== null).map(([before, , after]) => [before, after]);
  const first = state.given.map((a) => (a === null ? 0 : withDigits(20, () => asDouble(a))));
  if (course) course.stop();
  course = new Course(training(keys, updates, data.loss), first, data.steps);
  course.base = state.given.slice();
  course.run(() => course.draw(state.update));
}
function moved(number) { // the page after a number of updates
  number = reached(number);
  const values = course.at(number), before = state.given.slice();
  for (const [k, , after] of weights) {
    if (after === null) continue;
    state.given[k] = number === 0 ? course.base[k] : withDigits(DIGITS[0], () => printed(settled(values[k]), data.format).value);
  }
  state.update = number;
  const wrong = renewed();
  if (wrong) { state.given = before; $("wrong").textContent = wrong; }
  course.draw(state.update);
}

// --- the whole page -----------------------------------------------------------------------------

function go(number) {
  state.chosen = null;
  state.step = Math.max(0, Math.min(order.length - 1, number));
  const stage = keys[order[state.step]].s, before = state.stage;
  state.stage = stage;
  const shown = all("#lines > li").some((item) => Number(item.dataset.key) === order[state.step]);
  if (stage !== before || !shown || $("whole").hidden === false) showLines(); else mark();
  light();
  announce();
  const item = all("#lines > li").find((each) => Number(each.dataset.key) === order[state.step]);
  if (item) item.scrollIntoView(AT_ONCE);
}
function spell() {
  spellWords();
  stageButtons(data.stages);
  tables();
  showLines(true);
  refresh();
}
function listen() {
  let waiting = 0;
  for (const part of all(".net [data-weight], .net [data-points]")) {
    const k = Number(part.dataset.weight || part.dataset.points);
    part.addEventListener("pointerenter", (event) => {
      clearTimeout(waiting);
      if (event.pointerType === "mouse" && !state.pinned) waiting = setTimeout(() => choose(k), 60);
    });
    part.addEventListener("pointerleave", () => clearTimeout(waiting));
    part.addEventListener("click", () => choose(k, true));
  }
  for (const part of all(".net [data-weight]")) {
    const k = Number(part.dataset.weight), label = all(`.label[data-points="${k}"]`, part.parentElement)[0];
    part.addEventListener("focus", () => {
      choose(k, state.pinned && state.chosen === k);
      label.classList.toggle("focused", part.matches(":focus-visible"));
    });
    part.addEventListener("blur", () => label.classList.remove("focused"));
    part.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(k, true); }
    });
  }
  listenEverywhere(spell);
  $("more").addEventListener("click", () => { state.shown += CHUNK; showLines(true); });
  printWhole(() => { if (state.chosen === null) $("lines").replaceChildren(...order.slice(0, PRINTED).map(line)); }, () => showLines(true));
  $("sample").addEventListener("change", (event) => { state.sample = Number(event.target.value); numbers(); light(); });
}
function start() {
  state.start = state.given.slice();
  $("update").max = data.steps;
  $("training").hidden = !data.steps || !weights.some((row) => row[2] !== null);
  if (data.batch > 1) {
    $("samples").hidden = false;
    for (let k = 0; k < data.batch; k += 1) $("sample").append(element("option", { value: k }, String(k + 1)));
  }
  state.shown = CHUNK;
  spell();
  listen();
  begin();
}
start();
