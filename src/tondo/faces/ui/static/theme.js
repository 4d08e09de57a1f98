// Runs before the page is painted, so that a stored theme never flashes the other one.
(() => {
  const asked = new URLSearchParams(location.search).get("theme");
  let stored = null;
  try { stored = localStorage.getItem("tondo-theme"); } catch { stored = null; }
  const theme = asked ?? stored;
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
})();
