"use strict";
const D = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
function el(tag, props, ...children) {
  const e = Object.assign(document.createElement(tag), props || {});
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

// Dimensions: the axes, and the replicates where there are several.
const dims = D.axes.map((a, i) => ({ name: a.name, labels: a.labels, of: (c) => c.a[i] }));
if (D.seeds.length > 1) dims.push({ name: "replicate", labels: D.seeds.map((s) => "seed " + s), of: (c) => c.r });
const long = dims.filter((d) => d.labels.length > 1);
const index = new Map();
const place = (points) => points.join(",");
for (const c of D.cells) index.set(place(dims.map((d) => d.of(c))), c);
const named = (name) => dims.findIndex((d) => d.name === name);
const known = D.measures.filter((m) => D.cells.some((c) => m.key in c.m));
const state = { rows: named(D.rows), columns: named(D.columns), fixed: {}, measure: "", filter: "" };
const others = () => dims.map((_, i) => i).filter((i) => i !== state.rows && i !== state.columns && dims[i].labels.length > 1);
let count = others().reduce((n, i) => n * dims[i].labels.length, 1);
for (const i of others()) state.fixed[i] = count > 12 ? 0 : -1;

function number(m, v) {
  if (typeof v !== "number") return v === "infinity" ? "equal" : "";
  if (m.key === "memory") return (v / 1048576).toFixed(0) + " MiB";
  return v.toFixed(m.digits) + (m.unit ? " " + m.unit : "");
}
function thumb(c) { return c.t < 0 ? null : D.thumbs[c.t]; }
function haystack(c) {
  if (!c.text) c.text = (JSON.stringify(c.p) + " " + dims.map((d) => d.labels[d.of(c)]).join(" ") + " " + c.s + " " + (c.why || "")).toLowerCase();
  return c.text;
}
const matches = (c) => state.filter.split(/\s+/).every((w) => haystack(c).includes(w));
function facts(c) {
  const list = el("dl");
  const row = (k, v) => list.append(el("dt", { textContent: k }), el("dd", { textContent: v }));
  for (const d of long) row(d.name, d.labels[d.of(c)]);
  for (const [k, v] of Object.entries(c.p)) if (!long.some((d) => d.name === k)) row(k, typeof v === "string" ? v : JSON.stringify(v));
  for (const m of known) if (m.key in c.m) row(m.title, number(m, c.m[m.key]));
  if (c.why) row(c.s, c.why);
  return list;
}
const words = { done: "", draw: "not drawn yet", waiting: "waiting", failed: "failed", cut: "over budget", impossible: "not possible", drawn: "drawn before" };

function cellButton(c, range) {
  if (!c) return el("span", { className: "cell" }, el("span", { className: "words", textContent: "left out" }));
  const b = el("button", { className: "cell " + c.s + (c.reference ? " reference" : ""), type: "button" });
  const src = thumb(c);
  b.cell = c;
  b.setAttribute("aria-label", long.map((d) => d.name + " " + d.labels[d.of(c)]).join(", ") + (src ? "" : ", " + (words[c.s] || c.s)));
  if (src) b.append(el("img", { src, loading: "lazy", decoding: "async", alt: "", width: c.w, height: c.h }));
  else b.append(el("span", { className: "words" }, el("b", { textContent: words[c.s] || c.s }), c.why || ""));
  if (range && state.measure in c.m) {
    const v = c.m[state.measure], x = typeof v === "number" ? v : range.high;
    const share = range.high > range.low ? (x - range.low) / (range.high - range.low) : 1;
    b.append(el("span", { className: "number" }, number(range.m, v), el("span", { className: "bar" }, el("i", { style: `width:${(100 * share).toFixed(1)}%` }))));
  }
  b.classList.toggle("dim", !matches(c));
  return b;
}

function measureRange() {
  const m = known.find((k) => k.key === state.measure);
  if (!m) return null;
  let low = Infinity, high = -Infinity;
  for (const c of D.cells) { const v = c.m[m.key]; if (typeof v === "number") { low = Math.min(low, v); high = Math.max(high, v); } }
  return { m, low, high };
}

function tables() {
  let list = [dims.map(() => 0)];
  for (const i of others()) {
    const choices = state.fixed[i] >= 0 ? [state.fixed[i]] : dims[i].labels.map((_, k) => k);
    list = list.flatMap((p) => choices.map((k) => p.with ? p.with(i, k) : p.map((x, j) => (j === i ? k : x))));
  }
  return list;
}
function drawGrid() {
  const box = $("sheets"), range = measureRange();
  box.replaceChildren();
  const rows = state.rows < 0 ? [0] : dims[state.rows].labels.map((_, k) => k);
  const columns = state.columns < 0 ? [0] : dims[state.columns].labels.map((_, k) => k);
  for (const base of tables()) {
    const title = others().map((i) => dims[i].name + ": " + dims[i].labels[base[i]]).join("  ·  ");
    const t = el("table", { className: "sheet" });
    const head = el("tr", {}, el("th", { textContent: state.rows < 0 ? "" : dims[state.rows].name, className: "soft" }));
    if (state.columns >= 0) for (const k of columns) head.append(el("th", { scope: "col", textContent: dims[state.columns].labels[k] }));
    t.append(el("thead", {}, head));
    const body = el("tbody");
    for (const r of rows) {
      const tr = el("tr", {}, el("th", { scope: "row", textContent: state.rows < 0 ? "" : dims[state.rows].labels[r] }));
      for (const k of columns) {
        const p = base.slice();
        if (state.rows >= 0) p[state.rows] = r;
        if (state.columns >= 0) p[state.columns] = k;
        tr.append(el("td", {}, cellButton(index.get(place(p)), range)));
      }
      body.append(tr);
    }
    t.append(body);
    box.append(el("h3", { textContent: title }), el("div", { className: "scroll" }, t));
  }
}

function control(text, input) { return el("label", {}, text, input); }
function choice(options, value, change) {
  const s = el("select", { onchange: () => change(s.value) });
  for (const [v, text] of options) s.append(el("option", { value: v, textContent: text, selected: String(v) === String(value) }));
  return s;
}
function drawControls() {
  const box = $("controls"), all = dims.map((d, i) => [i, d.name]).filter(([i]) => dims[i].labels.length > 1);
  const set = (key, other) => (v) => {
    const former = state[key];
    state[key] = Number(v);
    if (state[key] === state[other]) state[other] = former;
    for (const i of others()) if (!(i in state.fixed)) state.fixed[i] = 0;
    drawControls(); drawGrid();
  };
  box.replaceChildren();
  if (all.length > 1) box.append(control("rows", choice(all, state.rows, set("rows", "columns"))), control("columns", choice(all, state.columns, set("columns", "rows"))));
  for (const i of others())
    box.append(control(dims[i].name, choice([[-1, "all"], ...dims[i].labels.map((l, k) => [k, l])], state.fixed[i], (v) => { state.fixed[i] = Number(v); drawGrid(); })));
  if (known.length) box.append(control("number below", choice([["", "none"], ...known.map((m) => [m.key, m.title])], state.measure, (v) => { state.measure = v; drawGrid(); })));
  const size = el("input", { type: "range", min: 48, max: Math.max(160, D.thumbnail), value: parseInt(getComputedStyle(document.documentElement).getPropertyValue("--thumb"), 10) });
  size.oninput = () => document.documentElement.style.setProperty("--thumb", size.value + "px");
  const find = el("input", { type: "search", value: state.filter, placeholder: "words of the parameters" });
  find.oninput = () => { state.filter = find.value.toLowerCase().trim(); for (const b of document.querySelectorAll("button.cell")) b.classList.toggle("dim", !matches(b.cell)); drawTable(); };
  box.append(control("size", size), control("find", find));
}

// The table of all cells.
const sort = { key: null, down: false };
let shown = 300;
const columnsOf = () => [
  ...long.map((d) => ({ title: d.name, key: (c) => d.of(c), text: (c) => d.labels[d.of(c)] })),
  { title: "state", key: (c) => c.s, text: (c) => c.s },
  ...known.map((m) => ({ title: m.title, n: true, key: (c) => (c.m[m.key] === "infinity" ? Infinity : c.m[m.key]), text: (c) => number(m, c.m[m.key]) })),
];
function drawTable() {
  const columns = columnsOf(), list = D.cells.filter(matches), box = $("cells");
  if (sort.key !== null) {
    const key = columns[sort.key].key, sign = sort.down ? -1 : 1;
    list.sort((x, y) => {
      const a = key(x), b = key(y);
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
      return a < b ? -sign : a > b ? sign : 0;
    });
  }
  const head = el("tr", {}, el("th"));
  columns.forEach((col, i) => {
    const mark = sort.key === i ? (sort.down ? " ↓" : " ↑") : "";
    const th = el("th", { className: col.n ? "n" : "" }, el("button", { type: "button", textContent: col.title + mark, onclick: () => { sort.down = sort.key === i && !sort.down; sort.key = i; drawTable(); } }));
    if (mark) th.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
    head.append(th);
  });
  const body = el("tbody");
  for (const c of list.slice(0, shown)) {
    const src = thumb(c), tr = el("tr", {}, el("td", {}, src ? el("img", { src, alt: "", loading: "lazy", onclick: () => open(c) }) : ""));
    for (const col of columns) { const text = col.text(c); tr.append(el("td", { textContent: text, className: col.n ? "n" : text.length > 40 ? "wrap" : "" })); }
    body.append(tr);
  }
  box.replaceChildren(el("p", { className: "soft", textContent: `${list.length} of ${D.cells.length} cells` }),
    el("div", { className: "scroll" }, el("table", { className: "list" }, el("thead", {}, head), body)));
  if (list.length > shown) box.append(el("button", { type: "button", textContent: "show more", onclick: () => { shown += 1000; drawTable(); } }));
}

// One cell, large, beside its reference.
let current = null;
function picture(c, caption) {
  const src = thumb(c);
  return el("figure", {}, src ? el("img", { src, alt: caption }) : el("p", { textContent: words[c.s] || c.s }), el("figcaption", { textContent: caption }));
}
function open(c) {
  const box = $("detail"), pictures = el("div", { className: "pictures" }, picture(c, long.map((d) => d.labels[d.of(c)]).join(", ")));
  current = c;
  if (D.reference && !c.reference) {
    const p = dims.map((d) => d.of(c));
    p[D.reference.axis] = D.reference.point;
    const r = index.get(place(p));
    if (r && thumb(r)) pictures.append(picture(r, "reference: " + dims[D.reference.axis].labels[D.reference.point]));
  }
  box.replaceChildren(el("div", { className: "bar" },
    el("span", {}, el("button", { type: "button", textContent: "←", ariaLabel: "before", onclick: () => move(0, -1) }), " ",
      el("button", { type: "button", textContent: "→", ariaLabel: "next", onclick: () => move(0, 1) })),
    el("button", { type: "button", textContent: "close", onclick: () => box.close() })), pictures, facts(c));
  if (!box.open) box.showModal();
}
function neighbour(c, rows, columns) {
  const p = dims.map((d) => d.of(c));
  const shift = (i, by) => { if (i < 0 || !by) return; p[i] += by; if (p[i] < 0 || p[i] >= dims[i].labels.length) p[i] = -1; };
  shift(state.rows, rows); shift(state.columns, columns);
  return index.get(place(p));
}
function move(rows, columns) { const n = current && neighbour(current, rows, columns); if (n) open(n); }
const arrows = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
document.addEventListener("keydown", (e) => {
  const way = arrows[e.key];
  if (!way || e.target.matches("select, input")) return;
  if ($("detail").open) { move(...way); e.preventDefault(); return; }
  const from = document.activeElement;
  if (!from.cell) return;
  const to = neighbour(from.cell, ...way);
  const b = to && [...document.querySelectorAll("button.cell")].find((x) => x.cell === to);
  if (b) { b.focus(); e.preventDefault(); }
});
$("sheets").addEventListener("click", (e) => { const b = e.target.closest("button.cell"); if (b) open(b.cell); });
$("detail").addEventListener("click", (e) => { if (e.target === $("detail")) $("detail").close(); });

// Parameters under the pointer.
const tip = $("tip");
$("sheets").addEventListener("pointermove", (e) => {
  const b = e.pointerType === "mouse" && e.target.closest("button.cell");
  if (!b) { tip.style.display = "none"; return; }
  if (tip.cell !== b.cell) { tip.cell = b.cell; tip.replaceChildren(facts(b.cell)); }
  tip.style.display = "block";
  const w = tip.offsetWidth, h = tip.offsetHeight;
  tip.style.left = Math.max(6, Math.min(e.clientX + 16, innerWidth - w - 8)) + "px";
  tip.style.top = (e.clientY + 16 + h > innerHeight ? Math.max(6, e.clientY - h - 12) : e.clientY + 16) + "px";
});
$("sheets").addEventListener("pointerleave", () => { tip.style.display = "none"; });

function show(id) {
  for (const b of document.querySelectorAll("nav button")) b.setAttribute("aria-selected", b.dataset.for === id);
  for (const s of document.querySelectorAll("section")) s.hidden = s.id !== "view-" + id;
}
for (const b of document.querySelectorAll("nav button")) b.onclick = () => { show(b.dataset.for); history.replaceState(null, "", "#" + b.dataset.for); };
const wanted = location.hash.slice(1);
if (innerWidth < 640) $("arrange").open = false;
drawControls(); drawGrid(); drawTable();
show(document.querySelector(`nav button[data-for="${CSS.escape(wanted)}"]`) ? wanted : "grid");
