(() => {
"use strict";
// Shows one section of `.reveal .slides` at a time, as large as the window allows.
const root = document.documentElement;
const slides = document.querySelector(".slides");
const sections = [...slides.children];
const WIDTH = 1280, HEIGHT = 720, SIZE = 30;
let at = 0;

function asked() {
  const number = Number.parseInt(location.hash.replace(/^#\/?/, ""), 10);
  return Number.isInteger(number) ? number : 0;
}

function show(number) {
  at = Math.min(Math.max(number, 0), sections.length - 1);
  sections.forEach((section, k) => section.classList.toggle("present", k === at));
  fit(sections[at]);
  document.getElementById("count").textContent = `${at + 1} / ${sections.length}`;
  document.getElementById("progress").setAttribute("width", 100 * at / Math.max(1, sections.length - 1));
  document.getElementById("back").disabled = at === 0;
  document.getElementById("next").disabled = at === sections.length - 1;
  if (asked() !== at) history.replaceState(null, "", `#/${at}`);
}

// What is too high or too wide for the slide is made as much smaller as it takes.
function fit(section) {
  for (const part of section.querySelectorAll(".formula > div, table")) {
    part.style.zoom = 1;
    const room = part.parentElement.clientWidth - (part.nextElementSibling?.matches("span") ? 170 : 0);
    if (part.offsetWidth > room) part.style.zoom = room / part.offsetWidth;
  }
  for (let size = SIZE; size >= SIZE / 2; size -= 1) {
    section.style.fontSize = `${size}px`;
    if (section.scrollHeight <= section.clientHeight) break;
  }
}

function scale() {
  return Math.min(innerWidth / WIDTH, innerHeight / HEIGHT);
}

function place() {
  slides.style.transform = `translate(-50%, -50%) scale(${scale()})`;
}

function dark(on) {
  root.dataset.theme = on ? "dark" : "light";
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const moves = { ArrowRight: at + 1, ArrowDown: at + 1, PageDown: at + 1, ArrowLeft: at - 1,
    ArrowUp: at - 1, PageUp: at - 1, Home: 0, End: sections.length - 1 };
  const onButton = event.target instanceof HTMLButtonElement;
  if (event.key === " " && !onButton) moves[" "] = at + (event.shiftKey ? -1 : 1);
  if (event.key in moves) {
    event.preventDefault();
    show(moves[event.key]);
  }
  if (event.key === "d") dark(root.dataset.theme !== "dark");
});
addEventListener("hashchange", () => show(asked()));
addEventListener("resize", place);
let touched = null;
addEventListener("touchstart", (event) => { touched = event.touches[0].clientX; }, { passive: true });
addEventListener("touchend", (event) => {
  const moved = touched === null ? 0 : event.changedTouches[0].clientX - touched;
  if (Math.abs(moved) > 50) show(at + (moved < 0 ? 1 : -1));
  touched = null;
});
document.getElementById("back").addEventListener("click", () => show(at - 1));
document.getElementById("next").addEventListener("click", () => show(at + 1));
document.getElementById("theme").addEventListener("click", () => dark(root.dataset.theme !== "dark"));
dark(matchMedia("(prefers-color-scheme: dark)").matches);
root.classList.add("shown");
place();
show(asked());
addEventListener("beforeprint", () => sections.forEach((section) => {
  section.classList.add("present");
  fit(section);
}));
addEventListener("afterprint", () => show(at));
})();
