// What the page can do without: the theme's toggle, the copy button, looking again.
const root = document.documentElement;
const REFRESH_MS = 5000;

function isDark() {
  const chosen = root.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function showTheme() {
  const button = document.getElementById("theme");
  button.hidden = false;
  button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("tondo-theme", root.dataset.theme); } catch { /* not kept */ }
    button.setAttribute("aria-pressed", String(isDark()));
  });
}

function showCopyButtons() {
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.hidden = !navigator.clipboard;
    button.onclick = async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).innerText);
      button.textContent = "Copied";
    };
  }
}

// While somebody reads a table, marks text or stands on a control, the page holds still.
function isInUse(main) {
  const opened = main.querySelector("figure details[open]");
  return document.hidden || opened || main.contains(document.activeElement) || String(getSelection());
}

async function lookAgain() {
  const main = document.getElementById("main");
  if (isInUse(main)) return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
  if (fresh.innerHTML === main.innerHTML || isInUse(main)) return;
  main.replaceChildren(...fresh.childNodes);
  showCopyButtons();
}

showTheme();
showCopyButtons();
if (location.pathname === "/") setInterval(() => lookAgain().catch(() => {}), REFRESH_MS);
